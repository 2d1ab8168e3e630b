import type { Sha256 } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import type { StoreError } from '../cluster/content-store.ts';
import { shareFolders } from '../cluster/shared-trees.ts';
import type { TreeEntry } from '../cluster/store-types.ts';
import type { GateContext } from './context.ts';
import type { Connection } from './place.ts';
import type { Prepared } from './prepare.ts';

/** How often what vanished between the look and the build is sent again: scratch file systems delete single old files. */
const repairs = 2;

type Files = Pick<Prepared, 'tree' | 'contents' | 'sources'>;

/** What of a tree the place has. */
export interface Looked {
  /** Contents that have to be sent. */
  readonly wanted: ReadonlySet<Sha256>;
  readonly folders: ReturnType<typeof shareFolders>;
  /** Shared folders that are there, by their keys: their paths. */
  readonly found: ReadonlyMap<string, string>;
}

/** A shared folder that is there answers for all of its files: they are not asked for one by one. */
export async function lookFor(
  { signal }: GateContext,
  { store }: Connection,
  { tree, contents }: Files,
): Promise<Result<Looked, StoreError>> {
  const folders = shareFolders(tree);
  const found = await store.findShared(folders.shared, signal);
  if (!found.ok) return found;
  const there = new Set<Sha256>();
  for (const { key, files } of folders.shared) {
    if (found.value.has(key)) for (const { sha256 } of files) there.add(sha256);
  }
  const lacking = await store.missing(
    contents.filter(({ sha256 }) => !there.has(sha256)),
    signal,
  );
  return lacking.ok ? ok({ wanted: new Set(lacking.value), folders, found: found.value }) : lacking;
}

/** A folder to be made, and what of the tree goes there. */
interface Part {
  readonly into: string;
  readonly has: (entry: TreeEntry) => boolean;
}
const isLinked = (entry: TreeEntry): boolean => entry.kind === 'file' && entry.as === 'link';
export const wholeIn = (folder: string): readonly Part[] => [{ into: `${folder}/tree`, has: () => true }];
/** What each task of an array has a copy of, and what it has links to. */
export const partsOf = (folder: string): readonly Part[] => [
  { into: `${folder}/pristine`, has: (entry) => !isLinked(entry) },
  { into: `${folder}/data`, has: isLinked },
];

/** Sends what is wanted, and makes the tree of what is there then. Gives what shared folders it leads to, as `in/trees` has it (docs/job.md). */
export async function layOut(
  context: GateContext,
  { store }: Connection,
  files: Files,
  looked: Looked,
  parts: readonly Part[],
): Promise<Result<string, StoreError>> {
  const found = new Map(looked.found);
  const made = new Set<Part>();
  let missing = looked.wanted;
  for (let tries = 0; ; tries++) {
    const of = bytesOf(files, missing);
    if (missing.size > 0) {
      const sent = await store.put(files.sources(missing), {
        signal: context.signal,
        total: of,
        onProgress: (bytes) => context.emit({ event: 'uploading', bytes, of }),
      });
      if (!sent.ok) return sent;
      // What had to be sent may have been damaged, and then so it is in a folder that links to it.
      for (const { key, files } of looked.folders.shared)
        if (files.some(({ sha256 }) => missing.has(sha256))) found.delete(key);
    }
    const built = await buildTree(context, store, looked.folders, found, parts, made);
    if (built.ok || built.error.reason !== 'missing' || tries === repairs) return built;
    missing = new Set(built.error.sha256s);
  }
}

async function buildTree(
  { signal }: GateContext,
  store: Connection['store'],
  { own, shared }: Looked['folders'],
  found: Map<string, string>,
  parts: readonly Part[],
  /** Those that are there: what was missing was missing in another. */
  done: Set<Part>,
): Promise<Result<string, StoreError>> {
  const tree = [...own];
  let list = '';
  for (const folder of shared) {
    let target = found.get(folder.key);
    if (target === undefined) {
      const made = await store.share(folder, signal);
      if (!made.ok) return made;
      target = made.value;
      found.set(folder.key, target);
    }
    tree.push({ kind: 'symlink', path: folder.path, target });
    list += `${target.slice(`${store.workdir}/trees/`.length, -'/tree'.length)} ${folder.path}\n`;
  }
  for (const part of parts.filter((one) => !done.has(one))) {
    const built = await store.materialise({ tree: tree.filter(part.has), into: part.into, as: 'copy', signal });
    if (!built.ok) return built;
    done.add(part);
  }
  return ok(list);
}

/** How much is to be sent. */
export const bytesOf = ({ contents }: Pick<Files, 'contents'>, wanted: ReadonlySet<Sha256>): number =>
  contents.reduce((sum, { sha256, size }) => sum + (wanted.has(sha256) ? size : 0), 0);
