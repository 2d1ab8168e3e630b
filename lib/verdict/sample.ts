import type { Requirement } from '../config/types.ts';
import { studentQuantile } from './student.ts';
import type { MetricReading, SampleValue, TaskResult } from './types.ts';

export interface Summary {
  readonly n: number;
  readonly mean: number;
  /** Of the sample, with n − 1; 0 for a single value. */
  readonly sd: number;
}

export function summarise(values: readonly number[]): Summary {
  const n = values.length;
  // All equal is equal: a mean that is rounded would make a spread of it.
  const [first = Number.NaN] = values;
  if (values.every((value) => value === first)) return { n, mean: first, sd: 0 };
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { n, mean, sd: Math.sqrt(squares / (n - 1)) };
}

/** What a metric is called for one combination of the matrix: `rprec[lr=0.1]`. Without a matrix it keeps its name. */
export const nameIn = (metric: string, combination: string): string =>
  combination === '' ? metric : `${metric}[${combination}]`;

/** The values of one metric by seed; undefined where no task has a seed. Only for a metric that every task measured. */
export function sampleOf(tasks: readonly TaskResult[], name: string): readonly SampleValue[] | undefined {
  const values = tasks.flatMap(({ combination, metrics, seed }): readonly (SampleValue | undefined)[] =>
    Object.entries(metrics)
      .filter(([metric]) => nameIn(metric, combination) === name)
      .map(([, reading]) =>
        seed !== undefined && reading.kind === 'number' ? { seed, value: reading.value } : undefined,
      ),
  );
  const complete = values.filter((value) => value !== undefined);
  return complete.length === 0 || complete.length < values.length ? undefined : complete;
}

/** One reading for all of a metric's tasks: their mean, or what the first one is that is not a finite number. */
export function meanReading(readings: readonly MetricReading[]): MetricReading {
  const odd = readings.find((reading) => reading.kind !== 'number' || !Number.isFinite(reading.value));
  const [first] = readings;
  if (odd !== undefined || first === undefined) return odd ?? { kind: 'missing', source: '' };
  const values = readings.flatMap((reading) => (reading.kind === 'number' ? [reading.value] : []));
  return { kind: 'number', value: summarise(values).mean, source: first.source };
}

/** How uncertain the mean is, by the rule that fits what it is compared with. */
export interface Spread {
  readonly rule: 'mean' | 'paired' | 'welch';
  readonly error: number;
  readonly df: number;
  /** The same, had the run this many seeds and the same spread. */
  readonly withSeeds: (n: number) => { readonly error: number; readonly df: number };
}

/** Paired where both runs have the very same seeds; else Welch; against a constant the sample's own error. */
export function spreadOf(values: readonly SampleValue[], baseline: readonly SampleValue[] | undefined): Spread {
  const own = summarise(values.map(({ value }) => value));
  if (baseline === undefined || baseline.length < 2) return spread('mean', own);
  const before = new Map(baseline.map(({ seed, value }) => [seed, value]));
  const differences = values.flatMap(({ seed, value }) => {
    const other = before.get(seed);
    return other === undefined ? [] : [value - other];
  });
  if (differences.length === values.length && before.size === values.length)
    return spread('paired', summarise(differences));
  const base = summarise(baseline.map(({ value }) => value));
  const welch = (n: number) => {
    const [a, b] = [own.sd ** 2 / n, base.sd ** 2 / base.n];
    return { error: Math.sqrt(a + b), df: (a + b) ** 2 / (a ** 2 / (n - 1) + b ** 2 / (base.n - 1)) };
  };
  return { rule: 'welch', ...welch(own.n), withSeeds: welch };
}

function spread(rule: 'mean' | 'paired', { n, sd }: Summary): Spread {
  const at = (seeds: number) => ({ error: sd / Math.sqrt(seeds), df: seeds - 1 });
  return { rule, ...at(n), withSeeds: at };
}

const usual = 0.95;
/**
 * Who may look twice (`undecided: more`) looks harder both times: the chance of a false pass at either look is at most the sum of the
 * two (Bonferroni), whatever the first has shown, since how many seeds the second has was declared before it.
 */
export const confidenceFor = ({ undecided }: Pick<Requirement, 'undecided'>): number =>
  undecided === 'more' ? 0.975 : usual;
export const isUsual = (confidence: number): boolean => confidence === usual;

/** How far the mean may be off, to one side. */
export const halfWidth = (
  { error, df }: { readonly error: number; readonly df: number },
  confidence: number,
): number => (error === 0 ? 0 : studentQuantile(confidence, df) * error);

/** No advice beyond: a difference that small needs another experiment, not more seeds. */
const mostSeeds = 200;

/** How many seeds more would decide it, if mean and spread stay what they are; undefined: more than anyone would run. */
export function moreSeeds({ withSeeds }: Spread, n: number, distance: number, confidence: number): number | undefined {
  for (let seeds = n + 1; seeds <= mostSeeds; seeds += 1) {
    if (halfWidth(withSeeds(seeds), confidence) <= distance) return seeds - n;
  }
  return undefined;
}
