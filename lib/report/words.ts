import { printableLine } from '../base/printable.ts';
import { unreachable } from '../base/unreachable.ts';
import { parseQuantity, type Unit, unitOf } from '../config/quantity.ts';
import type { Margin } from '../config/types.ts';
import type { Unmeasured } from '../verdict/measure-resource.ts';
import type {
  Baseline,
  Check,
  Failure,
  FailureReason,
  MetricReading,
  Verdict,
  VerdictReason,
} from '../verdict/types.ts';
import { findingText } from './finding-words.ts';
import { formatBound, formatMetric, type Precision, plural, precisionFor } from './numbers.ts';
import { cut } from './trim.ts';

/** The first reason in one sentence, without a full stop. Empty for a pass. */
export function headline(verdict: Verdict, baselines: readonly Baseline[]): string {
  const [first] = verdict.reasons;
  if (first === undefined) return '';
  return `${verdict.kind === 'error' ? 'nothing is known about the model: ' : ''}${reasonText(first, baselines)}`;
}

export function reasonText(found: VerdictReason, baselines: readonly Baseline[]): string {
  switch (found.reason) {
    case 'failure':
      return failureText(found.failure);
    case 'finding':
      return findingText(found.finding);
    case 'check':
      return checkText(found.check, found.reading, baselines);
    default:
      return unreachable(found);
  }
}

const line = (text: string): string => cut(printableLine(text), 160);
const because = (lead: string, detail: string): string => (detail.trim() === '' ? lead : `${lead}: ${line(detail)}`);

/** What happened, by reason. */
export const failureWords = {
  exception: ({ exception, detail }) => because('raised', [exception ?? '', detail].find((text) => text !== '') ?? ''),
  'exit-status': ({ detail }) => because('failed', detail),
  'kernel-died': ({ detail }) => because('the kernel died', detail),
  'ended-early': ({ detail }) => because('ended before its last cell', detail),
  'cells-not-run': ({ detail }) => because('cells were not run', detail),
  'metrics-unreadable': ({ exception, detail }) =>
    because('the metrics could not be read', [exception ?? '', detail].filter((text) => text !== '').join(': ')),
  'tests-failed': ({ detail }) => because('tests failed', detail),
  'wrote-into-data': ({ detail }) => because('wrote into data that is not `writable`', detail),
  timeout: () => 'the time limit was reached',
  'out-of-memory': () => 'out of memory',
  'node-failed': () => 'the node failed',
  'boot-failed': () => 'the node did not start',
  preempted: () => 'preempted by another job',
  cancelled: ({ detail }) => because('the job was cancelled', detail),
  deadline: () => 'the job met its deadline before it could run',
  'disk-full': ({ detail }) => because('the disk is full', detail),
  environment: ({ detail }) => because('the environment could not be made', detail),
  'no-python': ({ detail }) => because('no Python there', detail),
  'missing-module': ({ detail }) => because('a module is missing', detail),
  'files-missing': ({ detail }) => because('files are missing', detail),
  'data-changed-there': ({ detail }) => because('the data on the cluster is not what was pinned', detail),
  'no-result': ({ detail }) => because('the job ended and left no result', detail),
  'result-foreign': ({ detail }) => because('the result belongs to another run', detail),
  'infrastructure-exception': ({ exception, detail }) =>
    because('the machine failed', [exception ?? '', detail].find((text) => text !== '') ?? ''),
  'end-unknown': ({ detail }) => because('how the job ended is not known', detail),
  'end-contradicted': ({ detail }) => because('the job says all is well, the scheduler says it is not', detail),
} satisfies Record<FailureReason, (failure: Failure) => string>;

export function failureText(failure: Failure): string {
  const place = placeText(failure);
  const words = failureWords[failure.reason](failure);
  if (failure.side === 'code' && failure.reason !== 'metrics-unreadable')
    return place === '' ? words : `${place} ${words}`;
  return place === '' ? words : `${words}, ${place}`;
}

/** `movie-recs.ipynb cell 42`, `cell 31 of 69`. */
export function placeText({ step, cell, cells, side }: Failure): string {
  const where = cell === undefined ? '' : `cell ${cell}${side === 'code' || cells === undefined ? '' : ` of ${cells}`}`;
  return [step === undefined ? '' : line(step), where].filter((part) => part !== '').join(' ');
}

/** What stands in the place of a number. */
export function readingText(reading: MetricReading, unit?: Unit): string {
  switch (reading.kind) {
    case 'number':
      return formatMetric(reading.value);
    case 'nan':
      return 'NaN';
    case 'infinity':
      return '∞';
    case 'minus-infinity':
      return '−∞';
    case 'missing':
      return unit === undefined ? 'missing' : 'not measured';
    case 'raised':
      return 'raised';
    default:
      return reading.kind;
  }
}

const unmeasured = {
  steps: 'not every step came to its end',
  reused: 'a step was not run again, and what it used is not known',
  scheduler: 'the scheduler did not tell how much the job used',
  artifacts: 'no file of that name was kept',
} satisfies Record<Unmeasured, string>;
const isUnmeasured = (source: string): source is Unmeasured => Object.hasOwn(unmeasured, source);

/** Of one combination of a matrix too: `a - b[lr=0.1]`. */
function isExpression(metric: string): boolean {
  const quantity = parseQuantity(metric.replace(/\[[^\]]*\]$/, ''));
  return quantity.ok && quantity.value.kind === 'expression';
}

