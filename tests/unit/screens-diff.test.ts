import { describe, expect, test } from '@jest/globals';
import { asFingerprint, asOid, asSha256 } from '../../lib/base/ids.ts';
import { diffLines } from '../../lib/cli/screens/diff.ts';
import { diffTrouble } from '../../lib/cli/screens/diff-trouble.ts';
import { troubleLines } from '../../lib/cli/screens/trouble.ts';
import type { Diff, DiffError } from '../../lib/commands/diff.ts';
import type { Explained } from '../../lib/fingerprint/explain.ts';
import { metricDifferences } from '../../lib/report/metric-differences.ts';
import { golden } from '../rig/golden.ts';
import { commit, fingerprint, numberOf, outOfMemory, run, sampleReport } from '../rig/sample-report.ts';
import { dangerous, evil, screen, setting, tooWide } from '../rig/screen.ts';

const other = asOid('91ab3c0'.padEnd(40, '0'));
const blob = { kind: 'blob', oid: other, mode: '100644' } as const;
const meaning = { kind: 'notebook', meaning: asSha256('1'.repeat(64)) } as const;
const set = (digit: string, files: number) => ({ hash: asSha256(digit.repeat(64)), files, bytes: 9, writable: false });
const file = (path: string) => ({ path, recorded: asSha256('a'.repeat(64)), current: asSha256('b'.repeat(64)) });

const changes: readonly Explained[] = [
  {
    kind: 'notebook',
    path: 'movie-recs.ipynb',
    before: meaning,
    after: meaning,
    cells: [
      { kind: 'changed', before: 42, after: 42, line: 'sim.columns = ratings.columns' },
      { kind: 'added', after: 43, line: 'sim.head()' },
      { kind: 'removed', before: 60, line: 'plot(sim)' },
    ],
  },
  { kind: 'code', path: 'evaluate.py', before: blob, after: blob },
  { kind: 'code', path: 'lib/new.py', after: blob },
  { kind: 'code', path: 'lib/old.py', before: blob },
  {
    kind: 'data',
    entry: 'data/ratings',
    before: set('1', 12),
    after: set('2', 12),
    files: {
      changed: Array.from({ length: 12 }, (_, index) => file(`data/ratings/${index}.csv`)),
      missing: [],
      added: [file('data/ratings/more.csv')],
    },
  },
  { kind: 'data', entry: 'data/test.csv', before: set('3', 1), after: set('4', 1) },
  { kind: 'parameter', step: 0, name: 'lr', before: 0.1, after: 0.2 },
  { kind: 'env', name: 'OMP_NUM_THREADS', before: '4', after: '8' },
  {
    kind: 'environment',
    before: {},
    after: {},
    items: [{ kind: 'changed', where: 'conda.dependencies', before: 'numpy=2.0', after: 'numpy=2.1' }],
  },
];
const old = sampleReport({
  run: {
    metrics: { rprec: numberOf(0.395), mrr: numberOf(0.6), gone: numberOf(1) },
    place: { ...run.place, node: 'c118', cpu: 'Intel Xeon 6230' },
  },
  facts: { commit: other },
});
const now = sampleReport({
  run: { metrics: { rprec: numberOf(0.088), mrr: numberOf(0.6), odd: { kind: 'nan', source: '' } } },
});
const side = { revision: 'HEAD', commit, subject: 'Cosine similarity', fingerprint } as const;
const facts: Diff = {
  before: {
    revision: 'main',
    commit: other,
    subject: 'Centre the ratings',
    fingerprint: asFingerprint('a'.repeat(64)),
    report: old,
  },
  after: { ...side, report: now },
  metrics: metricDifferences(old, now),
  comparison: {
    ok: true,
    value: {
      before: { ...side, data: 'recorded' },
      after: { ...side, data: 'recorded' },
      changes,
      steps: { same: 0, of: 1 },
    },
  },
  lines: new Map([
    ['evaluate.py', { added: 4, removed: 2 }],
    ['lib/new.py', { added: 31, removed: 0 }],
  ]),
  installed: [
    { kind: 'changed', where: 'installed', before: 'numpy==2.0.2', after: 'numpy==2.1.3' },
    { kind: 'added', where: 'installed', after: 'tqdm==4.67' },
  ],
  places: { before: old.run?.place ?? run.place, after: run.place },
};
const alike: Diff['comparison'] = {
  ok: true,
  value: {
    before: { ...side, data: 'recorded' },
    after: { ...side, data: 'recorded' },
    changes: [],
    steps: { same: 1, of: 1 },
  },
};
const { report: _without, ...unjudged } = facts.before;

