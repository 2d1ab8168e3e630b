import { describe, expect, test } from '@jest/globals';
import { asFingerprint, asOid } from '../../lib/base/ids.ts';
import { type LoggedCommit, logLines } from '../../lib/cli/screens/log.ts';
import { historyTrouble, metricLogLines } from '../../lib/cli/screens/metric-log.ts';
import { showLines } from '../../lib/cli/screens/show.ts';
import { type StatusFacts, statusLines } from '../../lib/cli/screens/status.ts';
import { troubleLines } from '../../lib/cli/screens/trouble.ts';
import { type Comparison, whyLines } from '../../lib/cli/screens/why.ts';
import type { MetricPoint } from '../../lib/commands/metric-history.ts';
import { noteLine, parseNoteLine } from '../../lib/report/note-line.ts';
import { sparkline } from '../../lib/report/sparkline.ts';
import type { Changes, Report } from '../../lib/report/types.ts';
import { golden } from '../rig/golden.ts';
import { commit, failedRun, fingerprint, numberOf, outOfMemory, sampleReport } from '../rig/sample-report.ts';
import { coloured, dangerous, evil, now, screen, setting, tooWide } from '../rig/screen.ts';

const other = asOid('91ab3c0'.padEnd(40, '0'));
const worse = { metrics: { rprec: numberOf(0.088), loss: numberOf(-0.5) } };
const noted = (line: string): LoggedCommit['notes'][number] => {
  const note = parseNoteLine(line);
  return note === undefined ? { line } : { line, note };
};
const by = { reason: 'the cluster is down', by: 'Ann <ann@example.org>' };
const skipped = (): Report => {
  const { verdict: _verdict, run: _run, ...report } = sampleReport({ facts: { decided: 'skipped', decision: by } });
  return report;
};
const judged = (report: Report) => noted(noteLine(report));

const commits: readonly LoggedCommit[] = [
  { commit, info: { subject: 'Cosine similarity' }, notes: [judged(sampleReport())], notedAt: now - 60 },
  {
    commit: asOid('aa0'.padEnd(40, '1')),
    info: { subject: '漢字で書いた題名 and a subject that goes on and on and on and on' },
    notes: [judged(sampleReport({ run: worse })), judged(sampleReport({ run: outOfMemory }))],
    notedAt: now - 90_000,
  },
  { commit: other, notes: [judged(skipped()), noted('reviewed by Ben')], notedAt: now - 9_000_000 },
];

