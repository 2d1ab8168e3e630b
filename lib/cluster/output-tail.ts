/** The last 64 KiB of a stream, by whole chunks until they are asked for. */
export class OutputTail {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    while (this.#bytes - (this.#chunks[0]?.length ?? 0) >= LIMIT) this.#bytes -= this.#chunks.shift()?.length ?? 0;
  }
  toString(): string {
    return Buffer.concat(this.#chunks).subarray(-LIMIT).toString();
  }
}
const LIMIT = 64 * 1024;
