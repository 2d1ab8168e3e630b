import { printable, printableLine } from '../base/printable.ts';
import type { Baseline } from '../verdict/types.ts';
import { sizedFiles } from './required.ts';
import { cut, tail, trimRun, trimVerdict } from './trim.ts';
import type { Outcome, Report, ReportFacts } from './types.ts';

/** A report of what is known, cut to size. A person's decision stands above the verdict, which is kept beside it. */
export function buildReport(facts: ReportFacts): Report {
  const { decided, baselines, log, verdict, run, decision, ...rest } = facts;
  const outcome: Outcome = decided ?? verdict?.kind ?? 'error';
  return {
    ...rest,
    version: 1,
    subject: cut(printableLine(facts.subject), 120),
    outcome,
    ...(decision === undefined ? {} : { decision: { ...decision, reason: cut(printableLine(decision.reason), 200) } }),
    ...(verdict === undefined ? {} : { verdict: trimVerdict(verdict) }),
    baselines: distinct(baselines),
    ...(run === undefined ? {} : { run: trimRun(run, sizedFiles(verdict)) }),
    logTail: tail(printable(log)),
    publish: 'full',
  };
}

/** One entry for each commit compared with, and of its metrics only those that were. */
function distinct(byMetric: ReportFacts['baselines']): readonly Baseline[] {
  const found = new Map<string, Baseline>();
  for (const [metric, baseline] of Object.entries(byMetric)) {
    if (baseline === undefined) continue;
    const key = `${baseline.name} ${baseline.commit} ${baseline.run}`;
    const { samples, ...rest } = baseline;
    const before = found.get(key);
    const metrics = { ...before?.metrics, ...ofMetric(metric, baseline.metrics) };
    const kept = { ...before?.samples, ...ofMetric(metric, samples ?? {}) };
    found.set(key, { ...rest, metrics, ...(Object.keys(kept).length === 0 ? {} : { samples: kept }) });
  }
  return [...found.values()];
}

/** A metric, or where there is a matrix its combinations. */
const ofMetric = <T>(metric: string, of: Readonly<Record<string, T>>): Readonly<Record<string, T>> =>
  Object.fromEntries(Object.entries(of).filter(([name]) => name === metric || name.startsWith(`${metric}[`)));

/** Without white space: report.md is for reading, and every clone pays for the bytes. */
export const reportJson = (report: Report): string => `${JSON.stringify(report)}\n`;
