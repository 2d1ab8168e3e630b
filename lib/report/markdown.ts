import { unreachable } from '../base/unreachable.ts';
import { curveTexts } from './curve-text.ts';
import { markdownBlock, markdownCell, markdownCode, markdownText } from './markdown-escape.ts';
import { mark, metricTable } from './metric-table.ts';
import { formatBytes, formatDuration, plural } from './numbers.ts';
import { cut } from './trim.ts';
import type { Changes, Report } from './types.ts';
import { notedTexts, warningTexts } from './warnings.ts';
import { baselineText, headline, reasonText } from './words.ts';

/** What templates/report.md.hbs is given. Every text is Markdown already: the template inserts it as it is. */
export interface ReportView {
  readonly title: string;
  readonly summary: string;
  readonly table: readonly string[];
  readonly notes: readonly string[];
  readonly changes: readonly string[];
  readonly details: readonly string[];
  readonly traceback: string;
  readonly logEnd: string;
  readonly files: readonly string[];
}

/** `render` fills in the template (ours, or the repository's own). */
export function renderMarkdown(
  report: Report,
  changes: Changes | undefined,
  render: (view: ReportView) => string,
): string {
  return `${render(reportView(report, changes))
    .replace(/[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim()}\n`;
}

export function reportView(report: Report, changes: Changes | undefined): ReportView {
  const { verdict, run, baselines, logTail } = report;
  const traceback = [run?.preparation, ...(run?.steps ?? []).map((step) => step.failure)].find(
    (failure) => failure?.traceback !== undefined,
  )?.traceback;
  return {
    title: `${report.outcome.toUpperCase()}: ${markdownText(report.subject)}`,
    summary: summary(report),
    table: verdict === undefined || run === undefined || verdict.kind === 'error' ? [] : table(report),
    notes: [
      ...(verdict?.reasons.slice(1).map((found) => `also: ${markdownText(reasonText(found, baselines))}`) ?? []),
      ...warningTexts(report).map((text) => `warning, ${markdownText(text)}`),
      ...notedTexts(report).map((text) => `noted, ${markdownText(text)}`),
      ...baselines.map((baseline) => `compared with ${markdownText(baselineText(baseline))}`),
    ],
    changes: changesLines(changes),
    details: details(report),
    traceback: traceback === undefined ? '' : markdownBlock(traceback),
    logEnd: logTail.trim() === '' ? '' : markdownBlock(logTail),
    files: filesLines(report),
  };
}

function summary({ outcome, verdict, baselines, decision, judged, from }: Report): string {
  const why = verdict === undefined ? '' : markdownText(headline(verdict, baselines));
  const who = decision?.by === undefined ? '' : ` by ${markdownText(decision.by)}`;
  const because = `: “${markdownText(decision?.reason ?? '')}”`;
  const known =
    judged === 'known' && from !== undefined
      ? ` Judged from the metrics of ${markdownCode(from)}; nothing was trained.`
      : '';
  switch (outcome) {
    case 'pass':
      return `Every requirement is met.${known}`;
    case 'fail':
    case 'error':
      return `${why}.${known}`;
    case 'skipped':
      return `The push was let go without a verdict${who}${because}. This is not a pass.`;
    case 'accepted':
      return `Accepted${who}${because}. The verdict stays: ${why === '' ? 'none' : why}. This is not a pass.`;
    default:
      return unreachable(outcome);
  }
}

function table({ verdict, run, baselines }: Report): readonly string[] {
  if (verdict === undefined || run === undefined) return [];
  const { baseline, rows, more } = metricTable(verdict, run, baselines);
  if (rows.length === 0) return [];
  const compared = baseline !== undefined;
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const right = '---:';
  return [
    line(['metric', 'this', ...(compared ? [markdownCell(baseline), 'change'] : []), 'required']),
    line(['---', right, ...(compared ? [right, right] : []), '---']),
    ...rows.map((row) =>
      line([
        markdownCell(row.metric),
        markdownCell(row.value),
        ...(compared ? [markdownCell(row.baseline), markdownText(row.change) || ' '] : []),
        row.required.map(({ text, state }) => `${markdownText(text)} ${mark[state]}`).join('<br>') || ' ',
      ]),
    ),
    ...(more > 0 ? ['', `and ${plural(more, 'metric')} more in report.json`] : []),
  ];
}

