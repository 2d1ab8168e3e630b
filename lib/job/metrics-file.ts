import { err, ok, type Result } from '../base/result.ts';
import type { MetricReading } from '../verdict/types.ts';

type Readings = Readonly<Record<string, MetricReading>>;
const most = 1000;

/** What a step wrote: YAML by its name, else JSON. Nested maps give `outer.inner`. What is no number is kept as what it is: a requirement on it fails by name. */
export async function readMetrics(text: string, source: string): Promise<Result<Readings, string>> {
  let value: unknown;
  try {
    value = /\.ya?ml$/i.test(source) ? await parseYaml(text) : parseJson(text);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
  return readings(value, source);
}

async function parseYaml(text: string): Promise<unknown> {
  const { parse } = await import('yaml');
  // Its warnings would go to the terminal.
  return parse(text, { logLevel: 'error' });
}

const marker = '\uE000mlops-not-finite:';

/** JSON as Python writes it, where NaN and Infinity are words. */
function parseJson(text: string): unknown {
  const marked = text
    .replace(/^\uFEFF/, '')
    .replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/gs, (token) =>
      token.startsWith('"') ? token : JSON.stringify(`${marker}${token}`),
    );
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === 'string' && value.startsWith(marker) ? Number(value.slice(marker.length)) : value,
  );
}

/** What the notebook driver has heard a notebook glue, by name. */
export function readScraps(text: string): Result<Readings, string> {
  try {
    return readings(parseJson(text === '' ? '{}' : text), 'scrapbook');
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

function readings(value: unknown, source: string): Result<Readings, string> {
  if (!isRecord(value)) return err('not a map of names and numbers');
  const found: [string, MetricReading][] = [];
  const walk = (object: Readonly<Record<string, unknown>>, prefix: string) => {
    for (const [name, member] of Object.entries(object)) {
      if (isRecord(member) && Object.keys(member).length > 0) walk(member, `${prefix}${name}.`);
      else found.push([`${prefix}${name}`, readingOf(member, source)]);
    }
  };
  walk(value, '');
  // A file of per-sample scores is no file of metrics, and would be in every clone.
  return found.length > most ? err(`more than ${most} values`) : ok(Object.fromEntries(found));
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const short = (text: string) => (text.length <= 200 ? text : `${text.slice(0, 200)}...`);

function readingOf(value: unknown, source: string): MetricReading {
  if (typeof value === 'number') {
    if (Number.isFinite(value)) return { kind: 'number', value, source };
    return { kind: Number.isNaN(value) ? 'nan' : value > 0 ? 'infinity' : 'minus-infinity', source };
  }
  if (typeof value === 'boolean') return { kind: 'boolean', shown: String(value), source };
  if (value === null || value === undefined) return { kind: 'null', shown: 'null', source };
  const shown = short(
    JSON.stringify(value, (_, member: unknown) =>
      typeof member === 'number' && !Number.isFinite(member) ? String(member) : member,
    ),
  );
  return { kind: typeof value === 'string' ? 'text' : Array.isArray(value) ? 'list' : 'object', shown, source };
}
