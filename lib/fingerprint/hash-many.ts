import { err, type Result } from '../base/result.ts';
import { type HashedFile, type HashProblem, hashedFile, hashFile } from './hash-files.ts';
import { type HashPool, hashPool } from './hash-pool.ts';

export interface ToHash {
  readonly size: number;
}
export type HashedOne<File> = readonly [File, Result<HashedFile, HashProblem>];

/** What a thread is given at once: enough that asking costs nothing, and so little that all have something to do. */
const batchFiles = 64;
const batchBytes = 8 << 20;

/** The files' contents, in the order in which they are known: in threads where it is worth it. The last one after an abort says so. `placeOf` is asked where a file is when its turn comes. */
export async function* hashMany<File extends ToHash>(
  files: readonly File[],
  placeOf: (file: File) => string,
  now: () => bigint,
  signal: AbortSignal | undefined,
): AsyncGenerator<HashedOne<File>> {
  const pool = hashPool(
    files.length,
    files.reduce((sum, { size }) => sum + size, 0),
  );
  if (pool === undefined) return yield* oneByOne(files, placeOf, now, signal);
  try {
    yield* inThreads(pool, files, placeOf, now, signal);
  } finally {
    await pool.close();
  }
}

async function* oneByOne<File extends ToHash>(
  files: readonly File[],
  placeOf: (file: File) => string,
  now: () => bigint,
  signal: AbortSignal | undefined,
): AsyncGenerator<HashedOne<File>> {
  let yielded = now();
  for (const file of files) {
    // Small files are read synchronously: let signals and timers in now and then.
    if (now() - yielded > 20_000_000n) {
      await new Promise(setImmediate);
      yielded = now();
    }
    if (signal?.aborted) return yield [file, err({ reason: 'aborted' })];
    yield [file, await hashFile(placeOf(file), now, signal)];
  }
}

async function* inThreads<File extends ToHash>(
  pool: HashPool,
  files: readonly File[],
  placeOf: (file: File) => string,
  now: () => bigint,
  signal: AbortSignal | undefined,
): AsyncGenerator<HashedOne<File>> {
  const batches = inBatches(files);
  const running = new Map<number, Promise<{ readonly number: number; readonly hashed: readonly HashedOne<File>[] }>>();
  const aborted = new Promise<undefined>((resolve) => {
    if (signal?.aborted) resolve(undefined);
    signal?.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  for (let number = 0; ; number += 1) {
    // One in the hands of each thread, and one waiting for it.
    const batch = running.size < pool.size * 2 ? batches.next().value : undefined;
    if (batch !== undefined) {
      const started = now();
      const read = pool.read(batch.map(placeOf));
      const hashed = read.then((list) =>
        list.map((one, index) => [batch[index] as File, hashedFile(one, started)] as const),
      );
      running.set(
        number,
        hashed.then((list) => ({ number, hashed: list })),
      );
      continue;
    }
    if (running.size === 0) return;
    const done = await Promise.race([...running.values(), aborted]);
    const [first] = files;
    if (done === undefined) return first === undefined ? undefined : yield [first, err({ reason: 'aborted' })];
    running.delete(done.number);
    yield* done.hashed;
  }
}

function* inBatches<File extends ToHash>(files: readonly File[]): Generator<readonly File[], undefined> {
  let batch: File[] = [];
  let bytes = 0;
  for (const file of files) {
    batch.push(file);
    bytes += file.size;
    if (batch.length < batchFiles && bytes < batchBytes) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}
