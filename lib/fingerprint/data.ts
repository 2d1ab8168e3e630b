import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { asSha256, type Sha256 } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { PathEntry } from './data-entry.ts';
import { dataSet } from './data-set.ts';
import { isContentOf } from './dvc-cache.ts';
import { dvcFiles } from './dvc-files.ts';
import type { DvcPointers } from './dvc-pointers.ts';
import type { DataError, Progress } from './errors.ts';
import { hashMany } from './hash-many.ts';
import { syncHasher } from './hash-sync.ts';
import { lfsPath } from './lfs.ts';
import type { StatCache } from './stat-cache.ts';
import { noTrackedData, type TrackedData, type TrackedFile } from './tracked.ts';
import type { DataFile, DataSet } from './types.ts';
import { type FoundFile, walk } from './walk.ts';

export interface DataContext {
  /** Undefined in a bare repository: then only what is tracked. */
  readonly top: string | undefined;
  readonly commonDir: string;
  readonly dvc: DvcPointers;
  readonly cache: StatCache;
  /** Paths of git's index. What is there and not in the commit belongs to another commit. */
  readonly indexed: Promise<ReadonlySet<string>>;
  readonly nowNs: () => bigint;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
  readonly onFileRead: (bytes: number) => void;
}

export interface DataPart {
  readonly sets: Readonly<Record<string, DataSet>>;
  /** Made when asked for: where nothing changed nobody asks, and 10,000 objects take a while. */
  readonly files: Readonly<Record<string, readonly DataFile[]>>;
}
type Stopped = { readonly reason: 'aborted'; readonly progress: Progress };

interface Found {
  readonly entry: PathEntry;
  readonly tracked: TrackedData;
  readonly untracked: readonly FoundFile[];
  readonly digest: string;
}
type Contents = (file: FoundFile) => { readonly sha256: Sha256; readonly size: number };

/** Every entry's files by content: tracked ones from the commit, the others from the worktree as it is now. */
export async function dataPart(
  context: DataContext,
  entries: readonly PathEntry[],
  tracked: readonly TrackedData[],
): Promise<Result<DataPart, DataError | Stopped>> {
  const found: Found[] = [];
  for (const [index, entry] of entries.entries()) {
    const one = await findFiles(context, entry, tracked[index] ?? noTrackedData);
    if (!one.ok) return one;
    found.push(one.value);
  }
  const changed = found.filter(({ entry, digest }) => context.cache.listing(entry.name, digest) === undefined);
  const hashed = await hashAll(context, changed);
  if (!hashed.ok) return hashed;
  const { fresh, unsettled } = hashed.value;
  const contents: Contents = (file) => {
    const content = fresh.get(file.path) ?? contentOf(context.cache, file);
    return content ?? contentNow(context, file);
  };
  const sets = found.map((one) => [one.entry.name, setOf(context, one, contents, unsettled)] as const);
  context.cache.prune(
    (path) => entries.some((entry) => entry.matches(path)),
    () => new Set(found.flatMap(({ untracked }) => untracked.map((file) => file.path))),
    new Map(found.map(({ entry, digest }) => [entry.name, digest])),
  );
  return ok({ sets: Object.fromEntries(sets), files: lazily(found, (one) => filesOf(context, one, contents)) });
}

function setOf(context: DataContext, found: Found, contents: Contents, unsettled: ReadonlySet<string>): DataSet {
  const { entry, digest, tracked, untracked } = found;
  const known = context.cache.listing(entry.name, digest);
  if (known !== undefined) {
    return { hash: known.hash, files: known.files, bytes: known.bytes, writable: entry.writable };
  }
  const set = dataSet(
    [...tracked.files, ...untracked.map((file) => ({ path: file.path, ...contents(file) }))],
    entry.writable,
  );
  // A file whose stat proves nothing yet must be read again next time.
  if (!untracked.some((file) => unsettled.has(file.path))) {
    context.cache.setListing(entry.name, { digest, hash: set.hash, files: set.files, bytes: set.bytes });
  }
  return set;
}

