import { describe, expect, test } from '@jest/globals';
import { asFingerprint, asOid, asSha256 } from '../../lib/base/ids.ts';
import { broughtLines, type KeptProblem, keptTrouble } from '../../lib/cli/screens/kept-trouble.ts';
import { showTrouble, withoutCurves } from '../../lib/cli/screens/show-trouble.ts';
import { type Trouble, troubleLines } from '../../lib/cli/screens/trouble.ts';
import { verifyLines, verifyTrouble } from '../../lib/cli/screens/verify.ts';
import { whyTrouble } from '../../lib/cli/screens/why-trouble.ts';
import type { ShowError } from '../../lib/commands/show.ts';
import type { VerifyError, VerifyReport } from '../../lib/commands/verify.ts';
import type { WhyError } from '../../lib/commands/why.ts';
import type { GitError } from '../../lib/git/errors.ts';
import { golden } from '../rig/golden.ts';
import { commit, fingerprint, main, numberOf, sampleReport } from '../rig/sample-report.ts';
import { dangerous, evil, screen, setting, tooWide } from '../rig/screen.ts';

const at = { ...setting, again: 'mlops show --notebook', holdsPush: false };
const other = asOid('91ab3c0'.padEnd(40, '0'));
const git: GitError = { reason: 'other', args: ['log'], code: 128, stderr: 'fatal: what git said' };
const ignored = [{ path: 'runs/5b/5b7e90d/20261124T035000Z-a1b2c3/report.json', why: 'wrong-fingerprint' }];
const file = { path: 'movie-recs.ipynb', sha256: 'f'.repeat(64), size: 480_000, role: 'notebook' } as const;
const storeFull = { reason: 'corrupt', sha256: asSha256('f'.repeat(64)) } as const;

const earlier = '20260301T110000Z-a1b2c3';
const pruned = {
  fingerprint,
  id: '20260302T110000Z-a1b2c3',
  folder: `runs/5b/${fingerprint}/20260302T110000Z-a1b2c3`,
  tip: other,
  prunedAt: Date.parse('2026-11-20T09:00:00Z') / 1000,
};

const shows: readonly ShowError[] = [
  { reason: 'unknown-target', target: 'mian' },
  { reason: 'ambiguous-run', target: '5b7e', candidates: [fingerprint, asFingerprint(`5b7e${'1'.repeat(60)}`)] },
  { reason: 'no-report', commit, notes: [], ignored: [], branch: 'mlops' },
  { reason: 'no-report', commit, notes: ['pass  rprec 0.395  run 5b7e90d'], ignored: [], branch: 'mlops' },
  { reason: 'no-report', commit, notes: ['pass  rprec 0.395  run 5b7e90d'], ignored, branch: 'mlops' },
  { reason: 'no-report-yet', head: commit, searched: 12, ignored: [] },
  { reason: 'run-not-readable', fingerprint, ignored },
  { reason: 'pruned', commit, notes: ['pass  rprec 0.395  run 5b7e90d'], pruned: [pruned, { ...pruned, id: earlier }] },
  { reason: 'pruned', notes: [], pruned: [pruned] },
  { reason: 'git', cause: git },
];
const whys: readonly WhyError[] = [
  { reason: 'unknown-revision', revision: 'mian' },
  { reason: 'no-parent', commit, isShallow: false },
  { reason: 'no-parent', commit, isShallow: true },
  {
    reason: 'identify',
    revision: 'HEAD^',
    commit: other,
    cause: { reason: 'pipeline', cause: { reason: 'no-config', commit: other, inWorktree: false } },
  },
  {
    reason: 'identify',
    revision: 'HEAD',
    commit,
    cause: { reason: 'fingerprint', cause: { reason: 'no-match', entry: 'data/x.csv', glob: false } },
  },
  { reason: 'git', cause: { reason: 'missing-blob', oid: commit } },
];
const kepts: readonly KeptProblem[] = [
  { reason: 'no-run' },
  { reason: 'metrics-only' },
  { reason: 'none-kept', what: 'notebook' },
  { reason: 'no-artifact', name: 'loss.pgn', known: Array.from({ length: 14 }, (_, at) => `plots/loss-${at}.png`) },
  { reason: 'several', paths: ['a.ipynb', 'b.ipynb'], output: 'out.ipynb' },
  { reason: 'exists', path: 'movie-recs.5b7e90d.ipynb' },
  { reason: 'no-folder', path: 'somewhere' },
  { reason: 'gone', file, looked: '/scratch/ann/mlops', store: 'login.hpc.example.edu:/scratch/ann/old' },
  { reason: 'store', cause: storeFull, file },
  { reason: 'not-writable', path: 'movie-recs.5b7e90d.ipynb', detail: 'EROFS: read-only file system' },
];
const verifies: readonly VerifyError[] = [
  { reason: 'bad-range', range: 'a...b' },
  { reason: 'unknown-revision', range: 'a..b', revision: 'b' },
  { reason: 'git', cause: git },
];
const books: Readonly<Record<string, readonly Trouble[]>> = {
  show: [...shows.map((error) => showTrouble(error, at)), withoutCurves({ commit })],
  why: whys.map((error) => whyTrouble(error, at)),
  kept: kepts.map((error) => keptTrouble(error, 'login.hpc.example.edu', at)),
  verify: verifies.map((error) => verifyTrouble(error, at)),
};

