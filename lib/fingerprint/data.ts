import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../base/canonical-json.ts';
import { asSha256, type Sha256 } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { PathEntry } from './data-entry.ts';
import type { DataError, Progress } from './errors.ts';
import { hashFile } from './hash-files.ts';
import { lfsPath } from './lfs.ts';
import { hashJson } from './meaning.ts';
import { type StatCache, statKey } from './stat-cache.ts';
import type { TrackedData, TrackedFile } from './tracked.ts';
import type { DataFile, DataSet } from './types.ts';
import { type FoundFile, walk } from './walk.ts';

export interface DataContext {
  /** Undefined in a bare repository: then only what is tracked. */
  readonly top: string | undefined;
  readonly commonDir: string;
  readonly cache: StatCache;
  /** In git's index. What is there and not in the commit belongs to another commit. */
  readonly isIndexed: (path: string) => boolean;
  readonly nowNs: () => bigint;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  readonly onFileRead: (bytes: number) => void;
}

export type DataPart = { readonly sets: Readonly<Record<string, DataSet>>; readonly files: Manifests };
export type Manifests = Readonly<Record<string, readonly DataFile[]>>;
type Stopped = { readonly reason: 'aborted'; readonly progress: Progress };

interface Found {
  readonly entry: PathEntry;
  readonly tracked: TrackedData;
  readonly untracked: readonly FoundFile[];
}

/** Every entry's files by content: tracked ones from the commit, the others from the worktree as it is now. */
export async function dataPart(
  context: DataContext,
  entries: readonly PathEntry[],
  tracked: readonly TrackedData[],
): Promise<Result<DataPart, DataError | Stopped>> {
  const found: Found[] = [];
  for (const [index, entry] of entries.entries()) {
    const one = findFiles(context, entry, tracked[index] ?? { files: [], links: [], submodules: [] });
    if (!one.ok) return one;
    found.push(one.value);
  }
  const hashed = await hashAll(context, found);
  if (!hashed.ok) return hashed;
  const manifests = found.map(({ entry, tracked, untracked }) => {
    const files = [
      ...tracked.files.map((file) => trackedFile(context, file)),
      ...untracked.map((file) => worktreeFile(context, file, hashed.value)),
    ].sort((a, b) => (a.path < b.path ? -1 : 1));
    return [entry.name, files, dataSet(files, entry.writable)] as const;
  });
  return ok({
    sets: Object.fromEntries(manifests.map(([name, , set]) => [name, set])),
    files: Object.fromEntries(manifests.map(([name, files]) => [name, files])),
  });
}

/** The entry's hash: over paths and contents alone. docs/fingerprint.md, "Data". */
export function dataSet(files: readonly DataFile[], writable: boolean): DataSet {
  const contents: Json = Object.fromEntries(files.map((file) => [file.path, file.sha256]));
  return {
    hash: hashJson({ files: contents }),
    files: files.length,
    bytes: files.reduce((sum, file) => sum + file.size, 0),
    writable,
  };
}

function findFiles(context: DataContext, entry: PathEntry, tracked: TrackedData): Result<Found, DataError> {
  const known = new Set(tracked.files.map((file) => file.path));
  const links = new Set(tracked.links);
  let untracked: readonly FoundFile[] = [];
  if (context.top !== undefined) {
    const walked = walk(context.top, entry.base, entry.matches, (path) => known.has(path));
    if (!walked.ok) return err({ ...walked.error, entry: entry.name });
    // A link that is tracked itself leads to content that is not.
    const kept = (path: string) => !context.isIndexed(path) || links.has(path);
    untracked = walked.value.filter(({ path }) => !known.has(path) && kept(path));
  }
  const below = (folder: string) => untracked.some(({ path }) => path === folder || path.startsWith(`${folder}/`));
  const lost = (path: string, reason: 'broken-link' | 'submodule-missing') =>
    err({ reason, entry: entry.name, path, detail: 'not in the worktree' });
  for (const path of tracked.links) if (!below(path)) return lost(path, 'broken-link');
  for (const path of tracked.submodules) if (!below(path)) return lost(path, 'submodule-missing');
  if (known.size + untracked.length === 0) return err({ reason: 'no-match', entry: entry.name, glob: entry.glob });
  return ok({ entry, tracked, untracked });
}

type Contents = ReadonlyMap<string, { readonly sha256: Sha256; readonly size: number }>;

async function hashAll(context: DataContext, found: readonly Found[]): Promise<Result<Contents, DataError | Stopped>> {
  const contents = new Map<string, { readonly sha256: Sha256; readonly size: number }>();
  const missing: { readonly entry: string; readonly file: FoundFile }[] = [];
  let [ofBytes, bytes, ofFiles] = [0, 0, 0];
  for (const { entry, untracked } of found) {
    for (const file of untracked) {
      const size = Number(file.stat.size);
      const sha256 = context.cache.get(file.path, statKey(file.stat));
      ofFiles += 1;
      ofBytes += size;
      if (sha256 === undefined) missing.push({ entry: entry.name, file });
      else {
        contents.set(file.path, { sha256, size });
        bytes += size;
      }
    }
  }
  const progress = (): Progress => ({ files: contents.size, ofFiles, bytes, ofBytes });
  let yielded = context.nowNs();
  for (const { entry, file } of missing) {
    // Small files are read synchronously: let signals and timers in now and then.
    if (context.nowNs() - yielded > 20_000_000n) {
      await new Promise(setImmediate);
      yielded = context.nowNs();
      context.onProgress?.(progress());
    }
    if (context.signal?.aborted) return err({ reason: 'aborted', progress: progress() });
    if (contents.has(file.path)) continue;
    const hashed = await hashFile(`${context.top}/${file.path}`, context.nowNs, context.signal);
    if (!hashed.ok) {
      const { error } = hashed;
      if (error.reason === 'aborted') return err({ reason: 'aborted', progress: progress() });
      return err({ ...error, entry, path: file.path });
    }
    const { sha256, size, key, settled } = hashed.value;
    context.onFileRead(size);
    if (settled) context.cache.set(file.path, key, sha256);
    contents.set(file.path, { sha256: asSha256(sha256), size });
    bytes += size;
  }
  return ok(contents);
}

function worktreeFile(context: DataContext, { path }: FoundFile, contents: Contents): DataFile {
  const content = contents.get(path);
  if (content === undefined) throw new Error(`not hashed: ${path}`);
  return { path, ...content, source: { kind: 'worktree', path: join(context.top ?? '', path) } };
}

function trackedFile(context: DataContext, { path, oid, sha256, size, lfs }: TrackedFile): DataFile {
  if (!lfs) return { path, sha256, size, source: { kind: 'blob', oid } };
  const stored = lfsPath(context.commonDir, sha256);
  const there = statSync(stored, { throwIfNoEntry: false })?.size === size;
  return { path, sha256, size, ...(there ? { source: { kind: 'lfs' as const, path: stored } } : {}) };
}
