import { describe, expect, test } from '@jest/globals';
import { asOid } from '../../lib/base/ids.ts';
import { bisectedLines, bisectStepLines, bisectTroubleLines } from '../../lib/cli/screens/bisect.ts';
import type { BisectError, Bisected, BisectPoint, BisectStep } from '../../lib/commands/bisect-types.ts';
import { golden } from '../rig/golden.ts';
import { commit, fingerprint, main, numberOf, outOfMemory, sampleReport } from '../rig/sample-report.ts';
import { dangerous, evil, screen, setting, tooWide } from '../rig/screen.ts';

const other = asOid('91ab3c0'.padEnd(40, '0'));
const at = (digit: string) => asOid(digit.repeat(40));
const passed = sampleReport({ facts: { commit: other, subject: 'Centre the ratings' } });
const failed = sampleReport({ run: { metrics: { rprec: numberOf(0.088) } } });
const broken = sampleReport({ run: outOfMemory });
const point = (of: typeof passed, standing: BisectPoint['standing']): BisectPoint => ({
  commit: of.commit,
  standing,
  report: of,
  ...(of.verdict === undefined ? {} : { verdict: of.verdict }),
  against: main,
});
const noConfig = { reason: 'pipeline', cause: { reason: 'no-config', commit: at('7'), inWorktree: false } } as const;
const found: Bisected = {
  good: point(passed, 'good'),
  bad: point(failed, 'bad'),
  untold: [],
  commits: 12,
  judged: 3,
};
const steps: readonly BisectStep[] = [
  { step: 'line', commits: 12, known: 3, looks: 3 },
  { step: 'line', commits: 1, known: 0, looks: 0 },
  { step: 'judging', commit, looks: 2 },
  { step: 'found-out', point: point(passed, 'good') },
  { step: 'found-out', point: point(failed, 'bad') },
  { step: 'found-out', point: point(broken, 'skip') },
  { step: 'found-out', point: { commit: at('7'), standing: 'skip', error: noConfig } },
];
const untold: readonly BisectPoint[] = [
  { ...point(broken, 'skip'), commit: at('6') },
  { commit: at('7'), standing: 'skip', error: noConfig },
  { commit: at('8'), standing: 'skip' },
];

describe('mlops bisect', () => {
  test('tells each step in a line', () => {
    const lines = steps.flatMap((step) => bisectStepLines(step, setting));
    const text = screen('mlops bisect', lines);
    expect(text).toBe(golden('screens/bisect-steps.txt', text));
    expect(tooWide(lines)).toEqual([]);
  });

  test.each<[string, Bisected]>([
    ['found', found],
    ['untold', { ...found, untold }],
  ])('%s: names the commit, and why', (name, facts) => {
    const lines = bisectedLines(facts, undefined, setting);
    const text = screen('mlops bisect', lines);
    expect(text).toBe(golden(`screens/bisect-${name}.txt`, text));
    expect(tooWide(lines)).toEqual([]);
  });

  test('hostile text is harmless', () => {
    const report = sampleReport({ facts: { subject: evil }, run: { metrics: { [evil]: numberOf(1) } }, require: {} });
    const one = { ...point(report, 'bad'), verdict: { kind: 'fail', checks: [], reasons: [], warnings: [] } } as const;
    const lines = [
      ...bisectStepLines({ step: 'found-out', point: one }, setting),
      ...bisectedLines({ ...found, bad: one, untold: [one] }, undefined, setting),
    ];
    expect(dangerous(lines)).toEqual([]);
  });

  test('says what it cannot search, with what to type next', () => {
    if (failed.verdict === undefined) throw new Error('no verdict');
    const errors: readonly BisectError[] = [
      { reason: 'unknown-revision', revision: 'mian' },
      { reason: 'not-ancestor', good: 'main', bad: 'topic' },
      { reason: 'same', commit },
      { reason: 'bad-unknown', commit },
      { reason: 'bad-passes', commit },
      { reason: 'good-fails', commit, report: failed, verdict: failed.verdict },
      { reason: 'good-unknown', commit },
      { reason: 'no-good', commit, searched: 1000 },
      { reason: 'identify', commit, cause: noConfig },
      { reason: 'stopped', commit, cause: { reason: 'aborted' } },
      {
        reason: 'waiting',
        waiting: {
          outcome: 'waiting',
          why: 'detached',
          fingerprint,
          commit,
          place: 'login.hpc.example.edu',
          job: '481516',
          attempt: 1,
        },
      },
    ];
    const again = { ...setting, again: 'mlops bisect', holdsPush: false };
    const screens = errors.map((error) => bisectTroubleLines(error, again));
    const text = screens.map((lines) => screen('mlops bisect', lines)).join('\n');
    expect(text).toBe(golden('screens/trouble-bisect.txt', text));
    expect(screens.filter((lines) => !lines.some((line) => line.startsWith('       next ')))).toEqual([]);
    expect(screens.flatMap((lines) => tooWide(lines))).toEqual([]);
  });
});
