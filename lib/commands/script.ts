import type { Fingerprint, Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import type { GateContext } from '../gate/context.ts';
import type { Identified } from '../gate/identify.ts';
import { type PlanCommitError, planCommit } from '../gate/prepare.ts';

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

/** `mlops script [COMMIT]`. Contacts no host, and needs no secret: none is in the script. */
export async function script(
  context: GateContext,
  identified: Identified,
): Promise<Result<ScriptReport, PlanCommitError>> {
  const planned = await planCommit(context, identified, { secrets: 'none', build: 'if-before' });
  if (!planned.ok) return planned;
  return ok({
    commit: identified.commit,
    fingerprint: identified.fingerprint,
    script: planned.value.script,
    inputs: [...planned.value.plan.inputs.keys()].sort(),
    unsetSecrets: identified.config.secrets.filter((name) => context.env[name] === undefined),
  });
}
