import type { Failure, FailureReason } from '../verdict/types.ts';
import type { ReadFile } from './result-files.ts';

const preparationReasons: readonly FailureReason[] = [
  'environment',
  'no-python',
  'missing-module',
  'files-missing',
  'data-changed-there',
  'disk-full',
  'preempted',
];
const diskFull = /No space left on device|Disk quota exceeded/;

/** What kept the steps from starting. */
export function preparationOf(read: ReadFile, finished: boolean, logTail: string): Failure | undefined {
  const text = read('result/preparation');
  if (text !== undefined) {
    const line = text.indexOf('\n');
    const word = line < 0 ? text : text.slice(0, line);
    const detail = line < 0 ? '' : text.slice(line + 1).trim();
    const said = preparationReasons.find((known) => known === word) ?? 'environment';
    return { side: 'infrastructure', reason: diskFull.test(detail) ? 'disk-full' : said, detail };
  }
  // A script that cannot write leaves no last word, but the shell's complaint is in the log.
  const complaint = finished ? undefined : diskComplaint(logTail);
  return complaint === undefined ? undefined : { side: 'infrastructure', reason: 'disk-full', detail: complaint };
}

export const diskComplaint = (log: string): string | undefined =>
  log
    .split('\n')
    .findLast((line) => diskFull.test(line))
    ?.trim();
