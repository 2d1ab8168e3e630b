import { width } from '../../lib/cli/screens/layout.ts';
import type { Setting } from '../../lib/cli/screens/setting.ts';
import { plain, type Style } from '../../lib/cli/style.ts';

/** Tuesday, 24 November 2026, 14:30 in Berlin. */
export const now = Date.parse('2026-11-24T13:30:00Z') / 1000;
export const setting: Setting = {
  style: plain,
  clock: { now, timeZone: 'Europe/Berlin' },
  again: 'git push',
  holdsPush: true,
};

const sgr = (code: number) => (text: string) => `\u001b[${code}m${text}\u001b[0m`;
export const coloured: Style = {
  bold: sgr(1),
  dim: sgr(2),
  red: sgr(31),
  green: sgr(32),
  yellow: sgr(33),
  cyan: sgr(36),
};

/** A whole screen as its golden file holds it: the command, and what is seen then. */
export const screen = (command: string, lines: readonly string[]): string =>
  [`$ ${command}`, ...lines.map((line) => line.replaceAll('\u001b', '␛')), ''].join('\n');

/** Lines that do not fit: nothing but a command to type may be longer than this. */
export const tooWide = (lines: readonly string[], columns = 100): readonly string[] =>
  lines.filter((line) => width(line) > columns);

/** What may never get to a terminal: control characters but those of our own colours, and what turns text around. */
export const dangerous = (lines: readonly string[]): readonly string[] =>
  lines.filter((line) =>
    /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/.test(line.replace(/\u001b\[\d+m/g, '')),
  );

/** Text that would like to be something else: escapes, bidi, lines, and more than fits. */
export const evil = `\u001b[2J\u001b]0;title\u0007a\u202eb\r\nc\u009b31m${'x'.repeat(10_000)}\u0000`;
