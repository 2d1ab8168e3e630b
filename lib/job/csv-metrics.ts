import { err, ok, type Result } from '../base/result.ts';
import type { MetricReading } from '../verdict/types.ts';
import { mostMetrics, type ReadMetrics, readNumber, short } from './readings.ts';

/**
 * A CSV file of metrics (RFC 4180): the first row has the names, a column of several rows is a list. An empty cell is no value: a log has
 * often one of each only now and then.
 */
export async function readCsv(text: string, source: string): Promise<Result<ReadMetrics, string>> {
  const { parse } = await import('csv-parse/sync');
  // Rows of another length are read as far as they go: a log may be cut in its last one.
  const rows = parse(text, { bom: true, trim: true, skip_empty_lines: true, relax_column_count: true }) as string[][];
  const [names = [], ...lines] = rows;
  if (names.length > mostMetrics) return err(`more than ${mostMetrics} columns`);
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice !== undefined) return err(`the column ${JSON.stringify(short(twice))} is there twice`);
  const columns = names
    .map((name, index) => ({ name, cells: lines.map((cells) => cells[index] ?? '') }))
    .filter(({ name }) => name !== '')
    .map(({ name, cells }) => ({ name, cells: cells.filter((cell) => cell !== '') }));
  const readings = columns.map(({ name, cells }) => [name, readingOf(cells, lines.length, source)] as const);
  const lists = columns.flatMap(({ name, cells }) => {
    const numbers = cells.map(numberOf);
    const isList = numbers.length > 0 && numbers.every((number) => number !== undefined);
    return isList ? [[name, numbers] as const] : [];
  });
  return ok({ readings: Object.fromEntries(readings), lists: Object.fromEntries(lists) });
}

/** As Python, pandas and R write numbers. */
function numberOf(cell: string): number | undefined {
  const word = cell.toLowerCase();
  if (word === 'nan') return Number.NaN;
  const [, sign, infinite] = /^([+-]?)(inf(?:inity)?)$/.exec(word) ?? [];
  if (infinite !== undefined) return sign === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/.test(word) ? Number(word) : undefined;
}

function readingOf(cells: readonly string[], rows: number, source: string): MetricReading {
  const [first] = cells;
  if (rows > 1) return { kind: 'list', shown: short(`[${cells.slice(0, 40).join(', ')}]`), source };
  if (first === undefined) return { kind: 'null', shown: '', source };
  const value = numberOf(first);
  return value === undefined
    ? { kind: 'text', shown: short(JSON.stringify(first)), source }
    : readNumber(value, source);
}
