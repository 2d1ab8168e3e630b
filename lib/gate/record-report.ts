import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Oid } from '../base/ids.ts';
import { record } from '../git/reports.ts';
import { git } from '../git/spawn.ts';
import { textTemplate } from '../job/render.ts';
import { reportJson } from '../report/build-report.ts';
import { dashboardEntry } from '../report/dashboard.ts';
import { renderMarkdown } from '../report/markdown.ts';
import { metricsOnly } from '../report/metrics-only.ts';
import { noteLine } from '../report/note-line.ts';
import { reportPath } from '../report/report-path.ts';
import type { Changes, Report } from '../report/types.ts';
import type { GateContext } from './context.ts';
import type { Identified } from './identify.ts';
import { installedFiles } from './installed.ts';
import type { Recorded } from './outcome.ts';
import { overviewWith } from './overview.ts';
import { manifestFiles } from './recorded-data.ts';

/** The report and its note in one transaction; the lists of the data's files and of what was installed beside it, so that other clones know them. */
export async function recordReport(
  context: GateContext,
  identified: Identified,
  report: Report,
  changes: Changes | undefined,
  /** What was installed where it ran; known only to whoever saw the run itself. */
  packages?: readonly string[],
): Promise<Recorded> {
  const { config, inputs, data, commit } = identified;
  const hidden = config.publish === 'metrics';
  const kept = hidden ? metricsOnly(report) : report;
  const { json, markdown } = reportPath(kept);
  // What changed names files: on a branch without paths it is left out.
  const text = await renderReport(context, commit, kept, hidden ? undefined : changes);
  const files = new Map([
    ...(hidden ? [] : [...manifestFiles(inputs.data, data), ...installedFiles(packages)]),
    [json, reportJson(kept)],
    [markdown, text],
  ]);
  const recorded = await record(context.repo, {
    branch: config.reports,
    files,
    notes: new Map([[commit, [noteLine(kept)]]]),
    computed: overviewWith(dashboardEntry(kept)),
    message: `${kept.outcome} ${commit.slice(0, 12)}\n`,
  });
  return recorded.ok ? { ok: true } : recorded;
}

async function renderReport(
  context: GateContext,
  commit: Oid,
  report: Report,
  changes: Changes | undefined,
): Promise<string> {
  const name = 'report.md.hbs';
  const ours = await textTemplate(await readFile(join(context.templates, name), 'utf8'));
  const own = await git(context.repo, ['cat-file', 'blob', `${commit}:.mlops/templates/${name}`], { okCodes: [128] });
  const theirs = own.ok && own.value.code === 0 ? await textTemplate(own.value.stdout.toString('utf8')) : undefined;
  return renderMarkdown(report, changes, (view) => {
    const filled = theirs?.(view);
    if (filled?.ok) return filled.value;
    if (filled !== undefined) context.emit({ event: 'report-template-failed', detail: filled.error.detail });
    const text = ours(view);
    if (!text.ok) throw new Error(`our own report template: ${text.error.detail}`);
    return text.value;
  });
}
