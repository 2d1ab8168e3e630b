import { open, readFile } from 'node:fs/promises';
import type { Readable, Writable } from 'node:stream';
import { err, ok, type Result } from '../base/result.ts';
import { Pen } from './store-stream.ts';
import type { Source, StoreError } from './store-types.ts';
import { tarEnd, tarHeader, tarPadding } from './tar-writer.ts';

/** Files up to this size are read whole, several ahead of the stream. */
const SMALL = 128 * 1024;
const AHEAD = 16;
const CHUNK = 256 * 1024;

/** The path of an object below `objects`. */
export const objectPath = (sha256: string): string => `${sha256.slice(0, 2)}/${sha256.slice(2)}`;

export interface Sent {
  readonly files: number;
  readonly bytes: number;
  readonly unreadable: (StoreError & { readonly reason: 'source-unreadable' }) | undefined;
}

type Loaded = { readonly source: Source; readonly content: Result<Buffer | 'stream', string> };

async function load(source: Source): Promise<Loaded> {
  if (!('file' in source) || source.size > SMALL) return { source, content: ok('stream') };
  return { source, content: await readFile(source.file).then(ok, (error: Error) => err(error.message)) };
}

async function* ahead(sources: Iterable<Source> | AsyncIterable<Source>): AsyncGenerator<Loaded> {
  const queue: Promise<Loaded>[] = [];
  for await (const source of sources) {
    queue.push(load(source));
    const first = queue.length > AHEAD ? queue.shift() : undefined;
    if (first !== undefined) yield first;
  }
  for (const rest of queue) yield rest;
}

/**
 * Writes one archive. A source that gives fewer or more bytes than it should is filled up or cut, so that the archive stays whole;
 * the far side finds that its hash is not its name. Stops when `gone` says that nobody reads any more.
 */
export async function sendArchive(
  sources: Iterable<Source> | AsyncIterable<Source>,
  to: Writable,
  gone: AbortSignal,
  onProgress: (bytes: number) => void,
): Promise<Sent> {
  const pen = new Pen(to, gone);
  let files = 0;
  let bytes = 0;
  let unreadable: Sent['unreadable'];
  for await (const { source, content } of ahead(sources)) {
    if (gone.aborted) break;
    if (!content.ok) {
      unreadable ??= { reason: 'source-unreadable', sha256: source.sha256, detail: content.error };
      continue;
    }
    await pen.write(tarHeader({ kind: 'file', name: Buffer.from(objectPath(source.sha256)), size: source.size }));
    let left = source.size;
    const part = async (chunk: Buffer) => {
      const used = chunk.subarray(0, left);
      left -= used.length;
      await pen.write(used);
      bytes += used.length;
      onProgress(bytes);
    };
    try {
      if (content.value === 'stream') await eachChunk(source, part, () => left <= 0 || gone.aborted);
      else await part(content.value);
    } catch (error) {
      unreadable ??= { reason: 'source-unreadable', sha256: source.sha256, detail: String(error) };
    }
    // A mark at the end of what was cut short: zeros alone could complete a file that ends in zeros. (Then it is the right content.)
    while (left > 0 && !gone.aborted) await part(Buffer.alloc(Math.min(left, CHUNK)));
    await pen.write(tarPadding(source.size));
    files += 1;
  }
  await pen.write(tarEnd());
  await pen.flush();
  if (!gone.aborted) to.end();
  return { files, bytes, unreadable };
}

async function eachChunk(source: Source, use: (chunk: Buffer) => Promise<void>, enough: () => boolean): Promise<void> {
  if (!('file' in source)) {
    const stream: Readable = source.open();
    for await (const chunk of stream) {
      if (enough()) break;
      await use(Buffer.from(chunk));
    }
    return;
  }
  const file = await open(source.file);
  try {
    while (!enough()) {
      // A new buffer each time: the stream still holds the last one.
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK), 0, CHUNK);
      if (bytesRead === 0) return;
      await use(buffer.subarray(0, bytesRead));
    }
  } finally {
    await file.close();
  }
}
