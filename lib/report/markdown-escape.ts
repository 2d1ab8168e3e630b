import { printable, printableLine } from '../base/printable.ts';

/** Text on one line of Markdown, as text: no markup, no HTML, no link, no mention of a person or an issue. */
export function markdownText(text: string): string {
  return printableLine(text)
    .replaceAll('\t', ' ')
    .replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character] ?? '')
    .replace(/[\\`*_[\]#|~$]/g, '\\$&')
    .replace(/^([-+])(?=\s)/, '\\$1')
    .replace(/^(\d+)([.)])(?=\s)/, '$1\\$2')
    .replace(/@/g, '&#64;')
    .replace(/:\/\//g, '&#58;//')
    .replace(/\bwww\./gi, 'www&#46;');
}

/** In a cell of a table, where GFM looks for `|` even inside of code. */
export const markdownCell = (text: string): string => markdownText(text).replaceAll('\n', ' ') || ' ';

/** Code on one line; the fence is longer than any run of backticks within. */
export function markdownCode(text: string): string {
  const line = printableLine(text).replaceAll('\t', ' ').replaceAll('|', '¦');
  if (line.trim() === '') return '';
  const fence = '`'.repeat(longestRun(line) + 1);
  const pad = fence.length > 1 || /^[ `]|[ `]$/.test(line) ? ' ' : '';
  return `${fence}${pad}${line}${pad}${fence}`;
}

/** A block of code that its content cannot end. */
export function markdownBlock(text: string): string {
  const clean = printable(text).trimEnd();
  const fence = '`'.repeat(Math.max(3, longestRun(clean) + 1));
  return `${fence}text\n${clean}\n${fence}`;
}

const longestRun = (text: string): number => Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
