import type { EarlySignal, Margin } from './types.ts';

/** sbatch's forms of a time: minutes, MM:SS, HH:MM:SS, D-HH, D-HH:MM, D-HH:MM:SS (man sbatch, --time). */
export const timePattern = /^(?:\d+|\d+:\d\d|\d+:\d\d:\d\d|\d+-\d\d?(?::\d\d(?::\d\d)?)?)$/;

/** Seconds; undefined for any other form, and for zero, by which Slurm means "no limit". */
export function parseTime(text: string): number | undefined {
  if (!timePattern.test(text)) return undefined;
  const [first = '', second] = text.split('-');
  const numbers = (second ?? first).split(':').map(Number);
  const [a = 0, b = 0, c = 0] = numbers;
  if (second === undefined && numbers.length === 1) return positive(a * 60);
  if (second === undefined && numbers.length === 2) return positive(a * 60 + b);
  const days = second === undefined ? 0 : Number(first);
  return positive(days * 86_400 + a * 3600 + b * 60 + c);
}

/** Slurm's sizes, 1024-based; people also write GB and GiB for the same. */
export const memPattern = /^\d+(?:\.\d+)?\s*(?:[KMGTkmgt](?:i?[Bb])?)?$/;
const factors: Readonly<Record<string, number>> = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

/** Bytes. A plain number is megabytes, as for sbatch's --mem. */
export function parseMem(text: string): number | undefined {
  if (!memPattern.test(text)) return undefined;
  const unit = /[A-Za-z]/.exec(text)?.[0].toLowerCase() ?? 'm';
  return positive(Math.round(Number.parseFloat(text) * (factors[unit] ?? 0)));
}

export const percentPattern = /^(?:\d+(?:\.\d*)?|\.\d+)\s*%$/;

/** `1%` or an amount of the metric, neither negative. */
export function parseMargin(value: string | number): Margin | undefined {
  if (typeof value === 'number')
    return value >= 0 && Number.isFinite(value) ? { kind: 'absolute', amount: value } : undefined;
  return percentPattern.test(value) ? { kind: 'percent', amount: Number.parseFloat(value) } : undefined;
}

/** A signal before the end, as sbatch writes it: `USR1@120`. Others than these two end the job, or stop it. */
export const signalPattern = /^(?:SIG)?(?:USR1|USR2)@[1-9]\d{0,4}$/;

export function parseSignal(text: string): EarlySignal | undefined {
  if (!signalPattern.test(text)) return undefined;
  const [name = '', seconds = ''] = text.replace(/^SIG/, '').split('@');
  // Slurm takes no more.
  return Number(seconds) > 65_535 ? undefined : { name: name === 'USR1' ? 'USR1' : 'USR2', seconds: Number(seconds) };
}

const positive = (value: number): number | undefined => (value > 0 && Number.isSafeInteger(value) ? value : undefined);

/** Whole days from 1, as `90` or `90d`. */
export function parseDays(text: string): number | undefined {
  const days = Number(/^(\d{1,5})d?$/.exec(text)?.[1] ?? 0);
  return days < 1 ? undefined : days;
}
