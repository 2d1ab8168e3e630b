import { printable, printableLine } from '../../base/printable.ts';
import { shellQuote } from '../../base/shell-quote.ts';

/** Widest line of a screen. */
export const widest = 100;
const indent = '       ';
const labelWidth = 9;

/** The first line of a screen, under which the others are indented. */
export const lead = (text: string): string => `mlops  ${text}`.trimEnd();
export const under = (text: string): string => (text === '' ? '' : `${indent}${text}`.trimEnd());
/** `       next     mlops push`. */
export const labelled = (label: string, text: string): string => under(`${label.padEnd(labelWidth - 1)} ${text}`);

export const joined = (parts: readonly (string | undefined | false)[]): string =>
  parts.filter((part) => part !== undefined && part !== false && part !== '').join(' · ');

/** What is longer is cut before it is looked at, so that a megabyte costs nothing. Room for characters of many code units. */
const mostCharacters = (columns: number): number => 200 + 8 * columns;

/** What someone else wrote, on one line, for a place that has room for so much. */
export const said = (text: string, columns = 80): string =>
  clip(
    printableLine(text.slice(0, mostCharacters(columns)))
      .replaceAll('\t', ' ')
      .trim(),
    columns,
  );

/** A word of a command to type: never cut, or it would be another command. */
export const word = (text: string): string => shellQuote(printableLine(text));

/** Most of what there is, and a hundred times as fast to measure. */
const ascii = /^[\x20-\x7e]*$/;
const sgr = /^\u001b\[[0-9;]*m/;
let segmenter: Intl.Segmenter | undefined;

/** Made when the first text needs it: that takes ten milliseconds, half as long as node itself to start. */
function graphemes(text: string): Iterable<{ readonly segment: string }> {
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  return segmenter.segment(text);
}

/** Columns on a terminal: East Asian wide characters and emoji take two, combining marks none, colour nothing. */
export function width(text: string): number {
  if (ascii.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of graphemes(text.replace(/\u001b\[[0-9;]*m/g, ''))) columns += columnsOf(segment);
  return columns;
}

const wide =
  /^(?:\p{Emoji_Presentation}|.\ufe0f|[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\ua960-\ua97f\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}])/u;
const none = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;
const columnsOf = (grapheme: string): number => (none.test(grapheme) ? 0 : wide.test(grapheme) ? 2 : 1);

/** Cut to so many columns, with `…` at the end. Colours are kept, so that what is switched on is switched off. */
export function clip(text: string, columns: number): string {
  if (width(text) <= columns) return text;
  if (ascii.test(text)) return `${text.slice(0, Math.max(0, columns - 1))}…`;
  let out = '';
  let used = 0;
  let full = false;
  for (let rest = text; rest !== ''; ) {
    const [colour] = sgr.exec(rest) ?? [];
    if (colour !== undefined) {
      out += colour;
      rest = rest.slice(colour.length);
      continue;
    }
    const next = rest.indexOf('\u001b');
    const run = next < 0 ? rest : rest.slice(0, Math.max(1, next));
    for (const { segment } of full ? [] : graphemes(run)) {
      const more = columnsOf(segment);
      if (used + more > columns - 1) {
        out += '…';
        full = true;
        break;
      }
      out += segment;
      used += more;
    }
    rest = rest.slice(run.length);
  }
  return out;
}

const padEnd = (text: string, columns: number): string => text + ' '.repeat(Math.max(0, columns - width(text)));
const padStart = (text: string, columns: number): string => ' '.repeat(Math.max(0, columns - width(text))) + text;

export interface Column {
  readonly right?: boolean;
  /** Cut to this. */
  readonly most?: number;
}

/** Aligned cells, three spaces apart, and no spaces at the end of a line, unless something is to follow (`filled`). */
export function columns(
  rows: readonly (readonly string[])[],
  formats: readonly Column[] = [],
  filled = false,
): readonly string[] {
  const cut = rows.map((row) => row.map((cell, index) => clip(cell, formats[index]?.most ?? widest)));
  const widths: number[] = [];
  for (const row of cut) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, width(cell));
  }
  const lines = cut.map((row) =>
    row
      .map((cell, index) => (formats[index]?.right === true ? padStart : padEnd)(cell, widths[index] ?? 0))
      .join('   '),
  );
  return filled ? lines : lines.map((line) => line.trimEnd());
}

/** Two texts on one line, the second at the right edge. */
export function spread(left: string, right: string, columns = 78): string {
  if (right === '') return left;
  return `${left}${' '.repeat(Math.max(2, columns - width(left) - width(right)))}${right}`;
}

/** Lines of at most so many columns, broken at spaces, and inside of what is longer than a line. What fits stays as it is. */
export function wrap(text: string, columns: number): readonly string[] {
  if (width(text) <= columns) return [text];
  const lines: string[] = [];
  let line = '';
  for (const whole of text.split(' ')) {
    for (const [index, part] of pieces(whole, columns).entries()) {
      const joined = line === '' || index > 0 ? part : `${line} ${part}`;
      const begins = index > 0 || (line !== '' && width(joined) > columns);
      if (begins) lines.push(line);
      line = begins ? part : joined;
    }
  }
  return [...lines, line];
}

function pieces(word: string, columns: number): readonly string[] {
  if (width(word) <= columns) return [word];
  const parts: string[] = [];
  let part = '';
  let used = 0;
  for (const { segment } of graphemes(word)) {
    const more = columnsOf(segment);
    if (used + more > columns) {
      parts.push(part);
      [part, used] = ['', 0];
    }
    part += segment;
    used += more;
  }
  return [...parts, part];
}

/** Columns beside the labels. */
const room = 82;

/** Texts of any length under one label, each on lines of its own; without a label under the first line. */
export function paragraph(
  label: string,
  texts: readonly string[],
  paint = (line: string): string => line,
): readonly string[] {
  return texts
    .filter((text) => text !== '')
    .flatMap((text) => wrap(text, room))
    .map((line, index) => (index === 0 ? labelled(label, paint(line)) : labelled('', paint(line))));
}

const raw = { first: 15, last: 45 } as const;
const longestLine = 4000;

/** Another program's own words, line by line. Of a flood the beginning and the end, and how much is between. */
export function saidLines(text: string, columns = room): readonly string[] {
  const lines = printable(text.replace(/\r\n?/g, '\n'))
    .split('\n')
    .map((line) => line.replaceAll('\t', '    ').trimEnd())
    .filter((line) => line.trim() !== '');
  const left = lines.length - raw.first - raw.last;
  const shown = left > 0 ? [...lines.slice(0, raw.first), `… ${left} lines …`, ...lines.slice(-raw.last)] : lines;
  const cut = (line: string): string => (line.length > longestLine ? `${line.slice(0, longestLine)} …` : line);
  return shown.flatMap((line) => wrap(cut(line), columns));
}