const notANumber = {
  nan: () => 'is NaN, not a number',
  infinity: () => 'is infinite',
  'minus-infinity': () => 'is minus infinite',
  text: (shown) => `is a text${shown}, not a number`,
  boolean: (shown) => `is true or false${shown}, not a number`,
  null: () => 'is empty (None, null), not a number',
  list: (shown) => `is a list${shown}, not a number`,
  object: (shown) => `is an object${shown}, not a number`,
  raised: (shown) => `could not be evaluated${shown}`,
  missing: () => 'is missing: no step delivered it',
} satisfies Record<Exclude<MetricReading['kind'], 'number'>, (shown: string) => string>;

/** `soft`: what a limit is called that blocks nothing. */
export function checkText(
  check: Check,
  reading: MetricReading,
  baselines: readonly Baseline[],
  soft?: 'warning limit',
): string {
  const metric = line(check.metric);
  const unit = unitOf(check.metric);
  // `a - b 0.1` would read like more of the expression.
  const read = isExpression(check.metric) ? `${metric} =` : metric;
  if (reading.kind === 'missing' && unit !== undefined)
    return `${metric} was not measured${isUnmeasured(reading.source) ? `: ${unmeasured[reading.source]}` : ''}`;
  if (reading.kind !== 'number') {
    const shown = 'shown' in reading && reading.shown !== '' ? ` (${line(reading.shown)})` : '';
    const trouble = notANumber[reading.kind](shown);
    return isExpression(check.metric) && reading.source !== ''
      ? `${metric} cannot be computed: ${line(reading.source)} ${trouble}`
      : `${metric} ${trouble}`;
  }
  const base = baselineOf(check, baselines);
  const name = line(check.requirement.baseline ?? 'the baseline');
  const { limit } = check;
  if (check.outcome.startsWith('no-baseline')) return `${metric} has nothing to compare with: ${name} has no verdict`;
  if (limit === undefined) return `${metric} has a bound that is not a number`;
  const was = base ?? limit;
  const precision = precisionFor(
    [reading.value, was],
    [
      [reading.value, limit],
      [reading.value, was],
    ],
    unit,
  );
  const value = formatMetric(reading.value, precision);
  if (check.problem === 'baseline-zero')
    return `${read} ${value}: a percentage of ${name}'s 0 allows nothing, give an absolute amount`;
  if (check.outcome === 'undecided')
    return undecidedText(check, limit, soft === undefined ? 'required' : `the ${soft}`);
  const { maxDrop, maxRise, min, max } = check.requirement;
  switch (check.bound) {
    case 'min':
      return `${read} ${value} is below the ${soft ?? 'minimum'} ${formatBound(min ?? limit, unit)}`;
    case 'max':
      return `${read} ${value} is above the ${soft ?? 'maximum'} ${formatBound(max ?? limit, unit)}`;
    case 'equals':
      return `${read} ${value} is not ${formatBound(limit, unit)}${check.problem === 'some-seeds' ? ' for each seed' : ''}`;
    case 'max_drop':
      return `${read} ${value} is more than ${marginText(maxDrop)} below ${name}'s ${formatMetric(was, precision)}`;
    case 'max_rise':
      return `${read} ${value} is more than ${marginText(maxRise)} above ${name}'s ${formatMetric(was, precision)}`;
    case 'number':
      return `${metric} is not a number`;
    default:
      return unreachable(check.bound);
  }
}

/** `rprec 0.395 ± 0.006 (5 seeds) is undecided: …`. What a sample cannot know is said with what would settle it. */
function undecidedText({ metric, sample, bound }: Check, limit: number, asked: string): string {
  if (sample === undefined) return `${line(metric)} is undecided`;
  const { n, mean, sd, bound: reached, more, confidence = 0.95 } = sample;
  const precision = precisionFor(
    [mean],
    [
      [mean, limit],
      [reached, limit],
    ],
  );
  const side = bound === 'min' || bound === 'max_drop' ? 'below' : 'above';
  const [text, computed, at] = [mean, limit, reached].map((value) => formatMetric(value, precision));
  // As it was asked for, where that is a number: 0.598 would be 0.60 beside a mean of 0.61.
  const edge = bound === 'min' || bound === 'max' ? formatBound(limit) : computed;
  const advice =
    more === undefined
      ? 'no reasonable number of seeds would settle it'
      : `about ${plural(more, 'more seed')} would settle it`;
  return `${line(metric)}${isExpression(metric) ? ' =' : ''} ${text} ${spreadText(n, sd, precision)} is undecided: with ${formatBound(confidence * 100)} % confidence it may be as far ${side} as ${at}, ${asked} is ${edge}; ${advice}`;
}

/** `± 0.004 (5 seeds)`: the standard deviation over seeds. */
export const spreadText = (n: number, sd: number, precision: Precision): string =>
  `± ${formatMetric(sd, sd === 0 ? precision : finerOf(precision, precisionFor([Number(sd.toPrecision(1))])))} (${plural(n, 'seed')})`;

/** Of the two, the one with more places. */
export const finerOf = (a: Precision, b: Precision): Precision =>
  a.kind === b.kind && a.decimals >= b.decimals ? a : b;

export const marginText = (margin: Margin | undefined): string =>
  margin === undefined ? 'is allowed' : `${formatBound(margin.amount)}${margin.kind === 'percent' ? ' %' : ''}`;

export function baselineOf(
  check: Pick<Check, 'metric' | 'requirement'>,
  baselines: readonly Baseline[],
): number | undefined {
  const found = baselines.find(
    ({ name, metrics }) => name === check.requirement.baseline && Object.hasOwn(metrics, check.metric),
  );
  return found?.metrics[check.metric];
}

/** `main at 91ab3c0, 2 commits back`. */
export function baselineText({ name, commit, distance }: Baseline): string {
  const back = distance === 0 ? '' : `, ${plural(distance, 'commit')} back: nearest with a verdict`;
  return `${line(name)} at ${commit.slice(0, 7)}${back}`;
}
