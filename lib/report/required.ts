import { parseQuantity } from '../config/quantity.ts';
import type { AdvisoryCheck, Check, MetricReading, RunResult, Verdict } from '../verdict/types.ts';

/** Everything that was asked of the metrics: what counts for the verdict, and what only warns or is a goal. */
export const allChecks = (verdict: Verdict | undefined): readonly (Check | AdvisoryCheck)[] => [
  ...(verdict?.checks ?? []),
  ...(verdict?.advisory ?? []),
];

/** The metrics that something was asked of, each once. */
export const requiredMetrics = (verdict: Verdict | undefined): readonly string[] => [
  ...new Set(allChecks(verdict).map(({ metric }) => metric)),
];

/** What was read of a metric, or computed of one that is in no list. */
export function readingIn(
  run: Pick<RunResult, 'metrics'> | undefined,
  verdict: Verdict | undefined,
  metric: string,
): MetricReading {
  const found = [run?.metrics, verdict?.derived].find(
    (readings) => readings !== undefined && Object.hasOwn(readings, metric),
  );
  return found?.[metric] ?? { kind: 'missing', source: '' };
}

/** The files whose size is asked for: they stay in a report whatever else is cut from it. */
export const sizedFiles = (verdict: Verdict | undefined): readonly string[] =>
  requiredMetrics(verdict).flatMap((key) => {
    const quantity = parseQuantity(key);
    return quantity.ok && quantity.value.kind === 'size' ? [quantity.value.path] : [];
  });

/** How far apart the seeds are in something that was computed for each: its checks have kept that. */
export const spreadOfChecks = (checks: readonly Check[]): { readonly n: number; readonly sd: number } | undefined =>
  checks.find(({ sample }) => sample !== undefined)?.sample;
