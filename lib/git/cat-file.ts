import { Readable } from 'node:stream';
import { ok, type Result } from '../base/result.ts';
import type { GitError } from './errors.ts';
import { type GitPlace, gitStream } from './spawn.ts';

export interface GitObject {
  readonly oid: string;
  readonly type: string;
  readonly content: Buffer;
}

/**
 * Reads objects by any name that has no newline in it, in order, through one process. What does not exist is undefined.
 * One object is in memory at a time; the next one waits until `onObject` is done.
 */
export async function catFile(
  place: GitPlace,
  names: readonly string[],
  onObject: (index: number, object: GitObject | undefined) => void | Promise<void>,
): Promise<Result<void, GitError>> {
  if (names.length === 0) return ok(undefined);
  const process = gitStream(place, ['cat-file', '--batch', '--buffer']);
  Readable.from(requests(names)).pipe(process.stdin);
  let index = 0;
  for await (const object of parse(process.stdout)) await onObject(index++, object);
  const done = await process.done;
  return done.ok ? ok(undefined) : done;
}

/** Names in pieces, so that a pipe's back pressure holds. If git ends early, the pipe just stops: its exit tells why. */
function* requests(names: readonly string[]): Generator<string> {
  for (let start = 0; start < names.length; start += 1000) yield `${names.slice(start, start + 1000).join('\n')}\n`;
}

/** `OID TYPE SIZE\n` content `\n`, or `NAME missing\n` (git-cat-file(1), BATCH OUTPUT). */
async function* parse(stdout: Readable): AsyncGenerator<GitObject | undefined> {
  let header = '';
  let object: { oid: string; type: string; content: Buffer } | undefined;
  let filled = 0;
  for await (const chunk of stdout as AsyncIterable<Buffer>) {
    let at = 0;
    while (at < chunk.length) {
      if (object === undefined) {
        const end = chunk.indexOf(10, at);
        header += chunk.toString('utf8', at, end < 0 ? chunk.length : end);
        at = end < 0 ? chunk.length : end + 1;
        if (end < 0) continue;
        const [, oid, type, size] = /^([0-9a-f]{40,64}) (blob|tree|commit|tag) (\d+)$/.exec(header) ?? [];
        header = '';
        if (oid === undefined || type === undefined) yield undefined;
        else object = { oid, type, content: Buffer.allocUnsafe(Number(size)) };
        filled = 0;
        continue;
      }
      const left = object.content.length - filled;
      const copied = chunk.copy(object.content, filled, at, at + left);
      filled += copied;
      at += copied;
      if (copied === left && at < chunk.length) {
        at += 1; // the newline after the content
        yield object;
        object = undefined;
      }
    }
  }
}
