import type { Fingerprint, Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { GateContext } from '../gate/context.ts';
import { type IdentifyError, identify } from '../gate/identify.ts';
import { type PlanCommitError, planCommit } from '../gate/prepare.ts';
import type { GitError } from '../git/errors.ts';
import { resolveCommit } from '../git/history.ts';

/** What would be submitted, byte for byte, and the small files that would lie beside it. */
export interface ScriptReport {
  readonly commit: Oid;
  readonly fingerprint: Fingerprint;
  readonly script: string;
  /** In the attempt's `in/` folder. */
  readonly inputs: readonly string[];
  /** Names of `secrets:` that are not set here; a submission would stop at them. */
  readonly unsetSecrets: readonly string[];
}

export type ScriptError =
  | { readonly reason: 'unknown-revision'; readonly revision: string }
  | { readonly reason: 'git'; readonly cause: GitError }
  | IdentifyError
  | PlanCommitError;

/** `mlops script [COMMIT]`. Contacts no host, and needs no secret: none is in the script. */
export async function script(context: GateContext, revision = 'HEAD'): Promise<Result<ScriptReport, ScriptError>> {
  const commit = await resolveCommit(context.repo, revision);
  if (!commit.ok) {
    const unknown = commit.error.reason === 'unknown-revision';
    return err(unknown ? { reason: 'unknown-revision', revision } : { reason: 'git', cause: commit.error });
  }
  const identified = await identify(context, commit.value);
  if (!identified.ok) return identified;
  const unsetSecrets = identified.value.config.secrets.filter((name) => context.env[name] === undefined);
  const planned = await planCommit(context, identified.value, 'none');
  if (!planned.ok) return planned;
  return ok({
    commit: commit.value,
    fingerprint: identified.value.fingerprint,
    script: planned.value.script,
    inputs: [...planned.value.plan.inputs.keys()].sort(),
    unsetSecrets,
  });
}
