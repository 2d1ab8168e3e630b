import type { Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { reportsOf } from '../gate/known.ts';
import { pendingRuns } from '../gate/pending.ts';
import { resolveCommit } from '../git/history.ts';
import { findRun } from './find-run.ts';
import type { ShowError, ShowOptions } from './show.ts';

/** The commit that a verb speaks of: a revision, else the run whose fingerprint begins so, one that goes on before one with a report. */
export async function findCommit(
  { repo, branch, emit }: Pick<ShowOptions, 'repo' | 'branch' | 'emit'>,
  target: string,
): Promise<Result<Oid, ShowError>> {
  const commit = await resolveCommit(repo, target);
  if (commit.ok) return commit;
  if (commit.error.reason !== 'unknown-revision') return err({ reason: 'git', cause: commit.error });
  const digits = target.toLowerCase();
  const open = /^[0-9a-f]{4,64}$/.test(digits)
    ? pendingRuns(repo).filter(({ fingerprint }) => fingerprint.startsWith(digits))
    : [];
  const candidates = [...new Set(open.map(({ fingerprint }) => fingerprint))];
  const newest = open.at(-1);
  if (candidates.length > 1) return err({ reason: 'ambiguous-run', target, candidates });
  if (newest !== undefined) return ok(newest.commit);
  const run = await findRun(repo, branch, target);
  if (!run.ok) return run;
  const reports = run.value === undefined ? [] : await reportsOf({ repo, branch, emit }, run.value);
  const last = reports.at(-1);
  return last === undefined ? err({ reason: 'unknown-target', target }) : ok(last.commit);
}
