import type { Fingerprint, Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import { knownVerdict, type ReportsContext, reportsOnCommits } from '../gate/known.ts';
import type { GitError } from '../git/errors.ts';
import { firstParents, tips } from '../git/history.ts';
import { readNotes } from '../git/notes.ts';

/** How far back from a tip its verdict is looked for: as far as a baseline is (gate/baseline.ts). */
const farthest = 100;

/**
 * The runs that HEAD, the branches and the tags of this clone stand on: all that judged the commit there, back to the nearest first parent
 * with a verdict about the model. It is what a push of them is compared with.
 */
export async function runsOfTips(context: ReportsContext): Promise<Result<ReadonlySet<Fingerprint>, GitError>> {
  const commits = await tips(context.repo);
  if (!commits.ok) return commits;
  const runs = new Set<Fingerprint>();
  for (const tip of commits.value) {
    const found = await runsOf(context, tip);
    if (!found.ok) return found;
    for (const run of found.value) runs.add(run);
  }
  return ok(runs);
}

async function runsOf(context: ReportsContext, tip: Oid): Promise<Result<readonly Fingerprint[], GitError>> {
  const line = await firstParents(context.repo, tip, farthest + 1);
  if (!line.ok) return line;
  const notes = await readNotes(context.repo, line.value);
  if (!notes.ok) return notes;
  const runs: Fingerprint[] = [];
  for (const commit of line.value.filter((each) => notes.value.has(each))) {
    const reports = await reportsOnCommits(context, [commit]);
    runs.push(...reports.map(({ fingerprint }) => fingerprint));
    if (knownVerdict(reports) !== undefined) break;
  }
  return ok(runs);
}
