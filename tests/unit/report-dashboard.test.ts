import { describe, expect, test } from '@jest/globals';
import { asFingerprint, asOid } from '../../lib/base/ids.ts';
import {
  type DashboardEntry,
  dashboardEntry,
  dashboardLimits,
  dashboardLines,
  joinDashboards,
  linkedEntries,
} from '../../lib/report/dashboard.ts';
import { dashboardMarkdown } from '../../lib/report/dashboard-markdown.ts';
import { metricsOnly } from '../../lib/report/metrics-only.ts';
import { reportPath } from '../../lib/report/report-path.ts';
import { golden } from '../rig/golden.ts';
import { fingerprint, hostile, numberOf, outOfMemory, sampleReport } from '../rig/sample-report.ts';

const entry = (minute: number, more: Partial<DashboardEntry> = {}): DashboardEntry => ({
  id: `20261124T0${Math.floor(minute / 60)}${String(minute % 60).padStart(2, '0')}00Z-a1b2c3`,
  fingerprint: asFingerprint((minute % 16).toString(16).repeat(64)),
  commit: asOid((minute % 16).toString(16).repeat(40)),
  branch: 'main',
  subject: `Change ${minute}`,
  outcome: 'pass',
  metrics: { rprec: 0.3 + (minute % 7) / 100, loss: 1 / (minute + 1) },
  ...more,
});

describe("the reports branch's README", () => {
  test('shows each branch with its newest verdict and the way of its metrics, and what was judged of late', () => {
    const text = dashboardMarkdown(
      joinDashboards(
        [],
        [
          ...Array.from({ length: 12 }, (_, minute) => entry(minute)),
          entry(20, { branch: 'cosine', outcome: 'fail', metrics: { rprec: 0.088 } }),
          entry(21, { branch: 'cosine', outcome: 'error', metrics: {}, subject: 'More memory' }),
          entry(22, { branch: 'release/1.0', outcome: 'accepted' }),
          dashboardEntry(sampleReport({ facts: { id: '20261124T005000Z-a1b2c3', branch: undefined as never } })),
        ],
      ),
    );
    expect(text).toBe(golden('report/dashboard.md', text));
  });

  test('is the same in whatever order the lines of several clones are joined', () => {
    const all = Array.from({ length: 120 }, (_, minute) => entry(minute, { branch: `topic-${minute % 30}` }));
    const [a, b, c] = [0, 1, 2].map((part) => dashboardLines(all.filter((_, index) => index % 3 === part)));
    const files = [a ?? '', b ?? '', c ?? ''];
    const once = dashboardLines(joinDashboards(files));
    expect(dashboardLines(joinDashboards([...files].reverse()))).toBe(once);
    expect(dashboardLines(joinDashboards([dashboardLines(joinDashboards(files.slice(1))), a ?? '']))).toBe(once);
    expect(dashboardLines(joinDashboards([once, once]))).toBe(once);
  });

  test('stays small, however much was judged', () => {
    const long = { subject: 'x'.repeat(5000), branch: 'b'.repeat(5000) };
    let file = '';
    for (let minute = 0; minute < 480; minute += 1) {
      const report = sampleReport({
        run: { metrics: Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`metric-${at}`, numberOf(at / 7)])) },
        require: {},
        facts: { ...entry(minute), subject: long.subject, branch: `${minute % 40}-${long.branch}` },
      });
      file = dashboardLines(joinDashboards([file], [dashboardEntry(report)]));
    }
    const entries = joinDashboards([file]);
    expect(new Set(entries.map(({ branch }) => branch)).size).toBeLessThanOrEqual(2 * dashboardLimits.branches);
    expect(file.length).toBeLessThan(300_000);
    expect(dashboardMarkdown(entries).length).toBeLessThan(30_000);
  });

  test('leads to no report that mlops gc --reports may prune', () => {
    const all = Array.from({ length: 200 }, (_, minute) =>
      entry(minute, minute % 3 === 0 ? {} : { branch: `topic-${minute % 30}` }),
    );
    const entries = joinDashboards([], all);
    const kept = new Set<string>(linkedEntries(entries).map((each) => reportPath(each).markdown));
    const links = [...dashboardMarkdown(entries).matchAll(/\]\((runs\/[^)]+)\)/g)].map(([, path]) => path ?? '');
    expect(links.length).toBeGreaterThan(dashboardLimits.recent);
    expect(links.filter((path) => !kept.has(path))).toEqual([]);
    expect(kept.size).toBeLessThan(entries.length / 2);
  });

  test('takes the required metrics first, and none from an error', () => {
    const metrics = { a: numberOf(1), b: numberOf(2), c: numberOf(3), d: numberOf(4), rprec: numberOf(0.4) };
    expect(Object.keys(dashboardEntry(sampleReport({ run: { metrics } })).metrics)).toEqual(['rprec', 'a', 'b', 'c']);
    expect(dashboardEntry(sampleReport({ run: { ...outOfMemory, metrics } })).metrics).toEqual({});
  });

  test('a public branch has no names of people, paths or machines on it', () => {
    const entry = dashboardEntry(metricsOnly(sampleReport()));
    expect(Object.keys(entry).sort()).toEqual([
      'branch',
      'commit',
      'fingerprint',
      'id',
      'metrics',
      'outcome',
      'subject',
    ]);
    expect(dashboardMarkdown([entry])).not.toMatch(/Ann|example|scratch|c117|ipynb/);
  });

  test('lines that are none are left out: damage, a newer version, somebody else', () => {
    const good = dashboardLines([entry(1)]);
    const bad = [
      '{"id":',
      '{"id":"x"}',
      'hello',
      JSON.stringify({ ...entry(2), fingerprint: '../../x' }),
      'null',
      '[]',
    ];
    expect(joinDashboards([`${bad.join('\n')}\n${good}`])).toEqual([entry(1)]);
    expect(joinDashboards([JSON.stringify({ ...entry(2), metrics: { a: 'b' } })])).toEqual([]);
  });

  test('names that would like to be markup are text', () => {
    const text = dashboardMarkdown([
      entry(1, { branch: hostile, subject: hostile, metrics: { [hostile]: 1, '](javascript:alert(1))': 2 } }),
    ]);
    expect(text).not.toMatch(/<script|@all|[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(text).not.toMatch(/(?<!\\)\]\(javascript/);
    // The rows have as many cells as their heads.
    const rows = text.split('\n').filter((line) => line.startsWith('|'));
    const cells = rows.map((row) => row.replaceAll('\\|', '').split('|').length);
    expect(cells).toEqual([6, 6, 6, 7, 7, 7]);
    expect(text).toContain(`](runs/11/${'1'.repeat(64)}/`);
    expect(fingerprint).toHaveLength(64);
  });
});
