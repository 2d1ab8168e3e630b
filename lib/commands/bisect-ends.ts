import type { Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { type ReportsContext, reportsOnCommits } from '../gate/known.ts';
import { firstParents, isAncestor, resolveCommit } from '../git/history.ts';
import type { BisectError, BisectOptions } from './bisect-types.ts';

/** How far back a pass is looked for. */
const farthest = 1000;

/** The two ends of the line, one of which leads to the other. */
export async function endsOf(
  options: Pick<BisectOptions, 'reports' | 'good' | 'bad'>,
): Promise<Result<{ readonly good: Oid; readonly bad: Oid }, BisectError>> {
  const { reports } = options;
  const { repo } = reports;
  const resolve = async (revision: string): Promise<Result<Oid, BisectError>> => {
    const found = await resolveCommit(repo, revision);
    if (found.ok) return found;
    const unknown = found.error.reason === 'unknown-revision';
    return err(unknown ? { reason: 'unknown-revision', revision } : { reason: 'git', cause: found.error });
  };
  const bad = await resolve(options.bad ?? 'HEAD');
  if (!bad.ok) return bad;
  const good = options.good === undefined ? await nearestPass(reports, bad.value) : await resolve(options.good);
  if (!good.ok) return good;
  if (good.value === bad.value) return err({ reason: 'same', commit: bad.value });
  const leads = await isAncestor(repo, good.value, bad.value);
  if (!leads.ok) return err({ reason: 'git', cause: leads.error });
  if (!leads.value) return err({ reason: 'not-ancestor', good: options.good ?? '', bad: options.bad ?? 'HEAD' });
  return ok({ good: good.value, bad: bad.value });
}

async function nearestPass(reports: ReportsContext, bad: Oid): Promise<Result<Oid, BisectError>> {
  const line = await firstParents(reports.repo, bad, farthest + 1);
  if (!line.ok) return err({ reason: 'git', cause: line.error });
  const [, ...before] = line.value;
  const passed = new Set<Oid>();
  for (const { commit, verdict } of await reportsOnCommits(reports, before)) {
    // The newest one counts.
    if (verdict?.kind === 'pass') passed.add(commit);
    if (verdict?.kind === 'fail') passed.delete(commit);
  }
  const found = before.find((commit) => passed.has(commit));
  return found === undefined ? err({ reason: 'no-good', commit: bad, searched: before.length }) : ok(found);
}
