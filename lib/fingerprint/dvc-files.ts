import { statSync } from 'node:fs';
import { err, ok, type Result } from '../base/result.ts';
import type { PathEntry } from './data-entry.ts';
import { cachedFile, dvcCacheFolder, dvcListing } from './dvc-cache.ts';
import type { DvcOutput, DvcPointers } from './dvc-pointers.ts';
import { statKey } from './stat-cache.ts';
import type { FoundFile, WalkProblem } from './walk.ts';

/**
 * Of an entry: what the commit's pointers say is there, and is not, from DVC's cache. What is in the worktree counts as it is, like everything
 * that git does not track.
 */
export function dvcFiles(
  context: { readonly top: string | undefined; readonly dvc: DvcPointers },
  entry: PathEntry,
  present: ReadonlySet<string>,
): Result<readonly FoundFile[], WalkProblem> {
  const { top, dvc } = context;
  const broken = dvc.unreadable.find(({ path }) => entry.matches(path) && !isThere(present, path));
  if (broken !== undefined) return err({ reason: 'dvc-unreadable', path: broken.pointer, detail: broken.detail });
  const found: FoundFile[] = [];
  for (const output of dvc.outputs) {
    if (!concerns(entry, output)) continue;
    const missing = (path: string, looked: string) => err({ reason: 'dvc-missing', path, detail: looked } as const);
    // Of a commit alone nothing can be known: its pointers have no SHA-256.
    if (top === undefined) {
      if (isThere(present, output.path)) continue;
      return missing(output.path, `${output.pointer} of the commit`);
    }
    const cache = dvcCacheFolder(top, output.pointer);
    const looked = `${output.pointer} says MD5 ${output.md5}${output.folder ? '.dir' : ''}; the cache is ${cache}`;
    const files = filesOf(output, cache);
    if (!files.ok) return err({ reason: 'dvc-damaged', path: output.path, detail: files.error });
    if (files.value === undefined) {
      // Which files belong to the folder is not known here: it counts as it is.
      if (isThere(present, output.path)) continue;
      return missing(output.path, looked);
    }
    for (const { path, md5 } of files.value) {
      if (!entry.matches(path) || present.has(path)) continue;
      const file = cachedFile(cache, md5, output.old);
      const stat = file === undefined ? undefined : statSync(file, { bigint: true, throwIfNoEntry: false });
      if (file === undefined || stat === undefined) return missing(path, looked);
      const cached = { file, md5, old: output.old };
      found.push({ path, key: `${md5} ${statKey(stat)}`, size: Number(stat.size), cached });
    }
  }
  return ok(found);
}

function filesOf(
  output: DvcOutput,
  cache: string,
): Result<readonly { readonly path: string; readonly md5: string }[] | undefined, string> {
  if (!output.folder) return ok([{ path: output.path, md5: output.md5 }]);
  const listed = dvcListing(cache, output);
  if (!listed.ok || listed.value === undefined) return listed;
  return ok(listed.value.map(({ path, md5 }) => ({ path: `${output.path}/${path}`, md5 })));
}

/** The output is of the entry, or has it in it. */
const concerns = (entry: PathEntry, { path, folder }: DvcOutput): boolean =>
  entry.matches(path) ||
  (folder && (entry.base === '' || path.startsWith(`${entry.base}/`) || `${entry.base}/`.startsWith(`${path}/`)));

function isThere(present: ReadonlySet<string>, path: string): boolean {
  if (present.has(path)) return true;
  for (const one of present) if (one.startsWith(`${path}/`)) return true;
  return false;
}
