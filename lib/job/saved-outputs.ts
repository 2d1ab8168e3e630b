import { createHash } from 'node:crypto';
import type { Json } from '../base/canonical-json.ts';
import type { CellOutput } from '../verdict/types.ts';
import { isLeftBehind } from './instrument.ts';
import { isObject } from './json-object.ts';
import { type Notebook, textOf } from './notebook.ts';

/** What a committed notebook tells of the session in which it was saved, beside what a run has put out. Cells count from the top. */
export interface SavedSession {
  /** They were run before one that is above them. */
  readonly outOfOrder: readonly number[];
  /** They have outputs, and put out nothing in the run. */
  readonly missing: readonly number[];
  /** They have put out another text. */
  readonly different: readonly number[];
}

/** `run`: what the cells put out; absent where the notebook did not come to its end, or is of a run before this was noted. */
export function savedSession({ cells }: Notebook, run: readonly CellOutput[] | undefined): SavedSession {
  const code = cells
    .map((cell, index) => ({ ...cell, number: index + 1 }))
    .filter((cell) => cell.kind === 'code' && cell.source.trim() !== '' && !isLeftBehind(cell));
  const now = new Map(run);
  const missing: number[] = [];
  const different: number[] = [];
  code.forEach(({ number, raw, tags }, index) => {
    const shown = (Array.isArray(raw.outputs) ? raw.outputs : []).filter(isShown);
    if (run === undefined || shown.length === 0 || tags.includes('skip-execution')) return;
    const [before, after] = [hashOf(shown.map(shownText).join('')), now.get(index + 1)];
    if (after === undefined) missing.push(number);
    else if (before !== '' && after !== '' && before !== after) different.push(number);
  });
  return { outOfOrder: outOfOrder(code), missing, different };
}

function outOfOrder(cells: readonly { readonly number: number; readonly raw: Notebook['raw'] }[]): readonly number[] {
  let latest = 0;
  return cells.flatMap(({ number, raw: { execution_count: count } }) => {
    if (typeof count !== 'number') return [];
    const isBehind = count < latest;
    latest = Math.max(latest, count);
    return isBehind ? [number] : [];
  });
}

/** Warnings and progress go to stderr and change with every version; an exception of an older run is no result. */
const isShown = (output: Json): boolean =>
  isObject(output) &&
  (output.output_type === 'stream'
    ? output.name === 'stdout' && textOf(output.text) !== ''
    : output.output_type !== 'error');

function shownText(output: Json): string {
  if (!isObject(output)) return '';
  if (output.output_type === 'stream') return textOf(output.text);
  return isObject(output.data) ? textOf(output.data['text/plain']) : '';
}

/** A progress bar of megabytes is not worth comparing. */
const longest = 1_000_000;

/** As templates/notebook.py has it of what it saw. Addresses of objects are other ones in every process. */
function hashOf(text: string): string {
  const plain = text.replace(/0x[0-9a-f]+/g, '0x').replace(/^[ \n]+|[ \n]+$/g, '');
  return plain === '' || plain.length > longest ? '' : createHash('sha256').update(plain).digest('hex').slice(0, 12);
}
