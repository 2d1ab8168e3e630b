import type { Fingerprint, Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import { resolveCommit } from '../git/history.ts';
import { type GateContext, nowNs } from './context.ts';
import { type Identified, type IdentifyError, identify, identifyPast } from './identify.ts';
import { recognise } from './recognise.ts';

type Context = Pick<GateContext, 'repo' | 'now' | 'signal' | 'emit'>;

/** A commit that is compared with another. Only HEAD may be what the worktree's data is now; of every other only what was recorded counts. */
export async function identifySide(context: Context, commit: Oid): Promise<Result<Identified, IdentifyError>> {
  const head = await resolveCommit(context.repo, 'HEAD');
  return head.ok && head.value === commit ? identify(context, commit) : identifyPast(context, commit);
}

/** The same of one that is known to be this run: with the data of its report where its record says something else by now. */
export async function identifyRun(
  context: Context,
  branch: string,
  commit: Oid,
  run: Fingerprint,
): Promise<Result<Identified, IdentifyError>> {
  const side = await identifySide(context, commit);
  if (side.ok && side.value.fingerprint === run) return side;
  const recognised = await recognise({ ...context, branch }, commit, () => nowNs(context));
  if (!recognised.ok) return side;
  const { config, candidates } = recognised.value;
  const found = candidates.find(({ fingerprinted }) => fingerprinted.fingerprint === run);
  const inherited = config.data.flatMap((entry) => (entry.kind === 'path' ? [entry.path] : []));
  return found === undefined ? side : ok({ ...found.fingerprinted, commit, config, inherited });
}
