import { createHash } from 'node:crypto';
import type { SharedFile, SharedFolder, TreeEntry } from './store-types.ts';

/** Smaller folders are linked file by file: steps may then make files of their own beside the data. */
const least = 5000;

/**
 * What of a tree is worth being made once and linked as a whole: folders of the top in which there is nothing but many data files that are links
 * anyway. Not folders below them: `os.walk("data")` does not go through a link that it finds on its way, and would see a part of the data in
 * silence.
 */
export function shareFolders(tree: readonly TreeEntry[]): {
  readonly own: readonly TreeEntry[];
  readonly shared: readonly SharedFolder[];
} {
  const byTop = new Map<string, TreeEntry[]>();
  for (const entry of tree) {
    const top = topOf(entry);
    const entries = byTop.get(top);
    if (entries === undefined) byTop.set(top, [entry]);
    else entries.push(entry);
  }
  const own: TreeEntry[] = [];
  const shared: SharedFolder[] = [];
  for (const [path, entries] of byTop) {
    if (path === '' || entries.length < least || !entries.every(isData)) {
      for (const entry of entries) own.push(entry);
      continue;
    }
    const files = entries.map((entry) => ({ ...entry, path: entry.path.slice(path.length + 1) }));
    shared.push({ path, key: keyOf(files), files });
  }
  return { own, shared };
}

/** The first folder of a path; empty for what is in none. Bytes that are not UTF-8 may seem to be in another one: then that is not shared. */
function topOf({ path }: TreeEntry): string {
  const text = typeof path === 'string' ? path : Buffer.from(path).toString();
  return text.slice(0, Math.max(0, text.indexOf('/')));
}

const isData = (entry: TreeEntry): entry is SharedFile =>
  entry.kind === 'file' && entry.as === 'link' && !entry.executable && typeof entry.path === 'string';

/** Equal where the same contents have the same names. Data comes sorted: then 100,000 files take 50 ms. */
function keyOf(files: readonly SharedFile[]): string {
  const isSorted = files.every(({ path }, index) => index === 0 || (files[index - 1]?.path ?? '') < path);
  const sorted = isSorted ? files : [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const lines = sorted.map(({ path, sha256 }) => `${sha256} ${path}`);
  return createHash('sha256').update(lines.join('\0')).digest('hex');
}
