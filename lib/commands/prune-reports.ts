import type { Fingerprint, Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { ReportsContext } from '../gate/known.ts';
import { overview } from '../gate/overview.ts';
import type { RecordError } from '../git/advance.ts';
import { catFile } from '../git/cat-file.ts';
import type { GitError } from '../git/errors.ts';
import { listBelow } from '../git/list-below.ts';
import { fetchReports, type Published, publishReports } from '../git/publish.ts';
import { refOid } from '../git/refs.ts';
import { reportsRef } from '../git/report-refs.ts';
import { record } from '../git/reports.ts';
import { dashboardPath, joinDashboards, linkedEntries } from '../report/dashboard.ts';
import { checkReport, parseReport } from '../report/parse-report.ts';
import { prunedJson, prunedPath } from '../report/pruned.ts';
import { parseReportPath, reportPath, reportTime } from '../report/report-path.ts';
import type { Outcome } from '../report/types.ts';
import { runsOfTips } from './runs-of-tips.ts';

export interface PruneRequest {
  /** Only reports judged before this, in seconds since the epoch. */
  readonly before?: number;
  /** The newest that stay, whatever their age. */
  readonly keep?: number;
  readonly dryRun: boolean;
  /** Absent: this clone alone. */
  readonly remote?: string;
  /** Of this pruning, as a report's. */
  readonly id: string;
  readonly signal?: AbortSignal;
}

export interface PrunedReport {
  readonly fingerprint: Fingerprint;
  readonly id: string;
  readonly commit: Oid;
  readonly subject: string;
  readonly outcome: Outcome;
}

export interface Pruning {
  /** What went, or would go: newest first. */
  readonly pruned: readonly PrunedReport[];
  /** How many stay. */
  readonly left: number;
  /** Of those as many although they are old, since a branch, a tag or README.md stands on them. */
  readonly inUse: number;
  /** And as many that cannot be read here: they may be of a newer version. */
  readonly unreadable: number;
  readonly published?: Published;
}

export type PruneError =
  /** Without what the remote has, it is not known what is the newest. */
  | { readonly reason: 'not-fetched'; readonly remote: string; readonly cause: RecordError }
  | { readonly reason: 'not-recorded'; readonly cause: RecordError }
  | { readonly reason: 'git'; readonly cause: GitError };

/**
 * `mlops gc --reports`: a commit on the reports branch that removes old reports, and publishes that. The notes stay, and so does what many
 * reports share (lists of data and of packages).
 */
export async function pruneReports(
  context: ReportsContext,
  request: PruneRequest,
): Promise<Result<Pruning, PruneError>> {
  const { repo, branch } = context;
  const { remote, dryRun, signal } = request;
  const options = { computed: overview, ...(signal === undefined ? {} : { signal }) };
  if (remote !== undefined) {
    const fetched = await fetchReports(repo, remote, branch, options);
    if (!fetched.ok) return err({ reason: 'not-fetched', remote, cause: fetched.error });
  }
  const tip = await refOid(repo, reportsRef(branch));
  if (!tip.ok) return err({ reason: 'git', cause: tip.error });
  if (tip.value === undefined) return ok({ pruned: [], left: 0, inUse: 0, unreadable: 0 });
  const planned = await planPruning(context, tip.value, request);
  if (!planned.ok) return err({ reason: 'git', cause: planned.error });
  const { pruned } = planned.value;
  if (dryRun || pruned.length === 0) return planned;
  const folders = pruned.map((report) => reportPath(report).folder);
  const recorded = await record(repo, {
    branch,
    files: new Map([[prunedPath(request.id), prunedJson({ version: 1, tip: tip.value, reports: folders })]]),
    removed: folders.map((folder) => `${folder}/`),
    notes: new Map(),
    message: pruningMessage(pruned),
    computed: overview,
  });
  if (!recorded.ok) return err({ reason: 'not-recorded', cause: recorded.error });
  if (remote === undefined) return planned;
  return ok({ ...planned.value, published: await publishReports(repo, remote, branch, options) });
}

/** A decision of a person is named where it goes. */
function pruningMessage(pruned: readonly PrunedReport[]): string {
  const accepted = pruned.filter(({ outcome }) => outcome === 'accepted');
  const named = accepted.map(
    ({ commit, fingerprint }) => `accepted ${commit.slice(0, 12)} run ${fingerprint.slice(0, 7)}\n`,
  );
  return `Prune ${pruned.length} reports\n${named.length === 0 ? '' : `\n${named.join('')}`}`;
}

async function planPruning(
  context: ReportsContext,
  tip: Oid,
  { before = Number.POSITIVE_INFINITY, keep = 0 }: PruneRequest,
): Promise<Result<Pruning, GitError>> {
  const { repo } = context;
  const files = await listBelow(repo, tip, ['runs/']);
  if (!files.ok) return files;
  const reports = files.value.flatMap(({ path }) => parseReportPath(path) ?? []);
  reports.sort((a, b) => (a.id < b.id ? 1 : -1));
  const old = reports.slice(keep).filter(({ id }) => (reportTime(id) ?? Number.POSITIVE_INFINITY) < before);
  const runs = await runsOfTips(context);
  if (!runs.ok) return runs;
  const linked = new Set<string>();
  const read = await catFile(repo, [`${tip}:${dashboardPath}`], (_index, object) => {
    const entries = object?.type === 'blob' ? joinDashboards([object.content.toString('utf8')]) : [];
    for (const entry of linkedEntries(entries)) linked.add(reportPath(entry).folder);
  });
  if (!read.ok) return read;
  const unused = old.filter((report) => !runs.value.has(report.fingerprint) && !linked.has(reportPath(report).folder));
  const pruned: PrunedReport[] = [];
  const told = await catFile(
    repo,
    unused.map((report) => `${tip}:${reportPath(report).json}`),
    (index, object) => {
      const asked = unused[index];
      const parsed = object?.type === 'blob' ? parseReport(object.content.toString('utf8')) : undefined;
      if (asked === undefined || parsed?.ok !== true || !checkReport(parsed.value, reportPath(asked).json).ok) return;
      const { fingerprint, id, commit, subject, outcome } = parsed.value;
      pruned.push({ fingerprint, id, commit, subject, outcome });
    },
  );
  if (!told.ok) return told;
  return ok({
    pruned,
    left: reports.length - pruned.length,
    inUse: old.length - unused.length,
    unreadable: unused.length - pruned.length,
  });
}
