import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import { asSha256, type Oid, type Sha256 } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Source } from '../cluster/store-types.ts';
import { lfsPath, lfsPointer } from '../fingerprint/lfs.ts';
import { type BlobError, openBlob, readBlobs } from '../git/blobs.ts';
import type { Repository } from '../git/repository.ts';

/** The content behind a blob: its own, or for a Git LFS pointer the file that it stands for. */
export interface BlobContent {
  readonly oid: Oid;
  readonly sha256: Sha256;
  readonly size: number;
  /** In git-lfs's store on this machine. */
  readonly lfsFile?: string;
  /** Kept for links, whose content is their target. */
  readonly linkTarget?: Buffer;
}

export type HashTreeError =
  | { readonly reason: 'git'; readonly cause: BlobError }
  | { readonly reason: 'lfs-missing'; readonly path: string; readonly looked: string };

/** The store knows content by SHA-256, git by its own hash: one pass over the blobs, one in memory at a time. */
export async function hashBlobs(
  repository: Repository,
  entries: readonly { readonly path: string; readonly oid: Oid; readonly mode: string }[],
): Promise<Result<ReadonlyMap<Oid, BlobContent>, HashTreeError>> {
  const byOid = new Map(entries.map((entry) => [entry.oid, entry]));
  const links = new Set(entries.filter(({ mode }) => mode === '120000').map(({ oid }) => oid));
  const hashed = new Map<Oid, BlobContent>();
  let missing: HashTreeError | undefined;
  const read = await readBlobs(repository, [...byOid.keys()], (oid, content) => {
    const pointer = links.has(oid) ? undefined : lfsPointer(content);
    if (pointer !== undefined) {
      const lfsFile = lfsPath(repository.commonDir, pointer.sha256);
      if (!existsSync(lfsFile))
        missing ??= { reason: 'lfs-missing', path: byOid.get(oid)?.path ?? '', looked: lfsFile };
      hashed.set(oid, { oid, ...pointer, lfsFile });
      return;
    }
    const sha256 = asSha256(createHash('sha256').update(content).digest('hex'));
    hashed.set(oid, { oid, sha256, size: content.length, ...(links.has(oid) ? { linkTarget: content } : {}) });
  });
  if (!read.ok) return err({ reason: 'git', cause: read.error });
  return missing === undefined ? ok(hashed) : err(missing);
}

const smallBlob = 1024 * 1024;
const batchBytes = 8 * 1024 * 1024;

/** The contents again, for sending: small ones in batches (a git process for each would take minutes), large ones as streams. */
export async function* blobSources(repository: Repository, blobs: readonly BlobContent[]): AsyncGenerator<Source> {
  for (const { sha256, size, lfsFile } of blobs) {
    if (lfsFile !== undefined) yield { sha256, size, file: lfsFile };
  }
  const own = blobs.filter(({ lfsFile }) => lfsFile === undefined);
  for (const { oid, sha256, size } of own) {
    if (size > smallBlob) yield { sha256, size, open: () => openBlob(repository, oid) };
  }
  const small = own.filter(({ size }) => size <= smallBlob);
  for (let from = 0; from < small.length; ) {
    let bytes = 0;
    let to = from;
    while (to < small.length && (to === from || bytes + (small[to]?.size ?? 0) <= batchBytes)) {
      bytes += small[to]?.size ?? 0;
      to += 1;
    }
    yield* await readBatch(repository, small.slice(from, to));
    from = to;
  }
}

async function readBatch(repository: Repository, batch: readonly BlobContent[]): Promise<readonly Source[]> {
  const contents = new Map<Oid, Buffer>();
  const oids = batch.map(({ oid }) => oid);
  const read = await readBlobs(repository, oids, (oid, content) => {
    contents.set(oid, content);
  });
  // They were there when they were hashed: whoever removed objects in between has to be told, not answered with a short archive.
  if (!read.ok) throw new Error(`git objects are gone: ${read.error.reason}`, { cause: read.error });
  return batch.flatMap(({ oid, sha256, size }) => {
    const content = contents.get(oid);
    return content === undefined ? [] : [{ sha256, size, open: () => Readable.from([content]) }];
  });
}
