import { createHash } from 'node:crypto';
import { type BigIntStats, createReadStream, fstatSync, openSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { asSha256, type Sha256 } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { DataFileProblem } from './errors.ts';
import { type ReadFile, syncHasher } from './hash-sync.ts';
import { isSettled, statKey } from './stat-cache.ts';
import { codeOf } from './state-file.ts';

export interface HashedFile {
  readonly sha256: Sha256;
  readonly size: number;
  readonly key: string;
  /** False: the stat does not prove the content yet (stat-cache.ts). */
  readonly settled: boolean;
}
export type HashProblem =
  | { readonly reason: DataFileProblem; readonly detail: string }
  /** The signal, in the middle of a large file. */
  | { readonly reason: 'aborted' };

const tries = 4;
/** What is larger is streamed, so that signals and timers are heard meanwhile. */
const small = 1 << 20;
let hashSmall: ReturnType<typeof syncHasher> | undefined;

/** The content's hash, read again while the file changes under us. */
export async function hashFile(
  path: string,
  now: () => bigint,
  signal?: AbortSignal,
): Promise<Result<HashedFile, HashProblem>> {
  hashSmall ??= syncHasher(createRequire(import.meta.url));
  const started = now();
  const read = hashSmall(path, small);
  return 'state' in read && read.state === 'large' ? hashLarge(path, now, signal) : hashedFile(read, started);
}

/** `startedNs`: not later than the file was opened. */
export function hashedFile(read: ReadFile, startedNs: bigint): Result<HashedFile, HashProblem> {
  if ('code' in read) return err({ reason: problemOf(read.code), detail: read.code });
  if (read.state === 'special') return err({ reason: 'special-file', detail: 'changed its kind' });
  if (read.state !== 'read') return err({ reason: 'changing', detail: `read ${tries} times, never twice the same` });
  const { sha256, bytes, key } = read;
  return ok({ sha256: asSha256(sha256), size: bytes, key, settled: isSettled(read, startedNs) });
}

export function problemOf(code: string): DataFileProblem {
  if (code === 'ENOENT') return 'changing';
  return code === 'ELOOP' ? 'link-loop' : 'unreadable';
}

async function hashLarge(
  path: string,
  now: () => bigint,
  signal: AbortSignal | undefined,
): Promise<Result<HashedFile, HashProblem>> {
  try {
    for (let i = 0; i < tries; i++) {
      const started = now();
      const before = statSync(path, { bigint: true });
      if (!before.isFile()) return err({ reason: 'special-file', detail: 'changed its kind' });
      const hashed = await stream(path, signal);
      const after = statSync(path, { bigint: true });
      const key = statKey(before);
      if (statKey(hashed.stat) === key && statKey(after) === key && hashed.bytes === Number(before.size)) {
        return ok({ sha256: asSha256(hashed.sha256), size: hashed.bytes, key, settled: isSettled(before, started) });
      }
    }
    return hashedFile({ state: 'changing' }, 0n);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'ABORT_ERR') return err({ reason: 'aborted' });
    if (code === undefined) throw error;
    return hashedFile({ code }, 0n);
  }
}

interface Streamed {
  readonly sha256: string;
  readonly bytes: number;
  readonly stat: BigIntStats;
}

async function stream(path: string, signal: AbortSignal | undefined): Promise<Streamed> {
  const file = openSync(path, 'r');
  const stat = fstatSync(file, { bigint: true });
  const hash = createHash('sha256');
  let bytes = 0;
  const chunks = createReadStream(path, {
    fd: file,
    highWaterMark: small,
    ...(signal === undefined ? {} : { signal }),
  });
  for await (const chunk of chunks as AsyncIterable<Buffer>) {
    hash.update(chunk);
    bytes += chunk.length;
  }
  return { sha256: hash.digest('hex'), bytes, stat };
}
