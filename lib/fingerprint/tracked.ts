import { createHash } from 'node:crypto';
import { asSha256, type Oid, type Sha256 } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { type BlobError, blobSizes, openBlob, readBlobs } from '../git/blobs.ts';
import type { GitError } from '../git/errors.ts';
import type { GitPlace } from '../git/spawn.ts';
import type { TreeEntry } from '../git/tree.ts';
import { type ContentFact, contentFacts } from './blob-cache.ts';
import type { PathEntry } from './data-entry.ts';
import { lfsPointer } from './lfs.ts';
import { hashBytes, hashText } from './meaning.ts';

/** A data file of the commit's tree. `link` is a symlink: followed in the tree if it leads there, else in the worktree. */
export interface TrackedFile {
  readonly path: string;
  readonly oid: Oid;
  readonly sha256: Sha256;
  readonly size: number;
  readonly lfs: boolean;
}
export interface TrackedData {
  readonly files: readonly TrackedFile[];
  /** Symlinks of the tree that lead out of it. */
  readonly links: readonly string[];
  readonly submodules: readonly string[];
  /** Equal where all of the above is. */
  readonly digest: string;
}
export const noTrackedData: TrackedData = { files: [], links: [], submodules: [], digest: '' };

export interface TrackedContext {
  readonly place: GitPlace;
  readonly stateDir: string;
  readonly tree: readonly TreeEntry[];
  readonly onBlobRead: (bytes: number) => void;
  readonly onDamaged: (path: string) => void;
  readonly signal?: AbortSignal;
}

const batchBytes = 64 << 20;
const maxLinks = 40;

/** What the commit itself holds of the data, by content, in one pass over the objects. Undefined: aborted. */
export async function trackedData(
  context: TrackedContext,
  entries: readonly PathEntry[],
): Promise<Result<readonly TrackedData[] | undefined, BlobError>> {
  const cache = contentFacts(context.stateDir);
  if (cache.damaged !== undefined) context.onDamaged(cache.damaged);
  const wanted = entries.map((entry) => context.tree.filter(({ path }) => entry.matches(path)));
  const byPath = new Map(context.tree.map((entry) => [entry.path, entry]));
  const resolved = await resolveLinks(context.place, wanted.flat(), byPath);
  if (!resolved.ok) return resolved;
  const regular = [...wanted.flat(), ...resolved.value.values()].filter((file) => isRegular(file));
  const missing = [...new Set(regular.map((file) => file.oid).filter((oid) => !cache.has(oid)))];
  const hashed = await hashBlobs(context, missing, (oid, fact) => cache.set(oid, fact));
  cache.save();
  if (!hashed.ok) return hashed;
  if (missing.some((oid) => !cache.has(oid))) return ok(undefined);

  const tracked = (path: string, oid: Oid): TrackedFile => {
    const [sha256 = '', size, lfs] = (cache.get(oid) ?? '').split(' ');
    return { path, oid, sha256: asSha256(sha256), size: Number(size), lfs: lfs !== undefined };
  };
  return ok(
    wanted.map((files) =>
      withDigest({
        files: files.flatMap((file) => {
          const target = resolved.value.get(file.path) ?? file;
          return isRegular(target) ? [tracked(file.path, target.oid)] : [];
        }),
        links: files.filter((file) => file.mode === '120000' && !resolved.value.has(file.path)).map(({ path }) => path),
        submodules: files.filter((file) => file.mode === '160000').map(({ path }) => path),
      }),
    ),
  );
}

const withDigest = (data: Omit<TrackedData, 'digest'>): TrackedData => ({
  ...data,
  digest: hashText(JSON.stringify(data)),
});

const isRegular = (entry: TreeEntry) => entry.mode === '100644' || entry.mode === '100755';

/** Links to files of the same tree count by those; others are not in the answer. */
async function resolveLinks(
  place: GitPlace,
  files: readonly TreeEntry[],
  byPath: ReadonlyMap<string, TreeEntry>,
): Promise<Result<ReadonlyMap<string, TreeEntry>, BlobError>> {
  const targets = new Map<string, TreeEntry>();
  let at = new Map(files.filter((file) => file.mode === '120000').map((file) => [file.path, file]));
  for (let step = 0; at.size > 0 && step < maxLinks; step++) {
    const texts = new Map<Oid, string>();
    const read = await readBlobs(place, [...new Set([...at.values()].map((link) => link.oid))], (oid, content) => {
      texts.set(oid, content.toString('utf8'));
    });
    if (!read.ok) return read;
    const next = new Map<string, TreeEntry>();
    for (const [path, link] of at) {
      const target = byPath.get(follow(link.path, texts.get(link.oid) ?? ''));
      if (target === undefined || target.mode === '160000') continue;
      if (target.mode === '120000') next.set(path, target);
      else targets.set(path, target);
    }
    at = next;
  }
  return ok(targets);
}

/** Where a link at `from` leads, as a path from the top; empty where that is outside. */
function follow(from: string, target: string): string {
  if (target.startsWith('/')) return '';
  const parts = from.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined) return '';
    } else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** Small blobs a batch at a time, so that a deadline is heard; a large one as a stream of its own. */
async function hashBlobs(
  context: TrackedContext,
  oids: readonly Oid[],
  onFact: (oid: Oid, fact: ContentFact) => void,
): Promise<Result<void, BlobError>> {
  const sizes = await blobSizes(context.place, oids);
  if (!sizes.ok) return sizes;
  for (const batch of batches(oids, (oid) => sizes.value.get(oid) ?? 0)) {
    if (context.signal?.aborted) return ok(undefined);
    const [first] = batch;
    const size = first === undefined ? 0 : (sizes.value.get(first) ?? 0);
    if (first !== undefined && size > batchBytes) {
      const hash = await hashStream(context.place, first);
      if (!hash.ok) return hash;
      context.onBlobRead(size);
      onFact(first, `${hash.value} ${size}`);
      continue;
    }
    const read = await readBlobs(context.place, batch, (oid, content) => {
      context.onBlobRead(content.length);
      const pointer = lfsPointer(content);
      onFact(oid, pointer ? `${pointer.sha256} ${pointer.size} lfs` : `${hashBytes(content)} ${content.length}`);
    });
    if (!read.ok) return read;
  }
  return ok(undefined);
}

/** At most `batchBytes` each; what is larger stands alone. */
function* batches(oids: readonly Oid[], sizeOf: (oid: Oid) => number): Generator<readonly Oid[]> {
  let batch: Oid[] = [];
  let bytes = 0;
  for (const oid of oids) {
    const size = sizeOf(oid);
    if (batch.length > 0 && bytes + size > batchBytes) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(oid);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}

async function hashStream(place: GitPlace, oid: Oid): Promise<Result<string, BlobError>> {
  const hash = createHash('sha256');
  let failure: unknown;
  const stream = openBlob(place, oid).on('error', (error) => {
    failure = error.cause;
  });
  stream.on('data', (chunk: Buffer) => hash.update(chunk));
  await new Promise((resolve) => stream.once('close', resolve));
  return failure === undefined ? ok(hash.digest('hex')) : err(failure as GitError);
}