describe('mlops diff', () => {
  test.each<[string, Diff]>([
    ['changes', facts],
    ['same', { ...facts, before: { ...facts.before, fingerprint }, comparison: alike, installed: [] }],
    ['unjudged', { ...facts, before: unjudged, metrics: metricDifferences(undefined, now), comparison: alike }],
    ['absent', { ...facts, comparison: { ok: false, error: { reason: 'commit-absent', commit: other } } }],
    [
      'error',
      {
        ...facts,
        after: { ...side, report: sampleReport({ run: outOfMemory }) },
        metrics: metricDifferences(old, sampleReport({ run: outOfMemory })),
        comparison: alike,
      },
    ],
  ])('%s: two verdicts beside each other, and what changed', (name, given) => {
    const lines = diffLines(given, setting);
    const text = screen('mlops diff main', lines);
    expect(text).toBe(golden(`screens/diff-${name}.txt`, text));
    expect(tooWide(lines)).toEqual([]);
  });

  test('numbers that differ are never written alike', () => {
    const near = sampleReport({ run: { metrics: { rprec: numberOf(0.39500001) } } });
    const lines = diffLines(
      { ...facts, after: { ...side, report: near }, metrics: metricDifferences(old, near) },
      setting,
    );
    expect(lines.find((line) => line.includes('rprec'))).toMatch(/0\.39500000 +0\.39500001 +\+0\.00000001/);
  });

  test('hostile text is harmless', () => {
    const report = sampleReport({ run: { metrics: { [evil]: numberOf(1) } }, require: {} });
    const evilPlace = { ...run.place, node: evil, cpu: evil, gpu: evil };
    const lines = diffLines(
      {
        ...facts,
        before: { ...facts.before, revision: evil, subject: evil },
        metrics: metricDifferences(report, report),
        comparison: {
          ok: true,
          value: {
            ...alike.value,
            changes: [
              { kind: 'code', path: evil, after: blob },
              { kind: 'data', entry: evil, before: set('1', 1), after: set('2', 1) },
              {
                kind: 'notebook',
                path: evil,
                before: meaning,
                after: meaning,
                cells: [{ kind: 'added', after: 1, line: evil }],
              },
            ],
          },
        },
        installed: [{ kind: 'added', where: 'installed', after: evil }],
        places: { before: run.place, after: evilPlace },
      },
      setting,
    );
    expect(dangerous(lines)).toEqual([]);
    expect(tooWide(lines)).toEqual([]);
  });
});

const errors: readonly DiffError[] = [
  { reason: 'unknown-target', target: 'mian' },
  { reason: 'ambiguous-run', target: '5b7e', candidates: [fingerprint, asFingerprint(`5b7e${'1'.repeat(60)}`)] },
  { reason: 'run-not-readable', fingerprint },
  { reason: 'unrelated', range: 'main...gh-pages' },
  { reason: 'commit-absent', commit },
  { reason: 'no-parent', commit, isShallow: false },
  {
    reason: 'identify',
    revision: 'HEAD^',
    commit: other,
    cause: { reason: 'pipeline', cause: { reason: 'no-config', commit: other, inWorktree: false } },
  },
];

test('what mlops diff cannot compare is said, with what to type next', () => {
  const screens = errors.map((error) => troubleLines(diffTrouble(error, setting), setting.style));
  const text = screens.map((lines) => screen('mlops diff', lines)).join('\n');
  expect(text).toBe(golden('screens/trouble-reading-diff.txt', text));
  expect(screens.filter((lines) => !lines.some((line) => line.startsWith('       next ')))).toEqual([]);
  expect(screens.flatMap((lines) => tooWide(lines))).toEqual([]);
});
