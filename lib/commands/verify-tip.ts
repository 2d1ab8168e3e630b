import type { Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import type { Config } from '../config/types.ts';
import { findBaselines } from '../gate/baseline.ts';
import { knownVerdict, type ReportsContext } from '../gate/known.ts';
import { type RecogniseError, recognise } from '../gate/recognise.ts';
import type { GitError } from '../git/errors.ts';
import type { Report } from '../report/types.ts';
import { judge } from '../verdict/judge.ts';
import type { Baseline, RunResult, Verdict } from '../verdict/types.ts';

export type TipResult =
  /** Judged anew: the metrics of the report by the requirements of the commit. */
  | {
      readonly verdict: 'pass' | 'fail';
      readonly report: Report;
      readonly judged: Verdict;
      readonly baselines: readonly Baseline[];
    }
  /** A person's decision about this very commit, which is no pass. */
  | { readonly verdict: 'accepted' | 'skipped'; readonly report: Report }
  /** It was tried, and nothing is known about the model. */
  | { readonly verdict: 'error'; readonly report: Report }
  /** No report that can be believed is for what this commit is. */
  | { readonly verdict: 'none' }
  | { readonly verdict: 'unknown'; readonly error: RecogniseError };

/** One commit by what is reported for exactly what it is, and by its own requirements. */
export async function verifyTip(
  context: ReportsContext,
  commit: Oid,
  now: () => Date,
): Promise<Result<TipResult, GitError>> {
  const nowNs = () => BigInt(now().getTime()) * 1_000_000n;
  const recognised = await recognise(context, commit, nowNs);
  if (!recognised.ok) return ok({ verdict: 'unknown', error: recognised.error });
  const { config, candidates } = recognised.value;
  const judged: TipResult[] = [];
  for (const { reports } of candidates) {
    const report = knownVerdict(reports);
    if (report?.run === undefined) continue;
    const baselines = await findBaselines(context, commit, config.require, undefined, nowNs);
    if (!baselines.ok) return baselines;
    judged.push(verdictOf(report, report.run, config, baselines.value));
  }
  const reports = candidates.flatMap((candidate) => candidate.reports);
  const pass = judged.find(({ verdict }) => verdict === 'pass');
  const decided = reports.findLast(
    (report) => report.commit === commit && (report.outcome === 'accepted' || report.outcome === 'skipped'),
  );
  const decision: TipResult | undefined =
    decided?.outcome === 'accepted' || decided?.outcome === 'skipped'
      ? { verdict: decided.outcome, report: decided }
      : undefined;
  const error = reports.findLast((report) => report.outcome === 'error');
  const rest: TipResult = error === undefined ? { verdict: 'none' } : { verdict: 'error', report: error };
  return ok(pass ?? decision ?? judged[0] ?? rest);
}

type Baselines = Readonly<Record<string, Baseline | undefined>>;

function verdictOf(report: Report, run: RunResult, config: Config, baselines: Baselines): TipResult {
  const judged = judge({ result: run, require: config.require, baselines });
  const compared = Object.values(baselines).flatMap((one) => (one === undefined ? [] : [one]));
  const known = { report, judged, baselines: [...new Set(compared)] };
  // A report whose run does not bear out what its verdict says is an error by its own evidence.
  return judged.kind === 'error' ? { verdict: 'error', report } : { verdict: judged.kind, ...known };
}