describe('mlops log', () => {
  test('a line for each verdict', () => {
    const lines = logLines(commits, setting);
    const text = screen('mlops log', lines);
    expect(text).toBe(golden('screens/log.txt', text));
    expect(tooWide(lines)).toEqual([]);
  });

  test('colour only repeats the words, and a narrow terminal cuts at its edge', () => {
    const lines = logLines(commits, { ...setting, style: coloured }, 60);
    expect(tooWide(lines, 60)).toEqual([]);
    expect(lines.map((line) => line.replace(/\u001b\[\d+m/g, ''))).toEqual(logLines(commits, setting, 60));
  });

  test('nothing is known yet', () => {
    expect(logLines([], setting)).toEqual([
      'mlops  no verdicts are known in this clone',
      '       next     git push    trains and judges',
      "                git fetch   brings colleagues' verdicts",
    ]);
  });

  test('what somebody wrote into a note is harmless', () => {
    const lines = logLines(
      [
        {
          commit,
          info: { subject: evil },
          notes: [{ line: evil }, noted(`pass  reason=${JSON.stringify(evil)}`)],
          notedAt: now,
        },
      ],
      setting,
    );
    expect(dangerous(lines)).toEqual([]);
    expect(tooWide(lines)).toEqual([]);
  });
});

const point = (digit: string, value: number, more: Partial<MetricPoint> = {}): MetricPoint => ({
  commit: asOid(digit.repeat(40)),
  subject: `Number ${digit}`,
  id: `2026112${digit}T035000Z-a1b2c3`,
  fingerprint,
  outcome: 'pass',
  reading: numberOf(value),
  ...more,
});
const points: readonly MetricPoint[] = [
  point('4', 0.395, { spread: { n: 5, sd: 0.0042 }, subject: '漢字で書いた題名 and a subject that goes on and on' }),
  point('3', 0.391),
  point('2', 0, { reading: { kind: 'nan', source: '' }, outcome: 'fail' }),
  point('1', 0.088, { outcome: 'accepted' }),
];

describe('mlops log --metric', () => {
  test('a metric as bars, and a line for each commit with the change since the one before', () => {
    const lines = metricLogLines('rprec', points, setting);
    const text = screen('mlops log --metric rprec', lines);
    expect(text).toBe(golden('screens/log-metric.txt', text));
    expect(tooWide(lines)).toEqual([]);
    expect(tooWide(metricLogLines('rprec', points, { ...setting, style: coloured }, 60), 60)).toEqual([]);
    expect(metricLogLines('rprec', [], setting)[1]).toMatch(/next +mlops log/);
  });

  test('a metric that nobody has measured is named, with those that were', () => {
    const known = ['loss', 'rprec', ...Array.from({ length: 40 }, (_, index) => `f1.class-${index}`)];
    const troubles = [
      historyTrouble({ reason: 'unknown-metric', metric: 'rpec', known }, setting),
      historyTrouble({ reason: 'unknown-metric', metric: evil, known: ['\u001b[2Jz', 'rprec'] }, setting),
    ];
    const lines = troubles.flatMap((trouble) => troubleLines(trouble, setting.style));
    expect(lines).toContain('       next     mlops log --metric rprec   the one with a name like it');
    expect(dangerous([...lines, ...metricLogLines(evil, [point('1', 1, { subject: evil })], setting)])).toEqual([]);
    expect(tooWide(lines)).toEqual([]);
  });

  test('bars show the lowest and the highest, what is no number as a gap, and equal ones in the middle', () => {
    expect(sparkline([0, 0.5, 1, undefined, Number.NaN])).toBe('▁▅█··');
    expect(sparkline([3, 3])).toBe('▄▄');
    expect(sparkline([-Number.MAX_VALUE, Number.MAX_VALUE])).toHaveLength(2);
    expect(sparkline([])).toBe('');
  });
});

const changes: Changes = {
  changed: [
    { what: 'movie-recs.ipynb cell 42', code: 'sim.columns = ratings.columns' },
    { what: 'movie-recs.ipynb cell 43 (new)', code: 'sim.head()' },
    { what: 'environment: numpy=2.0 → numpy=2.1' },
  ],
  same: ['data', 'parameters'],
};

describe('mlops show', () => {
  test.each<[string, Report]>([
    ['pass', sampleReport()],
    ['fail', sampleReport({ run: worse, facts: { judged: 'known', from: '20261123T101010Z-000001' } })],
    ['raised', sampleReport({ run: failedRun })],
    ['error', sampleReport({ run: outOfMemory })],
    ['skipped', skipped()],
  ])('%s: the report as a screen', (name, report) => {
    const shown = {
      report,
      others: name === 'pass' ? [sampleReport({ run: worse })] : [],
      found: { by: 'commit', commit },
    } as const;
    const lines = showLines(shown, name === 'fail' ? changes : undefined, setting);
    const text = screen('mlops show', lines);
    expect(text).toBe(golden(`screens/show-${name}.txt`, text));
    expect(tooWide(lines)).toEqual([]);
  });

  test('a commit without a report shows that of its ancestor, and says so', () => {
    const found = { by: 'ancestor', commit, head: other, distance: 2 } as const;
    expect(showLines({ report: sampleReport(), others: [], found }, undefined, setting)[1]).toBe(
      '       commit   3f2a91c, 2 commits back: 91ab3c0 has no report itself',
    );
  });

  test('hostile text is harmless', () => {
    const report = sampleReport({
      run: { ...failedRun, steps: [{ name: evil, outcome: 'failed' }], job: { id: evil, how: 'failed', word: evil } },
      facts: { subject: evil, branch: evil, log: evil, by: evil, author: evil, store: evil, tool: evil },
    });
    const lines = showLines({ report, others: [report], found: { by: 'run', fingerprint } }, undefined, setting);
    expect(dangerous(lines)).toEqual([]);
    expect(tooWide(lines)).toEqual([]);
  });
});

const before = {
  revision: 'HEAD^',
  commit: other,
  subject: 'Centre the ratings',
  fingerprint: asFingerprint('a'.repeat(64)),
  data: 'recorded',
} as const;
const after = { revision: 'HEAD', commit, subject: 'Cosine similarity', fingerprint, data: 'recorded' } as const;
const comparison: Comparison = { before, after, changes, steps: { same: 0, of: 1 } };

describe('mlops why', () => {
  test.each<[string, Comparison]>([
    ['changes', comparison],
    [
      'steps',
      {
        ...comparison,
        after: { ...after, data: 'worktree' },
        before: { ...before, data: 'inherited' },
        steps: { same: 1, of: 3 },
      },
    ],
    [
      'same',
      {
        ...comparison,
        after: { ...after, fingerprint: before.fingerprint },
        changes: { changed: [], same: ['code'] },
        steps: { same: 1, of: 1 },
      },
    ],
  ])('%s: names what makes another run', (name, facts) => {
    const lines = whyLines(facts, setting);
    const text = screen('mlops why', lines);
    expect(text).toBe(golden(`screens/why-${name}.txt`, text));
    expect(tooWide(lines)).toEqual([]);
  });

  test('hostile text is harmless', () => {
    const side = { ...after, revision: evil, subject: evil };
    const lines = whyLines(
      { ...comparison, before: side, changes: { changed: [{ what: evil, code: evil }], same: [evil] } },
      setting,
    );
    expect(dangerous(lines)).toEqual([]);
    expect(tooWide(lines)).toEqual([]);
  });
});

const open = {
  commit,
  subject: 'Cosine similarity',
  branch: 'cosine',
  fingerprint,
  place: 'login.hpc.example.edu',
  job: '481516',
  attempt: 1,
  since: '2026-11-24T12:00:00.000Z',
};
const status: StatusFacts = {
  head: { commit, branch: 'cosine', subject: 'Cosine similarity', notes: [] },
  runs: [
    { ...open, status: { state: 'running', node: 'c117', elapsedSeconds: 42 }, progress: 'step 1 of 1 cell 31 of 69' },
    {
      ...open,
      job: '481517',
      attempt: 2,
      status: { state: 'queued', reason: 'Priority', ahead: 11, partition: 'gpu' },
    },
    { ...open, job: '481518', status: { state: 'ended', how: 'completed', word: 'COMPLETED' } },
    { ...open, job: '481519', status: { state: 'absent' } },
    { ...open, job: '481520' },
  ],
  others: [
    {
      run: '89abcdef01234567',
      attempt: 2,
      place: 'login.hpc.example.edu',
      job: '481530',
      user: 'ann',
      status: { state: 'running', node: 'c118', elapsedSeconds: 3600 },
    },
    {
      run: '0123456789abcdef',
      attempt: 1,
      place: 'this machine',
      job: '4711',
      status: { state: 'queued', reason: 'Resources' },
    },
  ],
  silent: [
    { reason: 'host', cause: { reason: 'unreachable', host: 'old.hpc.example.edu', detail: 'connect ETIMEDOUT' } },
  ],
  unpublished: true,
};

describe('mlops status', () => {
  const again = { ...setting, again: 'mlops status', holdsPush: false };
  test('what is checked out and what goes on', () => {
    const lines = statusLines(status, again);
    const text = screen('mlops status', lines);
    expect(text).toBe(golden('screens/status.txt', text));
    expect(tooWide(lines)).toEqual([]);
  });

  test('nothing goes on', () => {
    expect(statusLines({ runs: [], others: [], silent: [] }, again)).toEqual([
      'mlops  no commit yet',
      '       no run goes on',
    ]);
    const note = parseNoteLine(noteLine(sampleReport()));
    const head = { commit, branch: 'main', subject: 'Cosine similarity', notes: note === undefined ? [] : [note] };
    expect(statusLines({ head, runs: [], others: [], silent: [] }, again)).toEqual([
      'mlops  3f2a91c on main · pass · Cosine similarity',
      '       no run goes on',
    ]);
  });

  test('hostile text is harmless', () => {
    const run = { ...open, subject: evil, branch: evil, place: evil, job: evil, progress: evil };
    const lines = statusLines(
      {
        head: { commit, branch: evil, subject: evil, notes: [] },
        runs: [
          { ...run, status: { state: 'running', node: evil, elapsedSeconds: 1 } },
          { ...run, status: { state: 'unknown', word: evil } },
        ],
        others: [
          { run: evil, attempt: 1, place: evil, job: evil, user: evil, status: { state: 'queued', reason: evil } },
        ],
        silent: [],
      },
      again,
    );
    expect(dangerous(lines)).toEqual([]);
    expect(tooWide(lines)).toEqual([]);
  });
});
