import type { Fingerprint, Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { EventSink } from '../gate/events.ts';
import { type ReportsContext, reportsOf, reportsOnCommits } from '../gate/known.ts';
import type { GitError } from '../git/errors.ts';
import { firstParents, resolveCommit } from '../git/history.ts';
import { readNotes } from '../git/notes.ts';
import { readPaths } from '../git/reports.ts';
import type { Repository } from '../git/repository.ts';
import { reportJson } from '../report/build-report.ts';
import { parseNoteLine } from '../report/note-line.ts';
import { parseReport } from '../report/parse-report.ts';
import { reportPath } from '../report/report-path.ts';
import type { Report } from '../report/types.ts';
import { findPruned, type PrunedAway } from './find-pruned.ts';
import { type FindRunError, findRun } from './find-run.ts';

export interface ShowOptions {
  readonly repo: Repository;
  /** The reports branch. */
  readonly branch: string;
  /** A revision, or the first digits of a run's fingerprint. Absent: HEAD, or its nearest ancestor that has a report. */
  readonly target?: string;
  readonly emit: EventSink;
}

export interface Shown {
  /** The newest. */
  readonly report: Report;
  /** All others of the same commit or run, newest first: judged again, or for another commit. */
  readonly others: readonly Report[];
  readonly found:
    | { readonly by: 'commit'; readonly commit: Oid }
    /** HEAD has none itself: `distance` first parents back. */
    | { readonly by: 'ancestor'; readonly commit: Oid; readonly head: Oid; readonly distance: number }
    | { readonly by: 'run'; readonly fingerprint: Fingerprint };
}

export type ShowError =
  /** Neither a revision nor the beginning of a run that is known here. */
  | { readonly reason: 'unknown-target'; readonly target: string }
  | FindRunError
  /** `notes`: what is noted on it all the same, so that its report is merely not here (fetch the branch), or not to be believed. */
  | {
      readonly reason: 'no-report';
      readonly commit: Oid;
      readonly notes: readonly string[];
      readonly ignored: readonly IgnoredReport[];
      readonly branch: string;
    }
  /** Neither HEAD nor one of so many first parents has one. */
  | {
      readonly reason: 'no-report-yet';
      readonly head: Oid;
      readonly searched: number;
      readonly ignored: readonly IgnoredReport[];
    }
  | {
      readonly reason: 'run-not-readable';
      readonly fingerprint: Fingerprint;
      readonly ignored: readonly IgnoredReport[];
    }
  /** `mlops gc --reports` has removed what there was. */
  | {
      readonly reason: 'pruned';
      /** Absent: asked was for a run. */
      readonly commit?: Oid;
      readonly notes: readonly string[];
      readonly pruned: readonly PrunedAway[];
    }
  | { readonly reason: 'git'; readonly cause: GitError };

/** A report that is there and cannot be believed; `why` is the literal reason of its reader. */
export interface IgnoredReport {
  readonly path: string;
  readonly why: string;
}

/** How far back from HEAD a report is looked for. */
const farthest = 100;

/** `mlops show [COMMIT|RUN]`: the newest report of a commit, of HEAD's nearest ancestor, or of a run. */
export async function show(options: ShowOptions): Promise<Result<Shown, ShowError>> {
  const { repo, branch, target, emit } = options;
  const ignored: IgnoredReport[] = [];
  const reports: ReportsContext = {
    repo,
    branch,
    emit: (event) => {
      emit(event);
      if (event.event === 'report-ignored') ignored.push({ path: event.path, why: event.reason });
    },
  };
  if (target === undefined) return showNearest(reports, ignored);
  const commit = await resolveCommit(repo, target);
  if (!commit.ok && commit.error.reason !== 'unknown-revision') return err({ reason: 'git', cause: commit.error });
  if (commit.ok) {
    const newest = newestOf(await reportsOnCommits(reports, [commit.value]));
    if (newest !== undefined) return ok({ ...newest, found: { by: 'commit', commit: commit.value } });
  }
  const run = await findRun(repo, branch, target);
  if (!run.ok) return run;
  if (run.value !== undefined) {
    const newest = newestOf(await reportsOf(reports, run.value));
    if (newest === undefined) return err({ reason: 'run-not-readable', fingerprint: run.value, ignored });
    return ok({ ...newest, found: { by: 'run', fingerprint: run.value } });
  }
  const notes = commit.ok ? await readNotes(repo, [commit.value]) : ok(new Map<Oid, readonly string[]>());
  if (!notes.ok) return err({ reason: 'git', cause: notes.error });
  const lines = commit.ok ? (notes.value.get(commit.value) ?? []) : [];
  const pruned = ignored.length > 0 ? ok([]) : await findPruned(repo, branch, commit.ok ? runsIn(lines) : [target]);
  if (!pruned.ok) return err({ reason: 'git', cause: pruned.error });
  if (pruned.value.length > 0) {
    const on = commit.ok ? { commit: commit.value } : {};
    return err({ reason: 'pruned', ...on, notes: lines, pruned: pruned.value });
  }
  if (!commit.ok) return err({ reason: 'unknown-target', target });
  return err({ reason: 'no-report', commit: commit.value, notes: lines, ignored, branch });
}

const runsIn = (lines: readonly string[]): readonly string[] => lines.flatMap((line) => parseNoteLine(line)?.run ?? []);

async function showNearest(
  reports: ReportsContext,
  ignored: readonly IgnoredReport[],
): Promise<Result<Shown, ShowError>> {
  const { repo } = reports;
  const head = await resolveCommit(repo, 'HEAD');
  if (!head.ok) {
    const unborn = head.error.reason === 'unknown-revision';
    return err(unborn ? { reason: 'unknown-target', target: 'HEAD' } : { reason: 'git', cause: head.error });
  }
  const line = await firstParents(repo, head.value, farthest + 1);
  if (!line.ok) return err({ reason: 'git', cause: line.error });
  // One look at all notes first: most commits have none. But HEAD before all others: a clone without contents gets each from its remote.
  const noted = new Set<Oid>();
  for (const [distance, commit] of line.value.entries()) {
    if (distance < 2) {
      const notes = await readNotes(repo, distance === 0 ? [commit] : line.value.slice(1));
      if (!notes.ok) return err({ reason: 'git', cause: notes.error });
      for (const each of notes.value.keys()) noted.add(each);
    }
    if (!noted.has(commit)) continue;
    const newest = newestOf(await reportsOnCommits(reports, [commit]));
    if (newest === undefined) continue;
    const found = distance === 0 ? { by: 'commit' as const, commit } : { by: 'ancestor' as const, commit, distance };
    return ok({ ...newest, found: found.by === 'commit' ? found : { ...found, head: head.value } });
  }
  return err({ reason: 'no-report-yet', head: head.value, searched: line.value.length, ignored });
}

function newestOf(reports: readonly Report[]): Pick<Shown, 'report' | 'others'> | undefined {
  const [report, ...others] = [...reports].reverse();
  return report === undefined ? undefined : { report, others };
}

/** A report's file as it is on the branch, for `--json` and `--markdown`. Undefined: there is none (any more). */
export async function reportFile(
  { repo, branch }: Pick<ShowOptions, 'repo' | 'branch'>,
  report: Report,
  as: 'json' | 'markdown',
): Promise<Result<string | undefined, GitError>> {
  const files = await readPaths(repo, branch, [reportPath(report)[as]]);
  if (!files.ok) return files;
  const texts = files.value.map(({ content }) => content.toString('utf8'));
  if (as === 'markdown') return ok(texts[0]);
  // Where a remote's copy differs from ours, it is the one that is shown.
  return ok(texts.find((text) => isSame(text, report)) ?? texts[0]);
}

function isSame(text: string, report: Report): boolean {
  const parsed = parseReport(text);
  return parsed.ok && reportJson(parsed.value) === reportJson(report);
}