/** What the run left, and how to bring an artifact here. */
function filesLines({ run, commit }: Report): readonly string[] {
  const files = run?.artifacts ?? [];
  const lines = files.map(
    ({ role, path, size, sha256 }) =>
      `${role} ${markdownCode(path)}, ${formatBytes(size)}, ${markdownCode(sha256.slice(0, 16))}`,
  );
  const bring = `${markdownCode(`mlops show --artifact NAME ${commit.slice(0, 7)}`)} brings an artifact`;
  return files.some(({ role }) => role === 'artifact') ? [...lines, bring] : lines;
}

function changesLines(changes: Changes | undefined): readonly string[] {
  if (changes === undefined) return [];
  const shown = changes.changed
    .slice(0, 8)
    .map(({ what, code }) => `${markdownText(what)}${code === undefined ? '' : ` (${markdownCode(cut(code, 80))})`}`);
  const more = changes.changed.length - shown.length;
  return [
    ...shown,
    ...(more > 0 ? [`and ${plural(more, 'change')} more`] : []),
    ...(changes.same.length > 0 ? [`the same: ${changes.same.map((same) => markdownText(same)).join(', ')}`] : []),
  ];
}

function details(report: Report): readonly string[] {
  const { run, inputs, store } = report;
  const place = run?.place;
  const joined = (parts: readonly (string | false | undefined)[]) =>
    parts.filter((part) => part !== undefined && part !== '' && part !== false).join(', ');
  const entries: readonly (readonly [string, string])[] = [
    [
      'commit',
      joined([
        markdownCode(report.commit.slice(0, 12)),
        report.branch && markdownCode(report.branch),
        report.author && markdownText(report.author),
      ]),
    ],
    [
      'run',
      joined([
        markdownCode(report.fingerprint.slice(0, 16)),
        run && `attempt ${run.attempt}`,
        run?.job && `job ${markdownText(run.job.id)} (${markdownText(run.job.word)})`,
      ]),
    ],
    ['where', joined([place?.cluster, place?.node, place?.cpu, place?.gpu].map((text) => text && markdownText(text)))],
    ['curves', curveTexts(run).map(markdownText).join('; ')],
    [
      'seeds added',
      joined([
        run?.added && `${run.added.seeds.join(' ')} by the run ${markdownCode(run.added.fingerprint.slice(0, 16))}`,
        run?.added?.place.node && markdownText(run.added.place.node),
      ]),
    ],
    [
      'took',
      joined([
        run?.seconds === undefined ? '' : formatDuration(run.seconds),
        run?.peakMemory === undefined ? '' : `${formatBytes(run.peakMemory)} of memory at most`,
      ]),
    ],
    [
      'steps',
      joined(
        (run?.steps ?? []).map(
          ({ name, outcome, seconds }) =>
            `${markdownText(name)} ${outcome}${seconds === undefined ? '' : ` ${formatDuration(seconds)}`}`,
        ),
      ),
    ],
    [
      'environment',
      joined([
        inputs.environment && markdownText(inputs.environment),
        place?.environment && markdownCode(place.environment.key.slice(0, 16)),
      ]),
    ],
    ...Object.entries(inputs.data).map(
      ([entry, set]) =>
        [
          markdownText(entry),
          `${plural(set.files, 'file')}, ${formatBytes(set.bytes)}, ${markdownCode(set.hash.slice(0, 16))}`,
        ] as const,
    ),
    ['code', plural(inputs.code, 'file')],
    [
      'judged by',
      joined([
        markdownText(report.tool),
        report.by !== report.author && report.by && markdownText(report.by),
        markdownCode(report.id),
      ]),
    ],
    ['large files', store === undefined ? '' : markdownCode(store)],
  ];
  return entries.filter(([, value]) => value !== '').map(([key, value]) => `${key}: ${value}`);
}
