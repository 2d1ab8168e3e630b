import type { AdvisoryCheck, Check, Verdict } from '../verdict/types.ts';

/** Everything that was asked of the metrics: what counts for the verdict, and what only warns or is a goal. */
export const allChecks = (verdict: Verdict | undefined): readonly (Check | AdvisoryCheck)[] => [
  ...(verdict?.checks ?? []),
  ...(verdict?.advisory ?? []),
];

/** The metrics that something was asked of, each once. */
export const requiredMetrics = (verdict: Verdict | undefined): readonly string[] => [
  ...new Set(allChecks(verdict).map(({ metric }) => metric)),
];
