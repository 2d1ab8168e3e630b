import { describe, expect, test } from '@jest/globals';
import { asFingerprint, asOid } from '../../lib/base/ids.ts';
import { isReproduced, reproducedLines, reproduceTroubleLines } from '../../lib/cli/screens/reproduce.ts';
import type { Reproduced, ReproduceError, TrainedReport } from '../../lib/commands/reproduce.ts';
import { compareRepeat } from '../../lib/verdict/repeats.ts';
import type { RunResult } from '../../lib/verdict/types.ts';
import { golden } from '../rig/golden.ts';
import { commit, fingerprint, numberOf, outOfMemory, run, sampleReport } from '../rig/sample-report.ts';
import { dangerous, evil, screen, setting, tooWide } from '../rig/screen.ts';

function trained(values: Readonly<Record<string, number>>, more: Partial<RunResult> = {}, id?: string): TrainedReport {
  const metrics = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, numberOf(value)]));
  const report = sampleReport({ run: { metrics, ...more }, facts: id === undefined ? {} : { id } });
  if (report.run === undefined) throw new Error('no run');
  return { ...report, run: report.run };
}
const before = trained({ rprec: 0.395, loss: 0.21 }, {}, '20261123T101010Z-000001');
const again = (
  values: Readonly<Record<string, number>>,
  earlier: readonly number[] = [],
  more: Partial<RunResult> = {},
): Reproduced => {
  const after = trained(values, { attempt: 2, ...more });
  const runs = earlier.map((value) => trained({ rprec: value, loss: 0.21 }).run);
  return {
    before,
    after,
    metrics: compareRepeat(before.run, after.run, [before.run, ...runs]),
    places: { before: before.run.place, after: after.run.place },
  };
};
const elsewhere = { place: { ...run.place, node: 'c200', cpu: 'Intel Xeon 6230' } };

describe('mlops reproduce', () => {
  test.each<[string, Reproduced, boolean]>([
    ['same', { ...again({ rprec: 0.395, loss: 0.21 }), installed: [] }, true],
    ['within', again({ rprec: 0.3951, loss: 0.21 }, [0.394, 0.396]), true],
    ['different', again({ rprec: 0.3, loss: 0.21 }, [0.394, 0.396], elsewhere), false],
    ['unknown', again({ rprec: 0.3951, loss: 0.21 }), false],
    ['none', again({}), false],
  ])('%s: both runs beside each other', (name, found, good) => {
    const facts =
      name === 'none' ? { ...found, metrics: [], before: trained({}), after: trained({}, { attempt: 2 }) } : found;
    const lines = reproducedLines(facts, setting);
    const text = screen('mlops reproduce', lines);
    expect(text).toBe(golden(`screens/reproduce-${name}.txt`, text));
    expect(isReproduced(facts)).toBe(good || name === 'none');
    expect(tooWide(lines)).toEqual([]);
  });

  test('hostile text is harmless', () => {
    const place = { ...run.place, node: evil, cpu: evil };
    const lines = reproducedLines(again({ [evil]: 1 }, [], { place }), setting);
    expect(dangerous(lines)).toEqual([]);
    expect(tooWide(lines)).toEqual([]);
  });

  test('says what it cannot repeat, with what to type next', () => {
    const waiting = {
      outcome: 'waiting',
      why: 'detached',
      fingerprint,
      commit,
      place: 'login.hpc.example.edu',
      job: '481516',
      attempt: 2,
    } as const;
    const errors: readonly ReproduceError[] = [
      { reason: 'unknown-target', target: 'mian' },
      { reason: 'never-run', commit },
      { reason: 'run-once', commit },
      { reason: 'commit-absent', commit },
      { reason: 'another-run', commit, was: fingerprint, is: asFingerprint('a'.repeat(64)) },
      {
        reason: 'identify',
        commit,
        cause: { reason: 'pipeline', cause: { reason: 'no-config', commit: asOid(commit), inWorktree: false } },
      },
      {
        reason: 'error',
        outcome: {
          outcome: 'judged',
          report: sampleReport({ run: outOfMemory }),
          how: 'trained',
          recorded: { ok: true },
        },
      },
      { reason: 'stopped', cause: { reason: 'aborted' } },
      { reason: 'waiting', waiting },
    ];
    const at = { ...setting, again: 'mlops reproduce', holdsPush: false };
    const screens = errors.map((error) => reproduceTroubleLines(error, at));
    const text = screens.map((lines) => screen('mlops reproduce', lines)).join('\n');
    expect(text).toBe(golden('screens/trouble-reproduce.txt', text));
    expect(screens.flatMap((lines) => tooWide(lines))).toEqual([]);
  });
});
