import { randomBytes } from 'node:crypto';
import { err, ok, type Result } from '../base/result.ts';
import type { Host } from './host.ts';
import { newestNotebookScript, readLogScript } from './run-scripts.ts';
import type { ExecutedNotebook, RunStoreError } from './run-types.ts';

/** More is no notebook that a terminal could show a cell of. */
const largestNotebook = 64 * 1024 * 1024;

/** All that the attempt's log has now, in pieces as they come; gives how many bytes that was. No log (yet) is 0. */
export async function readLog(
  host: Host,
  folder: string,
  give: (piece: Buffer) => void,
  signal: AbortSignal,
): Promise<Result<number, RunStoreError>> {
  let bytes = 0;
  const read = await output(host, folder, readLogScript(folder), signal, (piece) => {
    bytes += piece.length;
    give(piece);
  });
  return read.ok ? ok(bytes) : read;
}

/** The notebook that was written last, also while it is being executed. Undefined: there is none (yet). */
export async function newestNotebook(
  host: Host,
  folder: string,
  signal: AbortSignal,
): Promise<Result<ExecutedNotebook | undefined, RunStoreError>> {
  const mark = `mlops-${randomBytes(12).toString('hex')}`;
  const pieces: Buffer[] = [];
  const script = newestNotebookScript(folder, mark, largestNotebook);
  const read = await output(host, folder, script, signal, (piece) => pieces.push(piece));
  if (!read.ok) return read;
  const bytes = Buffer.concat(pieces);
  const line = bytes.indexOf(10);
  const [, verb, count = '', size = '', path = ''] =
    new RegExp(`^${mark} (notebook|large|none)(?: (\\d+) (\\d+) (.+))?$`).exec(bytes.toString('utf8', 0, line)) ?? [];
  if (verb === 'none') return ok(undefined);
  if (verb === 'large') return err({ reason: 'folder', path: folder, detail: `${path} has ${size} bytes` });
  const content = bytes.subarray(line + 1);
  if (verb === undefined || content.length !== Number(size))
    return err({ reason: 'folder', path: folder, detail: 'its notebook could not be read whole' });
  return ok({ path, others: Number(count) - 1, content: content.toString('utf8') });
}

async function output(
  host: Host,
  folder: string,
  script: string,
  signal: AbortSignal,
  give: (piece: Buffer) => void,
): Promise<Result<void, RunStoreError>> {
  const started = await host.spawn(script, { signal });
  if (!started.ok) return err({ reason: 'host', cause: started.error });
  const { stdin, stdout, exit } = started.value;
  stdin.end();
  stdout.on('data', give);
  const read = new Promise<void>((resolve) => stdout.once('close', () => resolve()));
  const ended = await exit;
  if (!ended.ok) return err({ reason: 'host', cause: ended.error });
  await read;
  return ended.value.code === 0
    ? ok(undefined)
    : err({ reason: 'folder', path: folder, detail: ended.value.stderr.trim() });
}
