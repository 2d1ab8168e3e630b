import type { Fingerprint, Oid } from '../base/ids.ts';
import type { Config } from '../config/types.ts';
import type { DataSet } from '../fingerprint/types.ts';
import { readNotes } from '../git/notes.ts';
import { readFiles } from '../git/reports.ts';
import type { Repository } from '../git/repository.ts';
import { parseNoteLine } from '../report/note-line.ts';
import { checkReport, parseReport } from '../report/parse-report.ts';
import { runFolder } from '../report/report-path.ts';
import type { Report } from '../report/types.ts';
import type { EventSink } from './events.ts';

export interface ReportsContext {
  readonly repo: Repository;
  /** The reports branch. */
  readonly branch: string;
  readonly emit: EventSink;
}

/** Everything recorded for one fingerprint, here or in what was fetched, oldest first. What cannot be believed is named and left out. */
export async function reportsOf(context: ReportsContext, fingerprint: Fingerprint): Promise<readonly Report[]> {
  return readReports(context, [`${runFolder(fingerprint)}/`], fingerprint);
}

async function readReports(
  { repo, branch, emit }: ReportsContext,
  prefixes: readonly string[],
  expected?: Fingerprint,
): Promise<readonly Report[]> {
  const files = await readFiles(repo, branch, prefixes, '/report.json');
  if (!files.ok) {
    emit({ event: 'report-ignored', path: prefixes.join(' '), reason: files.error.reason });
    return [];
  }
  const reports = new Map<string, Report>();
  for (const { path, content } of files.value) {
    const parsed = parseReport(content.toString('utf8'));
    const checked = parsed.ok ? checkReport(parsed.value, path, expected) : parsed;
    if (checked.ok) reports.set(path, checked.value);
    else emit({ event: 'report-ignored', path, reason: checked.error.reason });
  }
  return [...reports.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/**
 * The newest report with the metrics of a finished run: a verdict about the model. Errors say nothing about it, a skipped push has no
 * run, and a report without its details (`publish: metrics`) still has its metrics.
 */
export function knownVerdict(reports: readonly Report[]): Report | undefined {
  return reports.findLast(({ verdict, run }) => run !== undefined && verdict !== undefined && verdict.kind !== 'error');
}

/** The reports on these very commits, by their notes, oldest first. */
export async function reportsOnCommits(context: ReportsContext, commits: readonly Oid[]): Promise<readonly Report[]> {
  const notes = await readNotes(context.repo, commits);
  if (!notes.ok) return [];
  const runs = new Set(
    [...notes.value.values()].flat().flatMap((line) => {
      const run = parseNoteLine(line)?.run;
      return run === undefined ? [] : [run];
    }),
  );
  const asked = new Set(commits);
  const found = await readReports(
    context,
    [...runs].map((run) => `runs/${run.slice(0, 2)}/${run}`),
  );
  return found.filter(({ commit }) => asked.has(commit));
}

/** By entry. `publish: metrics` hides the names of data, and keeps their order, which is the config's. */
export function dataOfReport({ publish, inputs }: Report, config: Config): Readonly<Record<string, DataSet>> {
  if (publish === 'full') return inputs.data;
  const names = config.data.map((entry) => (entry.kind === 'path' ? entry.path : entry.as));
  const sets = Object.values(inputs.data);
  return Object.fromEntries(
    names.flatMap((name, index) => {
      const set = sets[index];
      return set === undefined ? [] : [[name, set]];
    }),
  );
}
