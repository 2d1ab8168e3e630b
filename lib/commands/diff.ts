import type { Fingerprint, Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { type ItemChange, listChanges } from '../fingerprint/environment-changes.ts';
import type { Identified, IdentifyError } from '../gate/identify.ts';
import { readInstalled } from '../gate/installed.ts';
import { knownVerdict, type ReportsContext, reportsOf, reportsOnCommits } from '../gate/known.ts';
import { commitInfos, mergeBase, resolveCommit } from '../git/history.ts';
import { type LineCount, lineCounts } from '../git/line-counts.ts';
import type { Places } from '../report/changes.ts';
import { type MetricDifference, metricDifferences } from '../report/metric-differences.ts';
import type { Report } from '../report/types.ts';
import { type CompareError, type Comparison, compareCommits, type Named } from './compare.ts';
import { type FindRunError, findRun } from './find-run.ts';
import { firstParent, type WhyError } from './why.ts';

export interface DiffOptions {
  readonly reports: ReportsContext;
  /** Of two, the older first; `A..B` and `A...B` as git has them; one is compared with HEAD; none: HEAD with its baseline. */
  readonly revisions: readonly string[];
  /** What a commit is; `run`: it is known to be that one. */
  readonly identify: (commit: Oid, run: Fingerprint | undefined) => Promise<Result<Identified, IdentifyError>>;
}

/** A commit or a run, and what is known of it. */
export interface DiffSide extends Named {
  readonly subject: string;
  /** Absent: nothing is known of it, not even its content. */
  readonly fingerprint?: Fingerprint;
  /** The newest report on the model; else the newest that there is. */
  readonly report?: Report;
}

/** What the specification of two runs does not say. */
export interface Ran {
  /** What was installed when the two ran; absent where one of the reports does not say. */
  readonly installed?: readonly ItemChange[];
  /** Where the two ran; absent where one did not. */
  readonly places?: Places;
}

export interface Diff extends Ran {
  readonly before: DiffSide;
  readonly after: DiffSide;
  readonly metrics: readonly MetricDifference[];
  /** Where it cannot be told what changed, why not: the metrics are compared all the same. */
  readonly comparison: Result<Comparison, CompareError | CommitAbsent>;
  /** Of files of code, by path. */
  readonly lines: ReadonlyMap<string, LineCount>;
}

/** A colleague's run is here, and its commit is not. */
export interface CommitAbsent {
  readonly reason: 'commit-absent';
  readonly commit: Oid;
}

export type DiffError =
  | { readonly reason: 'unknown-target'; readonly target: string }
  | { readonly reason: 'unrelated'; readonly range: string }
  /** Its reports are here, and none of them can be believed. */
  | { readonly reason: 'run-not-readable'; readonly fingerprint: Fingerprint }
  | FindRunError
  | CommitAbsent
  | Exclude<WhyError, { readonly reason: 'unknown-revision' }>;

/** Of so many files the changed lines are counted. */
const mostFiles = 200;

/** `mlops diff [A] [B]`: two verdicts beside each other, and what changed between them. Contacts nobody. */
export async function diff(options: DiffOptions): Promise<Result<Diff, DiffError>> {
  const { reports, identify } = options;
  const { repo } = reports;
  const targets = await targetsOf(options);
  if (!targets.ok) return targets;
  const [a, b] = targets.value;
  const infos = await commitInfos(repo, [a.commit, b.commit], 'skip');
  if (!infos.ok) return err({ reason: 'git', cause: infos.error });
  const absent = [a, b].find(({ commit }) => !infos.value.has(commit));
  const comparison: Diff['comparison'] =
    absent !== undefined
      ? err({ reason: 'commit-absent', commit: absent.commit })
      : await compareCommits(repo, a, b, {
          before: (commit) => identify(commit, a.run),
          after: (commit) => identify(commit, b.run),
        });
  const side = async (target: Target, compared: Fingerprint | undefined): Promise<DiffSide> => {
    const fingerprint = target.run ?? compared;
    const report = await reportOf(reports, target.commit, fingerprint);
    const known = fingerprint ?? report?.fingerprint;
    return {
      revision: target.revision,
      commit: target.commit,
      subject: infos.value.get(target.commit)?.subject ?? report?.subject ?? '',
      ...(known === undefined ? {} : { fingerprint: known }),
      ...(report === undefined ? {} : { report }),
    };
  };
  const before = await side(a, comparison.ok ? comparison.value.before.fingerprint : undefined);
  const after = await side(b, comparison.ok ? comparison.value.after.fingerprint : undefined);
  if (!comparison.ok && (before.report === undefined || after.report === undefined)) return comparison;
  const [old, now] = [before.report?.run?.place, after.report?.run?.place];
  const installed = await installedChanges(reports, before.report, after.report);
  return ok({
    before,
    after,
    metrics: metricDifferences(before.report, after.report),
    comparison,
    lines: comparison.ok ? await linesOf(reports, comparison.value) : new Map(),
    ...(installed === undefined ? {} : { installed }),
    ...(old === undefined || now === undefined ? {} : { places: { before: old, after: now } }),
  });
}

interface Target extends Named {
  readonly run?: Fingerprint;
}

async function targetsOf(options: DiffOptions): Promise<Result<readonly [Target, Target], DiffError>> {
  const { reports, revisions } = options;
  const [first, second] = revisions;
  const [, from, dots, to] = second === undefined ? (/^(.*?)(\.{2,3})(.*)$/.exec(first ?? '') ?? []) : [];
  const after = await targetOf(reports, (dots === undefined ? second : to) || 'HEAD');
  if (!after.ok) return after;
  if (first === undefined) {
    const before = await baselineOf(reports, after.value.commit);
    return before.ok ? ok([before.value, after.value]) : before;
  }
  const before = await targetOf(reports, (dots === undefined ? first : from) || 'HEAD');
  if (!before.ok) return before;
  if (dots !== '...') return ok([before.value, after.value]);
  // What git means by it: what B has done since it left A.
  const common = await mergeBase(reports.repo, before.value.commit, after.value.commit);
  if (!common.ok) return err({ reason: 'git', cause: common.error });
  if (common.value === undefined) return err({ reason: 'unrelated', range: first });
  return ok([{ revision: common.value, commit: common.value }, after.value]);
}

/** A commit's name wins over a run's, as in `mlops show`. */
async function targetOf(reports: ReportsContext, target: string): Promise<Result<Target, DiffError>> {
  const commit = await resolveCommit(reports.repo, target);
  if (commit.ok) return ok({ revision: target, commit: commit.value });
  if (commit.error.reason !== 'unknown-revision') return err({ reason: 'git', cause: commit.error });
  const run = await findRun(reports.repo, reports.branch, target);
  if (!run.ok) return run;
  if (run.value === undefined) return err({ reason: 'unknown-target', target });
  const all = await reportsOf(reports, run.value);
  const report = knownVerdict(all) ?? all.at(-1);
  if (report === undefined) return err({ reason: 'run-not-readable', fingerprint: run.value });
  return ok({ revision: target, commit: report.commit, run: run.value });
}

/** What HEAD's verdict was compared with; without one its first parent. */
async function baselineOf(reports: ReportsContext, head: Oid): Promise<Result<Target, DiffError>> {
  const newest = (await reportsOnCommits(reports, [head])).findLast(({ baselines }) => baselines.length > 0);
  const [baseline] = newest?.baselines ?? [];
  const known = baseline === undefined ? undefined : await resolveCommit(reports.repo, baseline.commit);
  if (baseline !== undefined && known?.ok === true) return ok({ revision: baseline.name, commit: known.value });
  const parent = await firstParent(reports.repo, head);
  return parent.ok ? ok({ revision: 'HEAD^', commit: parent.value }) : parent;
}

/** Its own report before that of another commit with the same content. */
async function reportOf(
  reports: ReportsContext,
  commit: Oid,
  fingerprint: Fingerprint | undefined,
): Promise<Report | undefined> {
  const all =
    fingerprint === undefined ? await reportsOnCommits(reports, [commit]) : await reportsOf(reports, fingerprint);
  const own = all.filter((report) => report.commit === commit);
  return knownVerdict(own) ?? knownVerdict(all) ?? own.at(-1) ?? all.at(-1);
}

async function linesOf({ repo }: ReportsContext, { before, after, changes }: Comparison): Promise<Diff['lines']> {
  const paths = changes.flatMap((change) => (change.kind === 'code' ? [change.path] : []));
  const counts = await lineCounts(repo, before.commit, after.commit, paths.slice(0, mostFiles));
  // In a partial clone the contents may not be here: the files are named without their lines.
  return counts.ok ? counts.value : new Map();
}

/** Undefined: one of the two reports does not say, or its list is not here. */
export async function installedChanges(
  reports: ReportsContext,
  before: Report | undefined,
  after: Report | undefined,
): Promise<readonly ItemChange[] | undefined> {
  const [old, now] = [before, after].map((report) => report?.run?.place.environment?.installed);
  if (old === undefined || now === undefined) return undefined;
  if (old === now) return [];
  const [was, is] = [await readInstalled(reports, old), await readInstalled(reports, now)];
  return was === undefined || is === undefined ? undefined : listChanges('installed', was, is);
}
