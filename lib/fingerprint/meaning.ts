import { createHash } from 'node:crypto';
import { canonicalJson, type Json } from '../base/canonical-json.ts';
import { asSha256, type Sha256 } from '../base/ids.ts';
import type { Cell, Notebook } from './notebook.ts';

/** A code cell as it counts, and where it stands among all cells, counted from one. */
export interface MeaningfulCell {
  readonly cell: number;
  readonly source: string;
  readonly tags: readonly string[];
}

export const hashBytes = (content: string | Uint8Array): Sha256 =>
  asSha256(createHash('sha256').update(content).digest('hex'));
export const hashText: (text: string) => Sha256 = hashBytes;
export const hashJson = (value: Json): Sha256 => hashText(canonicalJson(value));

/** The cells that decide what the notebook computes: docs/fingerprint.md, "A notebook's meaning". */
export function meaningfulCells(notebook: Notebook): readonly MeaningfulCell[] {
  return notebook.cells.flatMap((cell, index) => (counts(cell) ? [{ cell: index + 1, ...meaningOf(cell) }] : []));
}

export function notebookMeaning(notebook: Notebook): Json {
  return {
    cells: meaningfulCells(notebook).map(({ source, tags }) => ({ source, tags })),
    language: notebook.language,
  };
}

export const meaningHash = (notebook: Notebook): Sha256 => hashJson(notebookMeaning(notebook));

function counts(cell: Cell): boolean {
  if (cell.type !== 'code') return false;
  // What papermill wrote in an earlier run; the job takes it out and papermill writes it anew.
  if (cell.tags.includes('injected-parameters')) return false;
  return cell.source.trim() !== '' || countedTags(cell).length > 0;
}

const meaningOf = (cell: Cell) => ({ source: cell.source.replace(/\n+$/, ''), tags: countedTags(cell) });

/** Marks that papermill leaves, and those that only tell a viewer what to fold away. */
const uncounted = /^(?:papermill-.*|(?:hide|remove)[-_](?:input|output|cell))$/;
const countedTags = (cell: Cell): readonly string[] =>
  [...new Set(cell.tags.filter((tag) => !uncounted.test(tag)))].sort();