function filesOf(context: DataContext, { tracked, untracked }: Found, contents: Contents): readonly DataFile[] {
  const files = [
    ...tracked.files.map((file) => trackedFile(context, file)),
    ...untracked.map((file): DataFile => {
      const source =
        file.cached === undefined
          ? { kind: 'worktree' as const, path: `${context.top}/${file.path}` }
          : { kind: 'dvc' as const, path: file.cached.file };
      return { path: file.path, ...contents(file), source };
    }),
  ];
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

function lazily(
  found: readonly Found[],
  make: (found: Found) => readonly DataFile[],
): Readonly<Record<string, readonly DataFile[]>> {
  const files: Record<string, readonly DataFile[]> = {};
  for (const one of found) {
    let made: readonly DataFile[] | undefined;
    const get = () => {
      made ??= make(one);
      return made;
    };
    Object.defineProperty(files, one.entry.name, { enumerable: true, configurable: true, get });
  }
  return files;
}

async function findFiles(
  context: DataContext,
  entry: PathEntry,
  tracked: TrackedData,
): Promise<Result<Found, DataError>> {
  const known = new Set(tracked.files.map((file) => file.path));
  let untracked: readonly FoundFile[] = [];
  if (context.top !== undefined) {
    const walked = walk(context.top, entry.base, entry.matches, (path) => known.has(path));
    if (!walked.ok) return err({ ...walked.error, entry: entry.name });
    const indexed = await context.indexed;
    const links = new Set(tracked.links);
    // A link that is tracked itself leads to content that is not.
    untracked = walked.value.filter(({ path }) => !known.has(path) && (!indexed.has(path) || links.has(path)));
  }
  if (context.dvc.outputs.length + context.dvc.unreadable.length > 0) {
    const present = new Set([...known, ...untracked.map(({ path }) => path)]);
    const cached = dvcFiles(context, entry, present);
    if (!cached.ok) return err({ ...cached.error, entry: entry.name });
    untracked = [...untracked, ...cached.value];
  }
  const below = (folder: string) => untracked.some(({ path }) => path === folder || path.startsWith(`${folder}/`));
  const lost = (path: string, reason: 'broken-link' | 'submodule-missing') =>
    err({ reason, entry: entry.name, path, detail: 'not in the worktree' });
  for (const path of tracked.links) if (!below(path)) return lost(path, 'broken-link');
  for (const path of tracked.submodules) if (!below(path)) return lost(path, 'submodule-missing');
  if (known.size + untracked.length === 0) return err({ reason: 'no-match', entry: entry.name, glob: entry.glob });
  return ok({ entry, tracked, untracked, digest: digestOf(tracked, untracked) });
}

/** In pieces: of a million files the whole text would be held twice. */
function digestOf(tracked: TrackedData, untracked: readonly FoundFile[]): string {
  const hash = createHash('sha256');
  let piece = `${tracked.digest}\0`;
  for (const [index, { path, key }] of untracked.entries()) {
    piece += index === 0 ? `${key} ${path}` : `\0${key} ${path}`;
    if (piece.length < 65_536) continue;
    hash.update(piece);
    piece = '';
  }
  return hash.update(piece).digest('hex');
}

let readNow: ReturnType<typeof syncHasher> | undefined;

/** The listing holds, and what is known of its files does not (damage, another process): read once more. */
function contentNow({ top }: DataContext, file: FoundFile): { readonly sha256: Sha256; readonly size: number } {
  readNow ??= syncHasher(createRequire(import.meta.url));
  const read = readNow(file.cached?.file ?? `${top}/${file.path}`, Number.POSITIVE_INFINITY);
  if (!('state' in read) || read.state !== 'read') throw new Error(`cannot be read: ${file.path}`);
  return { sha256: asSha256(read.sha256), size: read.bytes };
}

const contentOf = (cache: StatCache, { path, key, size }: FoundFile) => {
  const sha256 = cache.get(path, key);
  return sha256 === undefined ? undefined : { sha256, size };
};

interface Hashed {
  /** What the cache cannot tell, because its stat does not prove it yet or is no longer what was listed. */
  readonly fresh: ReadonlyMap<string, { readonly sha256: Sha256; readonly size: number }>;
  readonly unsettled: ReadonlySet<string>;
}

async function hashAll(context: DataContext, found: readonly Found[]): Promise<Result<Hashed, DataError | Stopped>> {
  const { cache, nowNs, signal } = context;
  const fresh = new Map<string, { readonly sha256: Sha256; readonly size: number }>();
  const unsettled = new Set<string>();
  const { missing, ofFiles, ofBytes } = notInCache(context, found);
  let files = ofFiles - missing.length;
  let bytes = missing.reduce((sum, { size }) => sum - size, ofBytes);
  const progress = (): Progress => ({ files, ofFiles, bytes, ofBytes });
  const entryOf = (file: FoundFile) => found.find(({ untracked }) => untracked.includes(file))?.entry.name ?? '';
  const placeOf = (file: FoundFile) => file.cached?.file ?? `${context.top}/${file.path}`;
  let told = nowNs();
  for await (const [file, hashed] of hashMany(missing, placeOf, nowNs, signal)) {
    if (!hashed.ok) {
      const { error } = hashed;
      if (error.reason === 'aborted') return err({ reason: 'aborted', progress: progress() });
      return err({ ...error, entry: entryOf(file), path: file.path });
    }
    const { cached } = file;
    if (cached !== undefined && !(await isContentOf(cached.file, cached.md5, cached.old, signal))) {
      if (signal?.aborted) return err({ reason: 'aborted', progress: progress() });
      return err({ reason: 'dvc-damaged', entry: entryOf(file), path: file.path, detail: cached.file });
    }
    const { sha256, size, settled } = hashed.value;
    const key = cached === undefined ? hashed.value.key : `${cached.md5} ${hashed.value.key}`;
    const isListed = key === file.key;
    context.onFileRead(size);
    // The listing's own string: a million equal ones need not be kept twice.
    if (settled) cache.set(file.path, isListed ? file.key : key, sha256);
    // Changed since it was listed: the listing is not what was read.
    if (!settled || !isListed) {
      unsettled.add(file.path);
      fresh.set(file.path, { sha256, size });
    }
    files += 1;
    bytes += size;
    if (nowNs() - told > 20_000_000n) {
      told = nowNs();
      context.onProgress?.(progress());
    }
  }
  return ok({ fresh, unsettled });
}

/** What has to be read, once each: entries may overlap. */
function notInCache({ cache }: DataContext, found: readonly Found[]) {
  const seen = new Set<string>();
  const missing: FoundFile[] = [];
  let [ofFiles, ofBytes] = [0, 0];
  for (const { untracked } of found) {
    for (const file of untracked) {
      if (found.length > 1) {
        if (seen.has(file.path)) continue;
        seen.add(file.path);
      }
      ofFiles += 1;
      ofBytes += file.size;
      if (contentOf(cache, file) === undefined) missing.push(file);
    }
  }
  return { missing, ofFiles, ofBytes };
}

function trackedFile(context: DataContext, { path, oid, sha256, size, lfs }: TrackedFile): DataFile {
  if (!lfs) return { path, sha256, size, source: { kind: 'blob', oid } };
  const stored = lfsPath(context.commonDir, sha256);
  const there = statSync(stored, { throwIfNoEntry: false })?.size === size;
  return { path, sha256, size, ...(there ? { source: { kind: 'lfs' as const, path: stored } } : {}) };
}
