import type { Margin, Requirement } from '../config/types.ts';
import { confidenceFor, halfWidth, isUsual, moreSeeds, spreadOf, summarise } from './sample.ts';
import type { Baseline, BoundKind, Check, MetricReading, SampleCheck, SampleValue } from './types.ts';

/** Every bound of one metric's requirement, decided, in the order in which people read them. */
export function checkMetric(
  metric: string,
  requirement: Requirement,
  reading: MetricReading,
  baseline: Baseline | undefined,
  sample?: readonly SampleValue[],
): readonly Check[] {
  const decide = (bound: BoundKind, threshold: Threshold): Check => {
    const base = { metric, bound, requirement } as const;
    const limit = threshold.kind === 'limit' && Number.isFinite(threshold.value) ? { limit: threshold.value } : {};
    // The value first: what is not a number fails by its own name, with or without a baseline.
    if (reading.kind !== 'number') return { ...base, ...limit, outcome: 'not-met', problem: reading.kind };
    if (!Number.isFinite(reading.value))
      return { ...base, ...limit, outcome: 'not-met', problem: nameOf(reading.value) };
    if (threshold.kind === 'none') return { ...base, outcome: 'met' };
    if (threshold.kind === 'no-baseline') return { ...base, outcome: `no-baseline-${requirement.withoutBaseline}` };
    if (!Number.isFinite(threshold.value)) return { ...base, outcome: 'not-met', problem: 'bad-limit' };
    if (sample !== undefined && sample.length > 1 && bound !== 'equals') {
      const relative = bound === 'max_drop' || bound === 'max_rise';
      const decided = decideSample(
        bound,
        sample,
        relative ? baseline?.samples?.[metric] : undefined,
        threshold,
        confidenceFor(requirement),
      );
      if (decided.outcome !== 'not-met' || !threshold.zero) return { ...base, ...limit, ...decided };
      return { ...base, ...limit, ...decided, problem: 'baseline-zero' };
    }
    if (bound === 'equals' && sample !== undefined && sample.some(({ value }) => !holds(bound, value, threshold)))
      return { ...base, ...limit, outcome: 'not-met', problem: 'some-seeds' };
    if (holds(bound, reading.value, threshold)) return { ...base, ...limit, outcome: 'met' };
    return { ...base, ...limit, outcome: 'not-met', ...(threshold.zero ? { problem: 'baseline-zero' as const } : {}) };
  };

  const checks: Check[] = [];
  const { min, max, equals, maxDrop, maxRise } = requirement;
  if (min !== undefined) checks.push(decide('min', absolute(min)));
  if (max !== undefined) checks.push(decide('max', absolute(max)));
  if (equals !== undefined) checks.push(decide('equals', exactly(equals)));
  if (maxDrop !== undefined) checks.push(decide('max_drop', relative(baseline?.metrics[metric], maxDrop, -1)));
  if (maxRise !== undefined) checks.push(decide('max_rise', relative(baseline?.metrics[metric], maxRise, 1)));
  return checks.length > 0 ? checks : [decide('number', { kind: 'none' })];
}

/** Met or not met where the confidence bound says so, and undecided where the limit lies within what the mean may be off. */
function decideSample(
  bound: BoundKind,
  sample: readonly SampleValue[],
  baseline: readonly SampleValue[] | undefined,
  limit: { readonly value: number; readonly slack: number },
  confidence: number,
): { readonly outcome: 'met' | 'not-met' | 'undecided'; readonly sample: SampleCheck } {
  const { n, mean, sd } = summarise(sample.map(({ value }) => value));
  const spread = spreadOf(sample, baseline);
  const off = halfWidth(spread, confidence);
  const [worst, best] = bound === 'min' || bound === 'max_drop' ? [mean - off, mean + off] : [mean + off, mean - off];
  const stated = isUsual(confidence) ? {} : { confidence };
  const facts = { n, mean, sd, rule: spread.rule, bound: worst, ...stated };
  if (holds(bound, worst, limit)) return { outcome: 'met', sample: facts };
  if (!holds(bound, best, limit)) return { outcome: 'not-met', sample: facts };
  const more = moreSeeds(spread, n, Math.abs(mean - limit.value), confidence);
  return { outcome: 'undecided', sample: { ...facts, ...(more === undefined ? {} : { more }) } };
}

type Threshold =
  | { readonly kind: 'none' }
  | { readonly kind: 'no-baseline' }
  | { readonly kind: 'limit'; readonly value: number; readonly slack: number; readonly zero: boolean };

const absolute = (value: number): Threshold => ({ kind: 'limit', value, slack: 0, zero: false });

/** 0.1 + 0.2 is 0.30000000000000004, and what an expression adds up to is as good as 0.3. */
const exactly = (value: number): Threshold => ({
  kind: 'limit',
  value,
  slack: 4 * Number.EPSILON * Math.abs(value),
  zero: false,
});

function relative(baseline: number | undefined, margin: Margin, sign: 1 | -1): Threshold {
  if (baseline === undefined || !Number.isFinite(baseline)) return { kind: 'no-baseline' };
  // Of |baseline|: a tenth of −10 is 1, and a drop goes to −11 (MLflow multiplies by the signed value and lets −20 pass).
  const amount = margin.kind === 'percent' ? (Math.abs(baseline) * margin.amount) / 100 : margin.amount;
  const value = baseline + sign * amount;
  // 0.4 − 0.1 is 0.30000000000000004: a drop of exactly what is allowed is allowed.
  const slack = 4 * Number.EPSILON * Math.max(Math.abs(baseline), Math.abs(amount));
  return { kind: 'limit', value, slack, zero: margin.kind === 'percent' && baseline === 0 };
}

/** Written as "passes only if": whatever cannot be compared is not met. */
function holds(bound: BoundKind, value: number, limit: { readonly value: number; readonly slack: number }): boolean {
  if (bound === 'equals') return Math.abs(value - limit.value) <= limit.slack;
  return bound === 'min' || bound === 'max_drop'
    ? value >= limit.value - limit.slack
    : value <= limit.value + limit.slack;
}

/** What a number that is not finite is called. */
export const nameOf = (value: number) =>
  Number.isNaN(value) ? ('nan' as const) : value > 0 ? ('infinity' as const) : ('minus-infinity' as const);
