import type { Fingerprint, Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { knownVerdict, type ReportsContext, reportsOnCommits } from '../gate/known.ts';
import type { GitError } from '../git/errors.ts';
import { type LatestNote, latestNotes } from '../git/notes.ts';
import { spreadIn } from '../report/metric-table.ts';
import type { Outcome, Report } from '../report/types.ts';
import type { MetricReading } from '../verdict/types.ts';
import type { LogSpan } from './log.ts';

/** What one commit's newest verdict says of a metric. */
export interface MetricPoint {
  readonly commit: Oid;
  readonly subject: string;
  /** The report's. */
  readonly id: string;
  readonly fingerprint: Fingerprint;
  readonly outcome: Outcome;
  readonly reading: MetricReading;
  /** Over seeds: how many, and how far apart. */
  readonly spread?: { readonly n: number; readonly sd: number };
}

export type HistoryError =
  /** `known`: metrics that were measured. */
  | { readonly reason: 'unknown-metric'; readonly metric: string; readonly known: readonly string[] }
  | { readonly reason: 'git'; readonly cause: GitError };

/** Among so many commits it is looked for, unless more are asked for. */
const farthest = 1000;

/** `mlops log --metric NAME`: a metric over the commits that were judged last, newest first, with all its digits. */
export async function metricHistory(
  reports: ReportsContext,
  metric: string,
  { maxCount, since }: LogSpan,
): Promise<Result<readonly MetricPoint[], HistoryError>> {
  // Not every verdict has this metric, so more than asked for are looked at.
  const most = Math.max(maxCount, farthest);
  for (let looked = maxCount; ; looked = Math.min(most, looked * 4)) {
    const latest = await latestNotes(reports.repo, looked, since);
    if (!latest.ok) return err({ reason: 'git', cause: latest.error });
    const newest = await newestReports(reports, latest.value);
    const found = newest.flatMap((report) => pointOf(report, metric));
    if (found.length < maxCount && latest.value.length >= looked && looked < most) continue;
    if (found.length === 0 && newest.length > 0) {
      const known = new Set(newest.flatMap(({ run }) => Object.keys(run?.metrics ?? {})));
      return err({ reason: 'unknown-metric', metric, known: [...known].sort() });
    }
    return ok(found.slice(0, maxCount));
  }
}

/** By commit the newest verdict about the model, in the order of the notes. */
async function newestReports(context: ReportsContext, latest: readonly LatestNote[]): Promise<readonly Report[]> {
  const byCommit = new Map<Oid, Report[]>();
  const all = await reportsOnCommits(
    context,
    latest.map(({ commit }) => commit),
  );
  for (const report of all) byCommit.set(report.commit, [...(byCommit.get(report.commit) ?? []), report]);
  return latest.flatMap(({ commit }) => knownVerdict(byCommit.get(commit) ?? []) ?? []);
}

function pointOf(report: Report, metric: string): readonly MetricPoint[] {
  const { commit, subject, id, fingerprint, outcome, run } = report;
  if (run === undefined || !Object.hasOwn(run.metrics, metric)) return [];
  const reading = run.metrics[metric];
  const spread = spreadIn(run, metric);
  const point = { commit, subject, id, fingerprint, outcome };
  return reading === undefined ? [] : [{ ...point, reading, ...(spread === undefined ? {} : { spread }) }];
}