describe('what cannot be read', () => {
  test.each(Object.entries(books))('%s: says why and what to type next', (name, troubles) => {
    const screens = troubles.map((trouble) => troubleLines(trouble, at.style));
    const text = screens.map((lines) => screen(`mlops ${name}`, lines)).join('\n');
    expect(text).toBe(golden(`screens/trouble-reading-${name}.txt`, text));
    expect(screens.filter((lines) => !lines.some((line) => line.startsWith('       next ')))).toEqual([]);
    expect(screens.flatMap((lines) => tooWide(lines)).filter((line) => !line.includes('  git show '))).toEqual([]);
  });

  test('hostile text is harmless', () => {
    const troubles = [
      showTrouble({ reason: 'unknown-target', target: evil }, at),
      showTrouble(
        { reason: 'no-report', commit, notes: [evil], ignored: [{ path: evil, why: evil }], branch: evil },
        at,
      ),
      whyTrouble({ reason: 'unknown-revision', revision: evil }, at),
      keptTrouble({ reason: 'gone', file: { ...file, path: evil }, looked: evil, store: evil }, evil, at),
    ];
    const lines = [
      ...troubles.flatMap((trouble) => troubleLines(trouble, at.style)),
      ...broughtLines([{ path: evil, bytes: 1 }]),
    ];
    expect(dangerous(lines)).toEqual([]);
    expect(tooWide(lines.filter((line) => !line.includes('git fetch')))).toEqual([]);
  });
});

const pass = sampleReport();
const fail = sampleReport({ run: { metrics: { rprec: numberOf(0.088) } } });
const decision = { reason: 'new data, main is stale', by: 'Ben <ben@example.org>' };
const tip = (at: number) => asOid(`${at}f2a91c`.padEnd(40, '0'));
if (pass.verdict === undefined || fail.verdict === undefined) throw new Error('a sample without a verdict');
const passed: VerifyReport['tips'][number] = {
  range: 'a..b',
  tip: commit,
  result: { verdict: 'pass', report: pass, judged: pass.verdict, baselines: [main] },
};
const rest: VerifyReport['tips'] = [
  { range: '1', tip: tip(1), result: { verdict: 'fail', report: fail, judged: fail.verdict, baselines: [main] } },
  { range: '2', tip: tip(2), result: { verdict: 'accepted', report: { ...fail, outcome: 'accepted', decision } } },
  { range: '3', tip: tip(3), result: { verdict: 'error', report: fail } },
  { range: '4', tip: tip(4), result: { verdict: 'none' } },
  {
    range: '5',
    tip: tip(5),
    result: {
      verdict: 'unknown',
      error: { reason: 'pipeline', cause: { reason: 'no-config', commit: tip(5), inWorktree: false } },
    },
  },
];

describe('mlops verify', () => {
  test.each<[string, VerifyReport]>([
    ['passed', { tips: [passed], nothingNew: ['c..c'], passed: true }],
    ['refused', { tips: [passed, ...rest], nothingNew: [], passed: false }],
  ])('%s: tells whoever pushes what is missing', (name, facts) => {
    const lines = verifyLines(facts, { ...setting, again: 'git push' });
    const text = screen('mlops verify old..new', lines);
    expect(text).toBe(golden(`screens/verify-${name}.txt`, text));
    expect(tooWide(lines)).toEqual([]);
  });
});
