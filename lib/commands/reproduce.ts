import type { Fingerprint, Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Identified, IdentifyError } from '../gate/identify.ts';
import { type ReportsContext, reportsOf, reportsOnCommits } from '../gate/known.ts';
import type { GateError, GateOutcome, WaitingOutcome } from '../gate/outcome.ts';
import { commitInfos, resolveCommit } from '../git/history.ts';
import type { Report } from '../report/types.ts';
import { compareRepeat, type RepeatedMetric } from '../verdict/repeats.ts';
import type { RunResult } from '../verdict/types.ts';
import { installedChanges, type Ran } from './diff.ts';
import { type FindRunError, findRun } from './find-run.ts';

export interface ReproduceOptions {
  readonly reports: ReportsContext;
  /** A commit, or a run by its first digits; HEAD where none is given. */
  readonly target?: string;
  /** What a commit is, if it is still that run. */
  readonly identify: (commit: Oid, run: Fingerprint) => Promise<Result<Identified, IdentifyError>>;
  /** Runs it once more, whatever is known; absent: the two newest runs are compared. */
  readonly judge?: (identified: Identified) => Promise<GateOutcome>;
}

export interface Reproduced extends Ran {
  readonly before: TrainedReport;
  readonly after: TrainedReport;
  readonly metrics: readonly RepeatedMetric[];
}

/** Of a run that was made, not merely judged again. */
export type TrainedReport = Report & { readonly run: RunResult };

export type ReproduceError =
  | { readonly reason: 'unknown-target'; readonly target: string }
  /** It was not run yet, as far as is known: there is nothing to repeat. */
  | { readonly reason: 'never-run'; readonly commit: Oid }
  /** `--known`: there is one run of it alone. */
  | { readonly reason: 'run-once'; readonly commit: Oid }
  | { readonly reason: 'commit-absent'; readonly commit: Oid }
  /** The commit is another run by now than the report's: its config, or what is recorded of its data, was changed for this clone. */
  | { readonly reason: 'another-run'; readonly commit: Oid; readonly was: Fingerprint; readonly is: Fingerprint }
  | { readonly reason: 'identify'; readonly commit: Oid; readonly cause: IdentifyError }
  /** The repetition ended in an error of the infrastructure: nothing is known. */
  | { readonly reason: 'error'; readonly outcome: GateOutcome }
  | { readonly reason: 'waiting'; readonly waiting: WaitingOutcome }
  | { readonly reason: 'stopped'; readonly cause: GateError }
  | FindRunError;

/** `mlops reproduce [COMMIT]`: makes a run again that is known, and says whether it comes to the same. */
export async function reproduce(options: ReproduceOptions): Promise<Result<Reproduced, ReproduceError>> {
  const { reports, identify, judge } = options;
  const found = await findReport(options);
  if (!found.ok) return found;
  const { commit, fingerprint } = found.value;
  const earlier = runsOf(await reportsOf(reports, fingerprint));
  if (judge === undefined) {
    const [after, before] = [...earlier].reverse();
    if (after === undefined) return err({ reason: 'never-run', commit });
    return before === undefined
      ? err({ reason: 'run-once', commit })
      : ok(await compare(reports, before, after, earlier.slice(0, -1)));
  }
  const before = earlier.at(-1);
  if (before === undefined) return err({ reason: 'never-run', commit });
  const here = await commitInfos(reports.repo, [commit], 'skip');
  if (!here.ok) return err({ reason: 'git', cause: here.error });
  if (here.value.size === 0) return err({ reason: 'commit-absent', commit });
  const identified = await identify(commit, fingerprint);
  if (!identified.ok) return err({ reason: 'identify', commit, cause: identified.error });
  if (identified.value.fingerprint !== fingerprint)
    return err({ reason: 'another-run', commit, was: fingerprint, is: identified.value.fingerprint });
  const outcome = await judge(identified.value);
  switch (outcome.outcome) {
    case 'waiting':
      return err({ reason: 'waiting', waiting: outcome });
    case 'stopped':
      return err({ reason: 'stopped', cause: outcome.error });
    case 'skipped':
    case 'judged': {
      const { report } = outcome;
      if (!isTrained(report)) return err({ reason: 'error', outcome });
      return ok(await compare(reports, before, report, earlier));
    }
  }
}

async function compare(
  reports: ReportsContext,
  before: TrainedReport,
  after: TrainedReport,
  earlier: readonly TrainedReport[],
): Promise<Reproduced> {
  const installed = await installedChanges(reports, before, after);
  return {
    before,
    after,
    metrics: compareRepeat(
      before.run,
      after.run,
      earlier.map(({ run }) => run),
    ),
    places: { before: before.run.place, after: after.run.place },
    ...(installed === undefined ? {} : { installed }),
  };
}

/** An error says nothing of the model. */
const isTrained = (report: Report): report is TrainedReport =>
  report.judged === 'trained' &&
  report.run !== undefined &&
  // Of two runs: no repetition comes to the same.
  report.run.added === undefined &&
  report.verdict !== undefined &&
  report.verdict.kind !== 'error';

/** Oldest first, each attempt once: a verdict that was judged again is no other run. */
const runsOf = (reports: readonly Report[]): readonly TrainedReport[] => reports.filter(isTrained);

async function findReport({
  reports,
  target = 'HEAD',
}: ReproduceOptions): Promise<Result<{ readonly commit: Oid; readonly fingerprint: Fingerprint }, ReproduceError>> {
  const commit = await resolveCommit(reports.repo, target);
  if (!commit.ok && commit.error.reason !== 'unknown-revision') return err({ reason: 'git', cause: commit.error });
  if (commit.ok) {
    const own = (await reportsOnCommits(reports, [commit.value])).findLast(({ run }) => run !== undefined);
    return own === undefined ? err({ reason: 'never-run', commit: commit.value }) : ok(own);
  }
  const run = await findRun(reports.repo, reports.branch, target);
  if (!run.ok) return run;
  const newest = run.value === undefined ? undefined : (await reportsOf(reports, run.value)).at(-1);
  return newest === undefined ? err({ reason: 'unknown-target', target }) : ok(newest);
}
