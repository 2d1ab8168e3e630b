import { printableLine } from '../base/printable.ts';
import { unitOf } from '../config/quantity.ts';
import { blocks } from '../verdict/judge.ts';
import { sampleOf, summarise } from '../verdict/sample.ts';
import type { AdvisoryCheck, Baseline, Check, MetricReading, RunResult, Verdict } from '../verdict/types.ts';
import { formatBound, formatChange, formatMetric, type Precision, precisionFor } from './numbers.ts';
import { allChecks, readingIn, requiredMetrics, spreadOfChecks } from './required.ts';
import { cut } from './trim.ts';
import { baselineOf, finerOf, marginText, readingText, spreadText } from './words.ts';

export interface MetricTable {
  /** `main`, or `baseline` where there are several. Undefined: nothing was compared with. */
  readonly baseline?: string;
  readonly rows: readonly MetricRow[];
  /** Metrics that did not find a place. */
  readonly more: number;
}
export interface MetricRow {
  readonly metric: string;
  readonly value: string;
  readonly baseline: string;
  readonly change: string;
  readonly required: readonly RequiredText[];
}
export interface RequiredText {
  readonly text: string;
  /** `open`: there was nothing to compare with, and that is allowed; or a goal that is not reached. */
  readonly state: 'met' | 'missed' | 'warns' | 'open';
}

const most = 12;
type AnyCheck = Check | AdvisoryCheck;

/** Metric, this, baseline, change, required: what the terminal and the Markdown report both show. Required metrics come first. */
export function metricTable(
  verdict: Verdict,
  run: Pick<RunResult, 'metrics' | 'tasks'>,
  baselines: readonly Baseline[],
): MetricTable {
  const all = allChecks(verdict);
  const required = requiredMetrics(verdict);
  const others = Object.keys(run.metrics)
    .filter((metric) => !required.includes(metric))
    .sort();
  const names = [...required, ...others];
  const compared = [
    ...new Set(baselines.filter(({ metrics }) => Object.keys(metrics).length > 0).map(({ name }) => name)),
  ];
  const [only] = compared;
  const head = only === undefined ? {} : { baseline: compared.length === 1 ? label(only) : 'baseline' };
  const rows = names.slice(0, Math.max(most, required.length)).map((metric) => {
    const checks = all.filter((check) => check.metric === metric);
    const spread = spreadIn(run, metric) ?? spreadOfChecks(checks);
    return row(metric, readingIn(run, verdict, metric), checks, baselines, spread);
  });
  return { ...head, rows, more: names.length - rows.length };
}

type SampleSpread = { readonly n: number; readonly sd: number };

/** Of a metric that seeds have measured: how many, and how far apart. */
export function spreadIn({ tasks = [] }: Pick<RunResult, 'tasks'>, metric: string): SampleSpread | undefined {
  const sample = sampleOf(tasks, metric);
  return sample === undefined || sample.length < 2 ? undefined : summarise(sample.map(({ value }) => value));
}

function row(
  metric: string,
  reading: MetricReading,
  checks: readonly AnyCheck[],
  baselines: readonly Baseline[],
  spread: SampleSpread | undefined,
): MetricRow {
  const value = reading.kind === 'number' ? reading.value : undefined;
  const baseline = checks.map((check) => baselineOf(check, baselines)).find((found) => found !== undefined);
  const limits = checks.flatMap(({ limit }) => (limit === undefined ? [] : [limit]));
  const precision = precisionFor(
    [value, baseline].filter((number) => number !== undefined),
    value === undefined ? [] : limits.map((limit) => [value, limit] as const),
    unitOf(metric),
  );
  const change = value === undefined || baseline === undefined ? '' : formatChange(value - baseline, precision);
  return {
    metric: label(metric),
    value:
      value === undefined
        ? readingText(reading, unitOf(metric))
        : [
            formatMetric(value, precision),
            ...(spread === undefined ? [] : [spreadText(spread.n, spread.sd, precision)]),
          ].join(' '),
    baseline: baseline === undefined ? '' : formatMetric(baseline, precision),
    change,
    required: checks.map((check) => requiredText(check, (limit) => limitText(limit, precision))),
  };
}

/** 1 % below 0.9 is no 0.9: a limit that was computed has three significant digits where the values have fewer. */
const limitText = (limit: number, precision: Precision): string =>
  precision.kind === 'seconds' || precision.kind === 'bytes'
    ? formatMetric(limit, precision)
    : formatMetric(limit, finerOf(precision, precisionFor([Number(limit.toPrecision(3))])));

function requiredText(check: AnyCheck, format: (limit: number) => string): RequiredText {
  const lead = { hard: '', warn: 'warns unless ', goal: 'goal ' }['level' in check ? check.level : 'hard'];
  // A sign alone would look like a no.
  const open = check.outcome === 'undecided' ? ': undecided' : '';
  return { text: `${lead}${boundText(check, format)}${open}`, state: stateOf(check) };
}

function boundText({ metric, requirement, bound, limit }: Check, format: (limit: number) => string): string {
  if (bound === 'number') return 'a number';
  if (bound === 'min') return `≥ ${formatBound(requirement.min ?? limit ?? Number.NaN, unitOf(metric))}`;
  if (bound === 'max') return `≤ ${formatBound(requirement.max ?? limit ?? Number.NaN, unitOf(metric))}`;
  if (bound === 'equals') return `= ${formatBound(limit ?? Number.NaN, unitOf(metric))}`;
  const within = `within ${marginText(bound === 'max_drop' ? requirement.maxDrop : requirement.maxRise)} of ${label(requirement.baseline ?? 'the baseline')}`;
  return limit === undefined
    ? `${within}: no baseline yet`
    : `${bound === 'max_drop' ? '≥' : '≤'} ${format(limit)} (${within})`;
}

function stateOf(check: AnyCheck): RequiredText['state'] {
  if (check.outcome === 'met') return 'met';
  if (!('level' in check)) return blocks(check) ? 'missed' : 'open';
  return check.level === 'warn' && !check.outcome.startsWith('no-baseline') ? 'warns' : 'open';
}

const label = (text: string): string => cut(printableLine(text), 30);

/** They repeat in a sign what stands beside them in numbers. */
export const mark: Readonly<Record<RequiredText['state'], string>> = { met: '✓', missed: '✗', warns: '!', open: '–' };
