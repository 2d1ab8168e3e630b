import type { Fingerprint, Oid } from '../../lib/base/ids.ts';
import { record } from '../../lib/git/reports.ts';
import type { Repository } from '../../lib/git/repository.ts';
import { reportJson } from '../../lib/report/build-report.ts';
import { noteLine } from '../../lib/report/note-line.ts';
import { reportPath } from '../../lib/report/report-path.ts';
import type { Report } from '../../lib/report/types.ts';
import { run, type SampleOptions, sampleReport } from './sample-report.ts';

export interface RecordOptions extends SampleOptions {
  readonly commit: Oid;
  readonly fingerprint: Fingerprint;
  /** Its time and its chance digits. */
  readonly id?: string;
  readonly branch?: string;
  /** What is written in the place of the report's JSON. */
  readonly json?: (report: Report) => string;
}

/** A report on a commit, and its note, as the gate leaves them. */
export async function recordReport(repo: Repository, options: RecordOptions): Promise<Report> {
  const [report] = await recordReports(repo, [options], options.branch);
  if (report === undefined) throw new Error('no report');
  return report;
}

/** Several in one commit: of a history of which only the end matters. */
export async function recordReports(
  repo: Repository,
  all: readonly RecordOptions[],
  branch = 'mlops',
): Promise<readonly Report[]> {
  const files = new Map<string, string>();
  const notes = new Map<Oid, readonly string[]>();
  const reports = all.map(({ commit, fingerprint, id, branch: _branch, json = reportJson, ...sample }) => {
    const report = sampleReport({
      baseline: null,
      ...sample,
      run: { ...run, fingerprint, ...sample.run },
      facts: { commit, fingerprint, ...(id === undefined ? {} : { id }), ...sample.facts },
    });
    const path = reportPath(report);
    files.set(path.json, json(report)).set(path.markdown, `# ${report.outcome} ${report.id}\n`);
    notes.set(commit, [...(notes.get(commit) ?? []), noteLine(report)]);
    return report;
  });
  const message = `Report: ${reports.map(({ outcome }) => outcome).join(', ')}\n`;
  const done = await record(repo, { branch, files, notes, message });
  if (!done.ok) throw new Error(JSON.stringify(done.error));
  return reports;
}
