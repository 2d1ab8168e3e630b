import { has, type Loose } from './loose.ts';
import type { Path } from './path.ts';
import type { Reporter } from './reporter.ts';
import { parseSignal, parseTime } from './units.ts';

const oneHour = 3600;

/** A signal has to come after the beginning. What a step leaves out comes from `base`. */
export function checkSignal(written: Loose, base: Loose, at: Path, report: Reporter): void {
  if (!has(written, 'signal') && !has(written, 'time')) return;
  const signal = parseSignal(String(written.signal ?? base.signal));
  const time = written.time ?? base.time;
  const seconds = time === undefined ? oneHour : parseTime(String(time));
  if (signal === undefined || seconds === undefined || signal.seconds < seconds) return;
  report.error(
    'conflict',
    [...at, has(written, 'signal') ? 'signal' : 'time'],
    'value',
    `the signal would come ${signal.seconds} s before the end, and the whole time is ${seconds} s`,
    'fewer seconds, or more time',
  );
}
