import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** A notebook of tests/corpus/notebooks, as tests/corpus/notebooks.json has it. */
export interface CorpusNotebook {
  readonly name: string;
  /** Good, broken in a way that shows, or one that may look well and is not. */
  readonly kind: 'good' | 'broken' | 'lying';
  /** The right one. `refused`: nothing is submitted. */
  readonly verdict: 'pass' | 'fail' | 'error' | 'refused';
  /** The first reason of it: a failure's, a finding's name, or `check`. */
  readonly reason?: string;
  /** Who is to blame, counted from the top. */
  readonly cell?: number;
  readonly parameters?: Readonly<Record<string, number>>;
  /** False: no metric is asked for. */
  readonly metrics?: false;
  /** What is said of it all the same. */
  readonly warning?: string;
  readonly why: string;
  readonly text: string;
}

const folder = join(import.meta.dirname, '../corpus');

export function corpusNotebooks(): readonly CorpusNotebook[] {
  const rows = JSON.parse(readFileSync(join(folder, 'notebooks.json'), 'utf8')) as Omit<CorpusNotebook, 'text'>[];
  return rows.map((row) => ({ ...row, text: readFileSync(join(folder, 'notebooks', `${row.name}.ipynb`), 'utf8') }));
}
