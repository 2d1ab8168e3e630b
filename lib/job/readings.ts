import { err, ok, type Result } from '../base/result.ts';
import { nameOf } from '../verdict/bounds.ts';
import type { MetricReading } from '../verdict/types.ts';

/** A file of per-sample scores is no file of metrics, and would be in every clone. */
export const mostMetrics = 1000;

export interface ReadMetrics {
  readonly readings: Readonly<Record<string, MetricReading>>;
  /** Of those that are lists of numbers alone, all values: some may be asked for as curves. */
  readonly lists: Readonly<Record<string, readonly number[]>>;
}

/** A map of names and numbers. Nested maps give `outer.inner`. What is no number is kept as what it is: a requirement on it fails by name. */
export function readingsOf(value: unknown, source: string): Result<ReadMetrics, string> {
  if (!isRecord(value)) return err('not a map of names and numbers');
  const readings: [string, MetricReading][] = [];
  const lists: [string, readonly number[]][] = [];
  const walk = (object: Readonly<Record<string, unknown>>, prefix: string) => {
    for (const [name, member] of Object.entries(object)) {
      if (isRecord(member) && Object.keys(member).length > 0) walk(member, `${prefix}${name}.`);
      else {
        readings.push([`${prefix}${name}`, readingOf(member, source)]);
        if (isListOfNumbers(member)) lists.push([`${prefix}${name}`, member]);
      }
    }
  };
  walk(value, '');
  if (readings.length > mostMetrics) return err(`more than ${mostMetrics} values`);
  return ok({ readings: Object.fromEntries(readings), lists: Object.fromEntries(lists) });
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isListOfNumbers = (value: unknown): value is readonly number[] =>
  Array.isArray(value) && value.length > 0 && value.every((member) => typeof member === 'number');

export const short = (text: string) => (text.length <= 200 ? text : `${text.slice(0, 200)}...`);

export const readNumber = (value: number, source: string): MetricReading =>
  Number.isFinite(value) ? { kind: 'number', value, source } : { kind: nameOf(value), source };

function readingOf(value: unknown, source: string): MetricReading {
  if (typeof value === 'number') return readNumber(value, source);
  if (typeof value === 'boolean') return { kind: 'boolean', shown: String(value), source };
  if (value === null || value === undefined) return { kind: 'null', shown: 'null', source };
  const shown = short(
    JSON.stringify(value, (_, member: unknown) =>
      typeof member === 'number' && !Number.isFinite(member) ? String(member) : member,
    ),
  );
  return { kind: typeof value === 'string' ? 'text' : Array.isArray(value) ? 'list' : 'object', shown, source };
}
