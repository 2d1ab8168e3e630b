import { type FileHandle, open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { err, ok, type Result } from '../base/result.ts';
import { type BlockPlace, dropScript, installScript, UNIT, writeScript } from './block-scripts.ts';
import type { Host, HostProcess } from './host.ts';
import { hostFailure, scriptFailure } from './store-failure.ts';
import { collectText, send } from './store-stream.ts';
import type { FileSource, StoreError } from './store-types.ts';

export interface BlockOptions {
  readonly workdir: string;
  readonly group: boolean;
  /** A multiple of 64 KiB. */
  readonly blockSize: number;
  readonly channels: number;
  readonly signal?: AbortSignal;
  /** Bytes of this file that are there, those of an earlier try included. */
  readonly onProgress: (bytes: number) => void;
}
export interface BlocksSent {
  readonly sent: number;
  /** Were there from an earlier try. */
  readonly resumed: number;
}
export interface Claimed {
  readonly place: BlockPlace;
  /** Blocks that are there. */
  readonly there: readonly number[];
}

const READ = 256 * 1024;

/** Sends what is not there, over several channels that take the next block when they are ready for one, and has the whole verified and installed. */
export async function sendBlocks(
  host: Host,
  source: FileSource,
  { place, there }: Claimed,
  options: BlockOptions,
): Promise<Result<BlocksSent, StoreError>> {
  const opened = await open(source.file).then(ok, (error: Error) => unreadable(source, error.message));
  if (!opened.ok) return opened;
  const file = opened.value;
  const { blockSize, workdir } = options;
  const count = Math.ceil(source.size / blockSize);
  const bytesOf = (index: number) => Math.min(blockSize, source.size - index * blockSize);
  const onDisk = new Set(there.filter((index) => index < count));
  const todo = Array.from({ length: count }, (_, index) => index).filter((index) => !onDisk.has(index));
  const resumed = [...onDisk].reduce((sum, index) => sum + bytesOf(index), 0);
  let sent = 0;
  const onSent = (bytes: number) => {
    sent += bytes;
    options.onProgress(resumed + sent);
  };
  let failure: Failure | undefined;
  const stop = new AbortController();
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal]);
  const fail = (why: Failure) => {
    failure ??= why;
    stop.abort();
  };
  const ended = async (process: HostProcess, said: Promise<string>): Promise<string> => {
    const end = await process.exit;
    if (!end.ok) fail(hostFailure(end.error));
    else if (end.value.code !== 0) {
      fail(scriptFailure('upload', workdir, { ...end.value, stdout: await said }, source.size));
    }
    return said;
  };

  const installer = new Installer(onDisk);
  // Writers that still wait for a channel when the last block is taken: behind the installer, which waits for all writers, they would wait for ever.
  const waiting = new Set<AbortController>();
  const take = () => {
    const index = todo.shift();
    if (index === undefined) for (const writer of waiting) writer.abort();
    return index;
  };
  const write = async (hasChannel: () => void) => {
    const needless = new AbortController();
    waiting.add(needless);
    const started = await host.spawn(writeScript(place), { signal: AbortSignal.any([signal, needless.signal]) });
    waiting.delete(needless);
    hasChannel();
    if (needless.signal.aborted) {
      if (started.ok) await started.value.exit;
      return;
    }
    if (!started.ok) return fail(hostFailure(started.error));
    const { stdin, stdout, exit } = started.value;
    const said = collectText(stdout);
    stdout.on(
      'data',
      numbers((index) => installer.add(index)),
    );
    const gone = new AbortController();
    void exit.then(() => gone.abort());
    while (!gone.signal.aborted) {
      const index = take();
      if (index === undefined) break;
      await send(stdin, Buffer.from(`${index} ${Math.ceil(bytesOf(index) / UNIT)}\n`), gone.signal);
      const broken = await sendBlock(file, index * blockSize, bytesOf(index), stdin, gone.signal, onSent);
      if (broken !== undefined) fail(unreadable(source, broken));
    }
    stdin.end(gone.signal.aborted ? '' : 'end\n');
    await ended(started.value, said);
  };
  const install = async () => {
    const started = await host.spawn(installScript(place), { signal });
    if (!started.ok) return fail(hostFailure(started.error));
    const said = collectText(started.value.stdout);
    installer.open(started.value.stdin);
    await written;
    started.value.stdin.end();
    const words = await ended(started.value, said);
    if (words.includes('wrong')) fail(err({ reason: 'source-changed', sha256s: [source.sha256] }));
  };
  // The first writer has its channel before the installer asks for one: where there is only one, they take turns.
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  const writers = Array.from({ length: Math.min(options.channels, todo.length) }, () => write(begin));
  if (writers.length === 0) begin();
  const written = Promise.all(writers);
  try {
    options.onProgress(resumed);
    await Promise.all([written, begun.then(install)]);
  } finally {
    await file.close();
  }
  if (failure === undefined) return ok({ sent, resumed });
  // Others need the room more than a later try needs these blocks.
  if (failure.error.reason === 'disk-full') await host.exec(dropScript(place));
  return failure;
}

type Failure = { readonly ok: false; readonly error: StoreError };

const unreadable = (source: FileSource, detail: string) =>
  err({ reason: 'source-unreadable', sha256: source.sha256, detail } as const);

/** Gives why the file could not be read. A file that has become shorter is filled up: the far side finds that its hash is not its name. */
async function sendBlock(
  file: FileHandle,
  from: number,
  size: number,
  to: Writable,
  gone: AbortSignal,
  onSent: (bytes: number) => void,
): Promise<string | undefined> {
  for (let at = 0; at < size && !gone.aborted; ) {
    // A new buffer each time: the stream still holds the last one.
    const buffer = Buffer.allocUnsafe(Math.min(READ, size - at));
    try {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, from + at);
      buffer.fill(0, bytesRead);
    } catch (error) {
      return String(error);
    }
    await send(to, buffer, gone);
    at += buffer.length;
    onSent(buffer.length);
  }
  await send(to, Buffer.alloc((UNIT - (size % UNIT)) % UNIT), gone);
  return undefined;
}

/** Takes `block N` lines apart, however they are cut. */
function numbers(use: (index: number) => void): (chunk: Buffer) => void {
  let held = '';
  return (chunk) => {
    const lines = (held + chunk.toString()).split('\n');
    held = lines.pop() ?? '';
    for (const line of lines) {
      const [, index] = /^block (\d+)$/.exec(line) ?? [];
      if (index !== undefined) use(Number(index));
    }
  };
}

/** Tells the installing process of the blocks in their order, each as soon as it and all before it are on the disk. */
class Installer {
  readonly #onDisk: Set<number>;
  #next = 0;
  #to: Writable | undefined;

  constructor(onDisk: ReadonlySet<number>) {
    this.#onDisk = new Set(onDisk);
  }
  open(to: Writable): void {
    this.#to = to;
    this.#tell();
  }
  add(index: number): void {
    this.#onDisk.add(index);
    this.#tell();
  }
  #tell(): void {
    if (this.#to === undefined) return;
    for (; this.#onDisk.has(this.#next); this.#next += 1) this.#to.write(`${this.#next}\n`);
  }
}
