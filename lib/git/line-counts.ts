import type { Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import type { GitError } from './errors.ts';
import { type GitPlace, git } from './spawn.ts';

export interface LineCount {
  readonly added: number;
  readonly removed: number;
}

/** How many lines of these files came and went between two commits. Binary files are left out: they have no lines. */
export async function lineCounts(
  place: GitPlace,
  before: Oid,
  after: Oid,
  paths: readonly string[],
): Promise<Result<ReadonlyMap<string, LineCount>, GitError>> {
  const counts = new Map<string, LineCount>();
  if (paths.length === 0) return ok(counts);
  // Without --literal-pathspecs a file named `a[1].py` would be a pattern; a filter of the user's would count its own lines.
  const args = ['--literal-pathspecs', 'diff-tree', '-r', '-z', '--numstat', '--no-renames', '--no-textconv'];
  const output = await git(place, [...args, '--no-ext-diff', before, after, '--', ...paths]);
  if (!output.ok) return output;
  for (const field of output.value.stdout.toString('utf8').split('\0')) {
    const [, added, removed, path] = /^(\d+)\t(\d+)\t(.*)$/s.exec(field) ?? [];
    if (path !== undefined) counts.set(path, { added: Number(added), removed: Number(removed) });
  }
  return ok(counts);
}
