import { type DashboardEntry, dashboardLimits } from './dashboard.ts';
import { markdownCell, markdownCode, markdownText } from './markdown-escape.ts';
import { formatMetric, precisionFor } from './numbers.ts';
import { reportPath } from './report-path.ts';
import { sparkline } from './sparkline.ts';
import { cut } from './trim.ts';

/** README.md of the reports branch: what a forge shows of it, a dashboard without a server. Newest first. */
export function dashboardMarkdown(entries: readonly DashboardEntry[]): string {
  const branches = new Map<string, DashboardEntry[]>();
  for (const entry of entries) {
    const { branch } = entry;
    if (branch === undefined) continue;
    const known = branches.get(branch);
    if (known !== undefined) known.push(entry);
    else if (branches.size < dashboardLimits.branches) branches.set(branch, [entry]);
  }
  const table = (head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] =>
    [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
  const lines = [
    '# Verdicts',
    '',
    ...table(
      ['branch', 'newest', 'commit', 'metrics'],
      [...branches].map(([branch, history]) => branchRow(branch, history)),
    ),
    '',
    '## Of late',
    '',
    ...table(
      ['judged (UTC)', 'verdict', 'branch', 'commit', 'metrics'],
      entries.slice(0, dashboardLimits.recent).map(recentRow),
    ),
    '',
    'Each verdict leads to its report. The bars are the last verdicts on that branch, from the lowest to the highest. Written anew with every verdict.',
  ];
  return `${lines.join('\n')}\n`;
}

function branchRow(branch: string, history: readonly DashboardEntry[]): readonly string[] {
  const [newest] = history;
  if (newest === undefined) throw new Error('a branch without a verdict');
  const names = new Set(history.flatMap(({ metrics }) => Object.keys(metrics)));
  const points = history.slice(0, dashboardLimits.points).reverse();
  const metrics = [...names].slice(0, dashboardLimits.metrics).map((name) => {
    const values = points.flatMap(({ metrics }) => (Object.hasOwn(metrics, name) ? (metrics[name] ?? []) : []));
    const shown = Object.hasOwn(newest.metrics, name) ? newest.metrics[name] : undefined;
    const value = shown === undefined ? '–' : formatMetric(shown, precisionFor(values));
    return `${nameText(name)} ${value} ${sparkline(values)}`;
  });
  return [nameText(branch), verdictLink(newest), commitText(newest), metrics.join('<br>') || ' '];
}

function recentRow(entry: DashboardEntry): readonly string[] {
  const { id, branch, metrics } = entry;
  const [, day = '', time = ''] = /^(\d{8})T(\d{4})/.exec(id) ?? [];
  const when = `${day.replace(/(....)(..)(..)/, '$1-$2-$3')} ${time.replace(/(..)(..)/, '$1:$2')}`;
  const values = Object.entries(metrics).map(([name, value]) => `${nameText(name)} ${formatMetric(value)}`);
  return [
    when,
    verdictLink(entry),
    branch === undefined ? ' ' : nameText(branch),
    commitText(entry),
    values.slice(0, dashboardLimits.metrics).join(', ') || ' ',
  ];
}

const nameText = (name: string): string => markdownCell(cut(name, 60));

/** What is no pass stands out. The path is made of hexadecimal digits. */
function verdictLink(entry: DashboardEntry): string {
  const link = `[${entry.outcome}](${reportPath(entry).markdown})`;
  return entry.outcome === 'pass' ? link : `**${link}**`;
}

const commitText = ({ commit, subject }: DashboardEntry): string =>
  `${markdownCode(commit.slice(0, 7))} ${markdownText(cut(subject, 60))}`.trimEnd();
