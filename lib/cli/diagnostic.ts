import { printable, printableLine } from '../base/printable.ts';
import type { Diagnostic } from '../config/types.ts';
import { width } from './screens/layout.ts';
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
  const words = `${warning ? style.yellow('warning: ') : ''}${printableLine(message)}${hint === undefined ? '' : `; ${printableLine(hint)}`}`;
  // Line 0: not from a file, see SourceRange.
  const place = range.line === 0 ? range.file : `${range.file}:${range.line}:${range.column}`;
  const head = `${style.bold(printableLine(place))}  ${words}`;
  const number = range.line === 0 ? '' : String(range.line);
  const gutter = (text: string) => style.dim(`${text.padStart(Math.max(5, number.length + 3))} |`);
  const shown = `${gutter(number)} ${clean(range.text)}`;
  if (range.line === 0) return `${head}\n${shown}`;
  const before = clean(range.text.slice(0, range.column - 1));
  const marked = clean(range.text.slice(range.column - 1, range.column - 1 + range.length));
  const carets = '^'.repeat(Math.max(1, width(marked)));
  // A tab stays a tab, so that the terminal moves both lines alike.
  const indent = before.replace(/[^\t]/gu, (character) => ' '.repeat(width(character)));
  return `${head}\n${shown}\n${gutter('')} ${indent}${(warning ? style.yellow : style.red)(carets)}`;
}

const clean = (text: string): string => printable(text).replaceAll('\n', ' ');
