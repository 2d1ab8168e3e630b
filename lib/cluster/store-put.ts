import { randomBytes } from 'node:crypto';
import { isSha256, type Sha256 } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { uploadBlocks } from './block-upload.ts';
import type { Host } from './host.ts';
import { hostFailure, scriptFailure } from './store-failure.ts';
import { putScript } from './store-scripts.ts';
import { collectText } from './store-stream.ts';
import type { FileSource, Put, PutOptions, Source, StoreError } from './store-types.ts';
import { sendArchive } from './store-upload.ts';

export interface PutPlace {
  readonly workdir: string;
  readonly group: boolean;
  /** Files from that size on go in blocks: a smaller one is there before the channels are open. */
  readonly from: number;
  /** A multiple of 64 KiB. What is on its way over all channels is what a lost connection costs. */
  readonly blockSize: number;
  readonly channels: number;
}
export const DEFAULT_BLOCKS = { from: 64 * 1024 * 1024, blockSize: 8 * 1024 * 1024, channels: 4 };

export async function putContents(
  host: Host,
  place: PutPlace,
  sources: Iterable<Source> | AsyncIterable<Source>,
  options: PutOptions,
): Promise<Result<Put, StoreError>> {
  const known = Array.isArray(sources) ? (sources as readonly Source[]) : undefined;
  const needed = known === undefined ? options.total : known.reduce((sum, source) => sum + onDisk(source.size), 0);
  const large = new Map<Sha256, FileSource>();
  let reached = 0;
  const transfers = async (one: (onProgress: (bytes: number) => void) => Promise<Result<Put, StoreError>>) => {
    const before = reached;
    return one((bytes) => {
      reached = before + bytes;
      options.onProgress?.(reached);
    });
  };
  const small = leaveOut(sources, place.from, large);
  const done = [await transfers((onProgress) => putStream(host, place, small, { ...options, needed, onProgress }))];
  for (const source of large.values()) {
    const last = done.at(-1);
    if (last?.ok === false && !isOfSource(last.error)) return last;
    done.push(await transfers((onProgress) => putLarge(host, place, source, { ...options, onProgress })));
  }
  return sumUp(done);
}

interface StreamOptions {
  readonly signal?: AbortSignal;
  readonly needed?: number | undefined;
  readonly onProgress: (bytes: number) => void;
}

async function putLarge(
  host: Host,
  place: PutPlace,
  source: FileSource,
  options: StreamOptions,
): Promise<Result<Put, StoreError>> {
  const done = await uploadBlocks(host, source, { ...place, ...options });
  if (!done.ok) return done;
  if (done.value === 'no-blocks') return putStream(host, place, [source], options);
  return ok({ files: 1, bytes: done.value.sent, resumed: done.value.resumed });
}

/** A source that is not what it was is no reason to leave out the others. */
const isOfSource = ({ reason }: StoreError): boolean => reason === 'source-changed' || reason === 'source-unreadable';

function sumUp(done: readonly Result<Put, StoreError>[]): Result<Put, StoreError> {
  const errors = done.flatMap((one) => (one.ok ? [] : [one.error]));
  const changed = errors.flatMap((error) => (error.reason === 'source-changed' ? error.sha256s : []));
  // Read errors explain a wrong content better than its hash does.
  const [worst] = errors.filter(({ reason }) => reason !== 'source-changed');
  if (worst !== undefined) return err(worst);
  if (changed.length > 0) return err({ reason: 'source-changed', sha256s: changed });
  const sum = { files: 0, bytes: 0, resumed: 0 };
  for (const one of done) {
    if (!one.ok) continue;
    sum.files += one.value.files;
    sum.bytes += one.value.bytes;
    sum.resumed += one.value.resumed;
  }
  return ok(sum);
}

/** Files that are worth several channels are put aside. */
async function* leaveOut(
  sources: Iterable<Source> | AsyncIterable<Source>,
  from: number,
  large: Map<Sha256, FileSource>,
) {
  for await (const source of sources) {
    if ('file' in source && source.size >= from) large.set(source.sha256, source);
    else yield source;
  }
}

async function putStream(
  host: Host,
  place: PutPlace,
  sources: Iterable<Source> | AsyncIterable<Source>,
  { needed, signal, onProgress }: StreamOptions,
): Promise<Result<Put, StoreError>> {
  const upload = `UPLOAD-${randomBytes(8).toString('hex')}`;
  const script = putScript({ ...place, upload, neededKiB: Math.ceil((needed ?? 0) / 1024) });
  const started = await host.spawn(script, signalOf(signal));
  if (!started.ok) return hostFailure(started.error);
  const said = collectText(started.value.stdout);
  const gone = new AbortController();
  void started.value.exit.then(() => gone.abort());
  const sent = await sendArchive(sources, started.value.stdin, gone.signal, onProgress);
  const ended = await started.value.exit;
  if (!ended.ok) return hostFailure(ended.error);
  const stdout = await said;
  if (ended.value.code !== 0) return scriptFailure('upload', place.workdir, { ...ended.value, stdout }, needed);
  // Read errors explain a wrong content better than its hash does.
  if (sent.unreadable !== undefined) return err(sent.unreadable);
  const wrong = [...stdout.matchAll(/^wrong (\S+)$/gm)]
    .map(([, path]) => (path ?? '').replace('/', ''))
    .filter(isSha256);
  if (wrong.length > 0) return err({ reason: 'source-changed', sha256s: wrong });
  return ok({ files: sent.files, bytes: sent.bytes, resumed: 0 });
}

/** Whole blocks of 4 KiB. */
const onDisk = (size: number) => Math.ceil(size / 4096) * 4096;
const signalOf = (signal: AbortSignal | undefined) => (signal === undefined ? {} : { signal });
