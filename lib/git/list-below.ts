import { isUtf8 } from 'node:buffer';
import { asOid, type Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import { catFile } from './cat-file.ts';
import type { GitError } from './errors.ts';
import type { GitPlace } from './spawn.ts';

export interface BlobBelow {
  readonly path: string;
  readonly oid: Oid;
}

/**
 * Plain files of a commit whose path begins with one of the prefixes, sorted. Level by level, each with one process, and only into folders
 * that lead to one: of a hundred thousand reports beside each other, a few are read at the price of a few.
 */
export async function listBelow(
  place: GitPlace,
  commit: Oid,
  prefixes: readonly string[],
): Promise<Result<readonly BlobBelow[], GitError>> {
  const distinct = withoutNested(prefixes);
  const isWanted = beginsWithOneOf(distinct);
  const folders = new Set(distinct.map((prefix) => prefix.slice(0, prefix.lastIndexOf('/') + 1)));
  const found: BlobBelow[] = [];
  // A name with a line feed in it cannot be asked for, and none of ours has one.
  let level = [...folders]
    .filter((folder) => !folder.includes('\n'))
    .map((folder) => ({ folder, name: `${commit}:${folder}` }));
  while (level.length > 0) {
    const next: typeof level = [];
    const read = await catFile(
      place,
      level.map(({ name }) => name),
      (index, object) => {
        const folder = level[index]?.folder ?? '';
        if (object?.type !== 'tree') return;
        for (const { mode, name, oid } of treeEntries(object.content, object.oid.length / 2)) {
          const path = `${folder}${name}`;
          if (!isWanted(path)) continue;
          if (mode === '40000') next.push({ folder: `${path}/`, name: oid });
          // A link or a submodule on the branch is not ours.
          else if (mode === '100644') found.push({ path, oid });
        }
      },
    );
    if (!read.ok) return read;
    level = next;
  }
  return ok(found.sort((a, b) => (a.path < b.path ? -1 : 1)));
}

/** `MODE NAME\0` and the bare bytes of the object's name, for each entry (tree-walk.c). A name that is not UTF-8 is not ours. */
function* treeEntries(
  bytes: Buffer,
  oidBytes: number,
): Generator<{ readonly mode: string; readonly name: string; readonly oid: Oid }> {
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(32, at);
    const end = bytes.indexOf(0, space);
    const name = bytes.subarray(space + 1, end);
    const oid = bytes.toString('hex', end + 1, end + 1 + oidBytes);
    if (isUtf8(name)) yield { mode: bytes.toString('latin1', at, space), name: name.toString('utf8'), oid: asOid(oid) };
    at = end + 1 + oidBytes;
  }
}

/** Sorted, and without those that begin with another: what is below them is found already. */
function withoutNested(prefixes: readonly string[]): readonly string[] {
  const distinct: string[] = [];
  for (const prefix of [...new Set(prefixes)].sort()) {
    const last = distinct.at(-1);
    if (last === undefined || !prefix.startsWith(last)) distinct.push(prefix);
  }
  return distinct;
}

/** Thousands of prefixes and a hundred thousand paths: each path is compared with one, the last that sorts before it. */
function beginsWithOneOf(distinct: readonly string[]): (path: string) => boolean {
  return (path) => {
    let [low, high] = [0, distinct.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((distinct[middle] ?? '') <= path) low = middle + 1;
      else high = middle;
    }
    const nearest = distinct[low - 1];
    return nearest !== undefined && path.startsWith(nearest);
  };
}
