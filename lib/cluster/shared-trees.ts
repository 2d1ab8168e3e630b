import { createHash } from 'node:crypto';
import type { SharedFolder, TreeEntry } from './store-types.ts';
import { pathBytes } from './tree-paths.ts';

/** Smaller folders are linked file by file: steps may then make files of their own beside the data. */
const least = 5000;

/**
 * What of a tree is worth being made once and linked as a whole: folders of the top in which there is nothing but many data files that are links
 * anyway. Not folders below them: `os.walk("data")` does not go through a link that it finds on its way, and would see a part of the data in
 * silence. Paths are compared as bytes, since git's need not be UTF-8.
 */
export function shareFolders(tree: readonly TreeEntry[]): {
  readonly own: readonly TreeEntry[];
  readonly shared: readonly SharedFolder[];
} {
  const paths = tree.map(({ path }) => pathBytes(path).toString('latin1'));
  const all = new Map<string, number>();
  const linked = new Map<string, number>();
  for (const [index, path] of paths.entries()) {
    const entry = tree[index];
    const folder = topOf(path);
    all.set(folder, (all.get(folder) ?? 0) + 1);
    if (entry?.kind === 'file' && entry.as === 'link' && !entry.executable)
      linked.set(folder, (linked.get(folder) ?? 0) + 1);
  }
  const isShared = (folder: string): boolean => {
    const count = linked.get(folder) ?? 0;
    return folder !== '' && count >= least && count === all.get(folder);
  };
  const own: TreeEntry[] = [];
  const shared = new Map<string, (TreeEntry & { readonly kind: 'file' })[]>();
  for (const [index, path] of paths.entries()) {
    const entry = tree[index];
    const top = topOf(path);
    if (entry === undefined) continue;
    if (!isShared(top) || entry.kind !== 'file') {
      own.push(entry);
      continue;
    }
    const files = shared.get(top) ?? [];
    if (files.length === 0) shared.set(top, files);
    files.push({ ...entry, path: pathBytes(entry.path).subarray(top.length + 1) });
  }
  return {
    own,
    shared: [...shared].map(([top, files]) => ({
      path: Buffer.from(top, 'latin1').toString(),
      key: keyOf(files),
      files,
    })),
  };
}

/** The first folder of a path; empty for what is in none. */
const topOf = (path: string): string => path.slice(0, Math.max(0, path.indexOf('/')));

/** Equal where the same contents have the same names. */
function keyOf(files: SharedFolder['files']): string {
  const lines = files.map(({ path, sha256 }) => `${sha256} ${pathBytes(path).toString('latin1')}`).sort();
  return createHash('sha256').update(lines.join('\0'), 'latin1').digest('hex');
}
