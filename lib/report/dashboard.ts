import { asFingerprint, asOid, type Fingerprint, type Oid } from '../base/ids.ts';
import { printableLine } from '../base/printable.ts';
import { isReportId } from './report-path.ts';
import { readingIn, requiredMetrics } from './required.ts';
import { finite, matching, members, oneOf, optional, record, text } from './shape.ts';
import { cut } from './trim.ts';
import type { Outcome, Report } from './types.ts';

/** What the reports branch's README is made from: the verdicts of late, a line each, so that two clones' are joined by their lines. */
export const dashboardPath = 'dashboard.jsonl';

export interface DashboardEntry {
  readonly id: string;
  readonly fingerprint: Fingerprint;
  readonly commit: Oid;
  /** Absent: it was judged on no branch. */
  readonly branch?: string;
  readonly subject: string;
  readonly outcome: Outcome;
  readonly metrics: Readonly<Record<string, number>>;
}

/** The file is written anew with every report, so it must stay small whatever was ever judged. */
export const dashboardLimits = { branches: 20, points: 16, recent: 20, metrics: 4, name: 100 } as const;

export function dashboardEntry({
  id,
  fingerprint,
  commit,
  branch,
  subject,
  outcome,
  run,
  verdict,
}: Report): DashboardEntry {
  const names = [...new Set([...requiredMetrics(verdict), ...Object.keys(run?.metrics ?? {}).sort()])];
  const metrics = names.flatMap((name): readonly (readonly [string, number])[] => {
    const reading = readingIn(run, verdict, name);
    return reading.kind === 'number' && name.length <= dashboardLimits.name ? [[name, reading.value]] : [];
  });
  return {
    id,
    fingerprint,
    commit,
    ...(branch === undefined ? {} : { branch: branch.slice(0, 2 * dashboardLimits.name) }),
    subject: cut(printableLine(subject), dashboardLimits.name),
    outcome,
    // An error says nothing of the model, whatever was measured before it.
    metrics: verdict?.kind === 'error' ? {} : Object.fromEntries(metrics.slice(0, dashboardLimits.metrics)),
  };
}

/** Everything that any of these files says, and the entries that are new, within the limits; in whatever order they are joined. */
export function joinDashboards(
  files: readonly string[],
  fresh: readonly DashboardEntry[] = [],
): readonly DashboardEntry[] {
  const entries = new Map<string, DashboardEntry>();
  for (const entry of [...files.flatMap(parseLines), ...fresh]) entries.set(`${entry.id} ${entry.fingerprint}`, entry);
  const newest = [...entries].sort(([a], [b]) => (a < b ? 1 : -1)).map(([, entry]) => entry);
  const branches = new Map<string, number>();
  return newest.filter(({ branch }, index) => {
    const recent = index < dashboardLimits.recent;
    if (branch === undefined) return recent;
    const points = branches.get(branch) ?? 0;
    if (points === 0 && branches.size >= dashboardLimits.branches) return recent;
    branches.set(branch, points + 1);
    return recent || points < dashboardLimits.points;
  });
}

/** What README.md leads to: the newest verdict of each branch, and what was judged of late. */
export function linkedEntries(entries: readonly DashboardEntry[]): readonly DashboardEntry[] {
  const newest = new Map<string | undefined, DashboardEntry>();
  for (const entry of entries) if (!newest.has(entry.branch)) newest.set(entry.branch, entry);
  return [...newest.values(), ...entries.slice(0, dashboardLimits.recent)];
}

export const dashboardLines = (entries: readonly DashboardEntry[]): string =>
  entries.map((entry) => `${JSON.stringify(entry)}\n`).join('');

const shape = members({
  id: text,
  fingerprint: matching(/^[0-9a-f]{64}$/),
  commit: matching(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/),
  branch: optional(text),
  subject: text,
  outcome: oneOf('pass', 'fail', 'error', 'skipped', 'accepted'),
  metrics: record(finite),
});

/** Lines of a newer version, or of somebody's hand, are left out: the reports themselves are what counts. */
function parseLines(file: string): readonly DashboardEntry[] {
  return file.split('\n').flatMap((line): readonly DashboardEntry[] => {
    if (line === '' || line.length > 4096) return [];
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      return [];
    }
    if (shape(value, '') !== undefined) return [];
    const { id, fingerprint, commit, branch, subject, outcome, metrics } = value as DashboardEntry;
    if (!isReportId(id)) return [];
    const where = branch === undefined ? {} : { branch };
    return [
      { id, fingerprint: asFingerprint(fingerprint), commit: asOid(commit), ...where, subject, outcome, metrics },
    ];
  });
}
