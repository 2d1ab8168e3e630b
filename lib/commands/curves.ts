import { knownVerdict, type ReportsContext, reportsOf } from '../gate/known.ts';
import type { PlottedCurve } from '../report/plot-curves.ts';
import type { Report } from '../report/types.ts';
import type { Baseline, Curve } from '../verdict/types.ts';

/** `mlops show --plot`: the curves of a run, each with that of the baseline it was compared with, or of the first there is. */
export async function curvesOf(reports: ReportsContext, { run, baselines }: Report): Promise<readonly PlottedCurve[]> {
  const curves = Object.entries(run?.curves ?? {});
  const before = new Map<string, Readonly<Record<string, Curve>>>();
  for (const baseline of curves.length === 0 ? [] : baselines) {
    if (before.has(baseline.run)) continue;
    before.set(baseline.run, knownVerdict(await reportsOf(reports, baseline.run))?.run?.curves ?? {});
  }
  return curves.map(([metric, curve]): PlottedCurve => {
    const compared = baselines.find(({ metrics }) => Object.hasOwn(metrics, metric)) ?? baselines[0];
    const theirs = compared === undefined ? undefined : before.get(compared.run);
    const old = theirs !== undefined && Object.hasOwn(theirs, metric) ? theirs[metric] : undefined;
    const reading = run !== undefined && Object.hasOwn(run.metrics, metric) ? run.metrics[metric] : undefined;
    return {
      metric,
      curve,
      ...(reading?.kind === 'number' ? { value: reading.value } : {}),
      ...(old === undefined || compared === undefined ? {} : { baseline: { name: nameOf(compared), curve: old } }),
    };
  });
}

const nameOf = ({ name, commit }: Baseline): string => `${name} ${commit.slice(0, 7)}`;
