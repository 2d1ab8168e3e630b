import { type MeaningfulCell, meaningfulCells } from './meaning.ts';
import type { Notebook } from './notebook.ts';

/** Cells count from one over all cells, as people count from the top. */
export type CellChange =
  | { readonly kind: 'changed'; readonly before: number; readonly after: number; readonly line: string }
  | { readonly kind: 'added'; readonly after: number; readonly line: string }
  | { readonly kind: 'removed'; readonly before: number; readonly line: string }
  | { readonly kind: 'language'; readonly before: string; readonly after: string };

/** Which code cells make two notebooks differ. `line` is the first line that differs, or the cell's first line. */
export function diffCells(before: Notebook, after: Notebook): readonly CellChange[] {
  const [old, now] = [meaningfulCells(before), meaningfulCells(after)];
  const language: readonly CellChange[] =
    before.language === after.language ? [] : [{ kind: 'language', before: before.language, after: after.language }];
  return [...language, ...pair(align(old, now))];
}

type Edit = { readonly old?: MeaningfulCell; readonly now?: MeaningfulCell };

const textOf = (cell: MeaningfulCell) => JSON.stringify([cell.source, cell.tags]);

/** Longest common subsequence of equal cells; what is between them was removed or added. */
function align(old: readonly MeaningfulCell[], now: readonly MeaningfulCell[]): readonly Edit[] {
  const [a, b] = [old.map(textOf), now.map(textOf)];
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number) => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      lengths[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const edits: Edit[] = [];
  for (let [i, j] = [0, 0]; i < a.length || j < b.length; ) {
    const [left, right] = [old[i], now[j]];
    if (left !== undefined && right !== undefined && a[i] === b[j]) {
      edits.push({ old: left, now: right });
      i += 1;
      j += 1;
    } else if (left !== undefined && (right === undefined || at(i + 1, j) >= at(i, j + 1))) {
      edits.push({ old: left });
      i += 1;
    } else if (right !== undefined) {
      edits.push({ now: right });
      j += 1;
    }
  }
  return edits;
}

/** Between two equal cells, the n-th removed and the n-th added are one cell that changed. */
function pair(edits: readonly Edit[]): readonly CellChange[] {
  const changes: CellChange[] = [];
  let [removed, added]: MeaningfulCell[][] = [[], []];
  const flush = () => {
    const count = Math.max(removed?.length ?? 0, added?.length ?? 0);
    for (let i = 0; i < count; i++) changes.push(change(removed?.[i], added?.[i]));
    [removed, added] = [[], []];
  };
  for (const { old, now } of edits) {
    if (old !== undefined && now !== undefined) flush();
    else if (old !== undefined) removed?.push(old);
    else if (now !== undefined) added?.push(now);
  }
  flush();
  return changes;
}

function change(old: MeaningfulCell | undefined, now: MeaningfulCell | undefined): CellChange {
  if (old !== undefined && now !== undefined) {
    return { kind: 'changed', before: old.cell, after: now.cell, line: firstDifference(old.source, now.source) };
  }
  if (now !== undefined) return { kind: 'added', after: now.cell, line: firstLine(now.source) };
  if (old !== undefined) return { kind: 'removed', before: old.cell, line: firstLine(old.source) };
  throw new Error('a change without cells');
}

const firstLine = (source: string) => source.split('\n').find((line) => line.trim() !== '') ?? '';

/** The first line that is new; else the first that is gone; else, of lines in another order, the first that moved. Never a blank one. */
function firstDifference(before: string, after: string): string {
  const [old, now] = [before.split('\n'), after.split('\n')];
  const [had, has] = [new Set(old), new Set(now)];
  const isText = (line: string) => line.trim() !== '';
  return (
    now.find((line) => isText(line) && !had.has(line)) ??
    old.find((line) => isText(line) && !has.has(line)) ??
    now.find((line, index) => isText(line) && line !== old[index]) ??
    firstLine(after)
  );
}
