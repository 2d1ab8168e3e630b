import { printable, printableLine } from '../base/printable.ts';
import type { Diagnostic } from '../config/types.ts';
import { clip, width } from './screens/layout.ts';
import { plain, type Style } from './style.ts';

/**
 * A mistake with its place and the line underlined:
 *
 *     .mlops/config.yaml:14:5  unknown key `metric` in a notebook step; did you mean `metrics`?
 *        14 |     metric: { … }
 *           |     ^^^^^^
 */
export function formatDiagnostic(diagnostic: Diagnostic, style: Style = plain): string {
  const { range, severity, message, hint } = diagnostic;
  const warning = severity === 'warning';
  const said = [message, ...(hint === undefined ? [] : [hint])].map((text) => clip(printableLine(text), mostWords));
  const words = `${warning ? style.yellow('warning: ') : ''}${said.join('; ')}`;
  // Line 0: not from a file, see SourceRange.
  const place = range.line === 0 ? range.file : `${range.file}:${range.line}:${range.column}`;
  const head = `${style.bold(printableLine(place))}  ${words}`;
  const number = range.line === 0 ? '' : String(range.line);
  const gutter = (text: string) => style.dim(`${text.padStart(Math.max(5, number.length + 3))} |`);
  const { before, marked, after } = excerpt(range);
  const shown = `${gutter(number)} ${before}${marked}${after}`;
  if (range.line === 0) return `${head}\n${shown}`;
  const carets = '^'.repeat(Math.max(1, width(marked)));
  // A tab stays a tab, so that the terminal moves both lines alike.
  const indent = before.replace(/[^\t]/gu, (character) => ' '.repeat(width(character)));
  return `${head}\n${shown}\n${gutter('')} ${indent}${(warning ? style.yellow : style.red)(carets)}`;
}

const mostWords = 400;
/** Columns of a line of the file; of a longer one, what is around the mistake. */
const mostColumns = 84;

function excerpt({
  text,
  column,
  length,
}: Diagnostic['range']): Readonly<Record<'before' | 'marked' | 'after', string>> {
  const end = column - 1 + length;
  const before = clean(text.slice(0, column - 1));
  const marked = clean(text.slice(column - 1, end));
  const after = clean(text.slice(end));
  if (width(before + marked + after) <= mostColumns) return { before, marked, after };
  const room = mostColumns - Math.min(width(marked), mostColumns / 2);
  const left = width(before) <= room / 2 ? before : `…${lastColumns(before, room / 2)}`;
  const middle = clip(marked, mostColumns / 2);
  return { before: left, marked: middle, after: clip(after, mostColumns - width(left) - width(middle)) };
}

function lastColumns(text: string, columns: number): string {
  let kept = '';
  for (const character of [...text.slice(-2 * columns)].reverse()) {
    if (width(character + kept) > columns - 1) break;
    kept = character + kept;
  }
  return kept;
}

const clean = (text: string): string => printable(text).replaceAll('\n', ' ');
