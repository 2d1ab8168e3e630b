import { err, ok, type Result } from '../base/result.ts';
import type { MetricReading } from '../verdict/types.ts';

const marker = '\uE000mlops-not-finite:';
const most = 1000;

/**
 * A file of metrics as Python writes it, where NaN and Infinity are words of JSON. Nested objects give `outer.inner`.
 * What is no number is kept as what it is: a requirement on it fails by name.
 */
export function readMetrics(text: string, source: string): Result<Readonly<Record<string, MetricReading>>, string> {
  let value: unknown;
  try {
    value = JSON.parse(
      text
        .replace(/^\uFEFF/, '')
        .replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/gs, (token) =>
          token.startsWith('"') ? token : JSON.stringify(`${marker}${token}`),
        ),
    );
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
  if (!isRecord(value)) return err('not an object of names and numbers');
  const readings: [string, MetricReading][] = [];
  const walk = (object: Readonly<Record<string, unknown>>, prefix: string) => {
    for (const [name, member] of Object.entries(object)) {
      if (isRecord(member) && Object.keys(member).length > 0) walk(member, `${prefix}${name}.`);
      else readings.push([`${prefix}${name}`, readingOf(member, source)]);
    }
  };
  walk(value, '');
  // A file of per-sample scores is no file of metrics, and would be in every clone.
  return readings.length > most ? err(`more than ${most} values`) : ok(Object.fromEntries(readings));
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const short = (text: string) => (text.length <= 200 ? text : `${text.slice(0, 200)}...`);

function readingOf(value: unknown, source: string): MetricReading {
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return { kind: 'number', value, source };
    return { kind: value > 0 ? 'infinity' : 'minus-infinity', source };
  }
  if (typeof value === 'string') {
    if (value === `${marker}NaN`) return { kind: 'nan', source };
    if (value === `${marker}Infinity`) return { kind: 'infinity', source };
    if (value === `${marker}-Infinity`) return { kind: 'minus-infinity', source };
    return { kind: 'text', shown: short(JSON.stringify(value)), source };
  }
  if (typeof value === 'boolean') return { kind: 'boolean', shown: String(value), source };
  if (value === null || value === undefined) return { kind: 'null', shown: 'null', source };
  const shown = short(JSON.stringify(value).replaceAll(marker, ''));
  return { kind: Array.isArray(value) ? 'list' : 'object', shown, source };
}
