import { PassThrough, type Readable } from 'node:stream';
import { asOid, type Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { catFile } from './cat-file.ts';
import type { GitError } from './errors.ts';
import { type GitPlace, git, gitStream } from './spawn.ts';

export type BlobError = GitError | { readonly reason: 'missing-blob'; readonly oid: Oid };

/** Every blob once, in order, with one in memory at a time. Stops waiting for nothing: a missing one is an error at the end. */
export async function readBlobs(
  place: GitPlace,
  oids: readonly Oid[],
  onBlob: (oid: Oid, content: Buffer) => void | Promise<void>,
): Promise<Result<void, BlobError>> {
  let missing: Oid | undefined;
  const done = await catFile(place, oids, (index, object) => {
    const oid = oids[index];
    if (oid === undefined) throw new Error('cat-file answered more than was asked');
    if (object?.type === 'blob') return onBlob(oid, object.content);
    missing ??= oid;
  });
  if (missing !== undefined) return err({ reason: 'missing-blob', oid: missing });
  return done;
}

/** One blob as a stream, however large. A failure destroys the stream, with the GitError as the error's `cause`. */
export function openBlob(place: GitPlace, oid: Oid): Readable {
  const process = gitStream(place, ['cat-file', 'blob', oid]);
  process.stdin.end();
  const stream = new PassThrough();
  // Ended only after git has: an early end would be a short blob that looks whole.
  process.stdout.pipe(stream, { end: false });
  process.done.then((done) => {
    if (done.ok) stream.end();
    else stream.destroy(new Error(`git cat-file blob ${oid}: ${done.error.reason}`, { cause: done.error }));
  });
  stream.on('close', () => process.stdout.destroy());
  return stream;
}

/** Sizes in bytes without reading contents. */
export async function blobSizes(
  place: GitPlace,
  oids: readonly Oid[],
): Promise<Result<ReadonlyMap<Oid, number>, BlobError>> {
  const sizes = new Map<Oid, number>();
  if (oids.length === 0) return ok(sizes);
  const output = await git(place, ['cat-file', '--batch-check=%(objectname) %(objectsize)', '--buffer'], {
    stdin: `${oids.join('\n')}\n`,
  });
  if (!output.ok) return output;
  for (const line of output.value.stdout.toString().trimEnd().split('\n')) {
    const [oid = '', size = ''] = line.split(' ');
    if (size === 'missing') return err({ reason: 'missing-blob', oid: asOid(oid) });
    sizes.set(asOid(oid), Number(size));
  }
  return ok(sizes);
}
