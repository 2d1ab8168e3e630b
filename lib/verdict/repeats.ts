import { summarise } from './sample.ts';
import { studentQuantile } from './student.ts';
import type { MetricReading, RunResult } from './types.ts';

/** How a metric came out when the same run was made once more. */
export type Repeat =
  /** The same to the last digit; or not a number in both, in the same way. */
  | 'same'
  /** Another number, and as near as repeated runs of it have been to each other. */
  | 'within'
  | 'different'
  /** Another number, and too few runs to know how much it wobbles by itself. */
  | 'unknown';

export interface RepeatedMetric {
  readonly metric: string;
  readonly before?: MetricReading;
  readonly after?: MetricReading;
  readonly repeat: Repeat;
  /** Where the next run was expected with 95 % confidence, by so many runs before. */
  readonly expected?: { readonly low: number; readonly high: number; readonly runs: number };
}

/** Two runs say little about a spread: with them alone almost everything would be within it. */
const fewest = 3;

/** Compares a run with the one that it repeats; `earlier`: all runs of the same fingerprint before, that one among them. */
export function compareRepeat(
  before: Pick<RunResult, 'metrics'>,
  after: Pick<RunResult, 'metrics'>,
  earlier: readonly Pick<RunResult, 'metrics'>[],
): readonly RepeatedMetric[] {
  const names = [...new Set([...Object.keys(before.metrics), ...Object.keys(after.metrics)])].sort();
  return names.map((metric): RepeatedMetric => {
    const [old, now] = [own(before, metric), own(after, metric)];
    const sides = {
      metric,
      ...(old === undefined ? {} : { before: old }),
      ...(now === undefined ? {} : { after: now }),
    };
    if (isSame(old, now)) return { ...sides, repeat: 'same' };
    if (old?.kind !== 'number' || now?.kind !== 'number') return { ...sides, repeat: 'different' };
    const values = earlier.flatMap((run) => {
      const reading = own(run, metric);
      return reading?.kind === 'number' ? [reading.value] : [];
    });
    if (values.length < fewest) return { ...sides, repeat: 'unknown' };
    const expected = predict(values);
    const within = now.value >= expected.low && now.value <= expected.high;
    return { ...sides, repeat: within ? 'within' : 'different', expected };
  });
}

/** The prediction interval for one more value of a normal sample. */
function predict(values: readonly number[]): NonNullable<RepeatedMetric['expected']> {
  const { n, mean, sd } = summarise(values);
  const half = sd === 0 ? 0 : studentQuantile(0.975, n - 1) * sd * Math.sqrt(1 + 1 / n);
  return { low: mean - half, high: mean + half, runs: n };
}

const own = ({ metrics }: Pick<RunResult, 'metrics'>, metric: string): MetricReading | undefined =>
  Object.hasOwn(metrics, metric) ? metrics[metric] : undefined;

function isSame(a: MetricReading | undefined, b: MetricReading | undefined): boolean {
  if (a === undefined || b === undefined || a.kind !== b.kind) return a === b;
  if (a.kind === 'number') return b.kind === 'number' && Object.is(a.value, b.value);
  return 'shown' in a && 'shown' in b ? a.shown === b.shown : true;
}
