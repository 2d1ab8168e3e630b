import type { Readable, Writable } from 'node:stream';

/** Writes, and waits for a slow reader, but never for one that is gone. */
export async function send(to: Writable, chunk: Uint8Array, gone: AbortSignal): Promise<void> {
  if (gone.aborted || to.destroyed || to.write(chunk)) return;
  // It may have gone in the very moment of the write.
  if (gone.aborted || to.destroyed) return;
  await new Promise<void>((resolve) => {
    const go = () => {
      to.off('drain', go);
      to.off('close', go);
      gone.removeEventListener('abort', go);
      resolve();
    };
    to.on('drain', go);
    to.on('close', go);
    gone.addEventListener('abort', go);
  });
}

/** A stream as text; where the connection is lost, what had come. */
export function collectText(stream: Readable): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('close', () => resolve(Buffer.concat(chunks).toString()));
  });
}

const PIECE = 256 * 1024;

/** Collects small pieces into large writes, and waits for a slow reader or its end. */
export class Pen {
  readonly #to: Writable;
  readonly #gone: AbortSignal;
  #pieces: Buffer[] = [];
  #size = 0;

  constructor(to: Writable, gone: AbortSignal) {
    this.#to = to;
    this.#gone = gone;
  }
  async write(piece: Buffer): Promise<void> {
    if (piece.length === 0) return;
    this.#pieces.push(piece);
    this.#size += piece.length;
    if (this.#size >= PIECE) await this.flush();
  }
  async flush(): Promise<void> {
    const all = this.#pieces;
    this.#pieces = [];
    this.#size = 0;
    if (all.length === 0) return;
    const [only] = all;
    await send(this.#to, all.length === 1 && only !== undefined ? only : Buffer.concat(all), this.#gone);
  }
}
