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
  const { commit, fingerprint, id, branch = 'mlops', json = reportJson, ...sample } = options;
  const report = sampleReport({
    baseline: null,
    ...sample,
    run: { ...run, fingerprint, ...sample.run },
    facts: { commit, fingerprint, ...(id === undefined ? {} : { id }), ...sample.facts },
  });
  const path = reportPath(report);
  const done = await record(repo, {
    branch,
    files: new Map([
      [path.json, json(report)],
      [path.markdown, `# ${report.outcome} ${report.id}\n`],
    ]),
    notes: new Map([[commit, [noteLine(report)]]]),
    message: `Report: ${report.outcome}\n`,
  });
  if (!done.ok) throw new Error(JSON.stringify(done.error));
  return report;
}
