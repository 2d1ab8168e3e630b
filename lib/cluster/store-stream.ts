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
