import type { MetricReading } from '../verdict/types.ts';
import { spreadIn } from './metric-table.ts';
import { formatChange, formatMetric, precisionFor } from './numbers.ts';
import { requiredMetrics } from './required.ts';
import type { Report } from './types.ts';
import { readingText, spreadText } from './words.ts';

/** One metric in two runs. Absent on a side: that run did not measure it. */
export interface MetricDifference {
  readonly metric: string;
  readonly before?: MetricReading;
  readonly after?: MetricReading;
  /** Where both are numbers. */
  readonly change?: number;
}

/** Every metric of two runs, the required ones of the newer first, then by name. An error says nothing of the model. */
export function metricDifferences(before: Report | undefined, after: Report | undefined): readonly MetricDifference[] {
  const [old, now] = [metricsOf(before), metricsOf(after)];
  const required = requiredMetrics(after?.verdict);
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])].sort();
  const first = required.filter((name) => names.includes(name));
  return [...first, ...names.filter((name) => !first.includes(name))].map((metric): MetricDifference => {
    const [a, b] = [own(old, metric), own(now, metric)];
    return {
      metric,
      ...(a === undefined ? {} : { before: a }),
      ...(b === undefined ? {} : { after: b }),
      ...(a?.kind === 'number' && b?.kind === 'number' ? { change: b.value - a.value } : {}),
    };
  });
}

type Metrics = Readonly<Record<string, MetricReading>>;
const metricsOf = (report: Report | undefined): Metrics =>
  report?.run === undefined || report.verdict?.kind === 'error' ? {} : report.run.metrics;
const own = (metrics: Metrics, name: string): MetricReading | undefined =>
  Object.hasOwn(metrics, name) ? metrics[name] : undefined;

export interface MetricDifferenceText {
  readonly before: string;
  readonly after: string;
  readonly change: string;
}

/** With the same places after the point, the spread of seeds where there is one, and the change where both are numbers. */
export function metricDifferenceText(
  { metric, before, after, change }: MetricDifference,
  reports: { readonly before?: Report | undefined; readonly after?: Report | undefined },
): MetricDifferenceText {
  const numbers = [before, after].flatMap((reading) => (reading?.kind === 'number' ? [reading.value] : []));
  const [a, b] = numbers;
  const precision = precisionFor(numbers, a === undefined || b === undefined ? [] : [[a, b]]);
  const text = (reading: MetricReading | undefined, report: Report | undefined): string => {
    if (reading?.kind !== 'number') return reading === undefined ? '' : readingText(reading);
    const spread = report?.run === undefined ? undefined : spreadIn(report.run, metric);
    const value = formatMetric(reading.value, precision);
    return spread === undefined ? value : `${value} ${spreadText(spread.n, spread.sd, precision)}`;
  };
  return {
    before: text(before, reports.before),
    after: text(after, reports.after),
    change: change === undefined ? '' : formatChange(change, precision),
  };
}
