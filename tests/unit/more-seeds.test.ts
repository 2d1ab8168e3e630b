import { describe, expect, test } from '@jest/globals';
import { asFingerprint } from '../../lib/base/ids.ts';
import { stoppedLines } from '../../lib/cli/screens/gate-trouble.ts';
import { waitingLines } from '../../lib/cli/screens/waiting.ts';
import type { Requirement, RunStep } from '../../lib/config/types.ts';
import { stepDefinition } from '../../lib/fingerprint/steps.ts';
import { addedSeeds } from '../../lib/gate/add-seeds.ts';
import { extendRun } from '../../lib/job/extend-run.ts';
import { reportJson } from '../../lib/report/build-report.ts';
import { metricsOnly } from '../../lib/report/metrics-only.ts';
import { parseReport } from '../../lib/report/parse-report.ts';
import { headline } from '../../lib/report/words.ts';
import { wantsMoreSeeds } from '../../lib/verdict/judge.ts';
import { studentQuantile } from '../../lib/verdict/student.ts';
import type { RunResult } from '../../lib/verdict/types.ts';
import { commit, numberOf, run, sampleReport } from '../rig/sample-report.ts';
import { setting, tooWide } from '../rig/screen.ts';

const runOf = (values: Readonly<Record<number, number>>): RunResult => ({
  ...run,
  steps: Object.keys(values).map((seed) => ({ name: `train (seed=${seed})`, outcome: 'passed', seconds: 2 })),
  metrics: {
    rprec: numberOf(Object.values(values).reduce((sum, value) => sum + value, 0) / Object.values(values).length),
  },
  tasks: Object.entries(values).map(([seed, value]) => ({
    parameters: { seed: Number(seed) },
    seed: Number(seed),
    combination: '',
    outcome: 'passed',
    metrics: { rprec: numberOf(value) },
  })),
  artifacts: [
    { path: 'log', sha256: 'e'.repeat(64), size: 1, role: 'log' },
    { path: 'tasks/1/model.pkl', sha256: 'd'.repeat(64), size: 1, role: 'artifact' },
  ],
});
const first = runOf({ 1: 0.3, 2: 0.31, 3: 0.32 });
const second: RunResult = {
  ...runOf({ 4: 0.3, 5: 0.32 }),
  fingerprint: asFingerprint('a'.repeat(64)),
  peakMemory: 5e9,
};
const asks = (more: Partial<Requirement>): Readonly<Record<string, Requirement>> => ({
  rprec: { withoutBaseline: 'fail', undecided: 'more', ...more },
});

describe('the seeds that are added', () => {
  test('go on after the largest of the list, and are no part of the fingerprint', () => {
    expect(addedSeeds({ parameter: 'seed', values: [7, 42, 3], more: 3 })).toEqual([43, 44, 45]);
    const step: RunStep = { kind: 'run', run: 'x', seeds: { parameter: 'seed', values: [1, 2] } };
    const more: RunStep = { ...step, seeds: { parameter: 'seed', values: [1, 2], more: 5 } };
    expect(stepDefinition(more)).toEqual(stepDefinition(step));
  });
  test('are one sample with those that were there', () => {
    const all = extendRun(first, second);
    expect(all.fingerprint).toBe(first.fingerprint);
    expect(all.tasks?.map(({ seed }) => seed)).toEqual([1, 2, 3, 4, 5]);
    expect(all.metrics.rprec).toMatchObject({ kind: 'number', value: expect.closeTo(0.31, 12) });
    expect(all.steps).toHaveLength(5);
    expect([all.seconds, all.peakMemory]).toEqual([136, 5e9]);
    expect(all.added).toMatchObject({ fingerprint: second.fingerprint, seeds: [4, 5], job: '481516' });
    expect(all.artifacts.map(({ path }) => path)).toEqual([
      'log',
      'tasks/1/model.pkl',
      'added/log',
      'tasks/4/model.pkl',
    ]);
  });
  test('travel with the report, without names of machines where nobody is to know them', () => {
    const report = sampleReport({ run: extendRun(first, second), require: asks({ min: 0.1 }), baseline: null });
    expect(parseReport(reportJson(report))).toEqual({ ok: true, value: report });
    expect(report.run?.added?.place.environment).not.toHaveProperty('packages');
    expect(reportJson(metricsOnly(report))).not.toContain('c117');
  });
});

describe('a second look', () => {
  test('costs some confidence at both, so that together they are wrong no more often', () => {
    const { verdict } = sampleReport({ run: first, require: asks({ min: 0.28 }), baseline: null });
    const sample = verdict?.checks[0]?.sample;
    expect(sample).toMatchObject({ n: 3, confidence: 0.975 });
    // 4.302652729911275: Student's t, two degrees of freedom, 97.5 %.
    expect(sample?.bound).toBeCloseTo(0.31 - (4.302652729911275 * 0.01) / Math.sqrt(3), 10);
    expect(studentQuantile(0.975, 9)).toBeCloseTo(2.2621571627409915, 9);
  });
  test('is offered where all that blocks is undecided, and only once', () => {
    const wants = (of: RunResult, require: Readonly<Record<string, Requirement>>) => {
      const report = sampleReport({ run: of, require, baseline: null });
      return [report.outcome, wantsMoreSeeds(report.verdict, report.run)];
    };
    expect(wants(first, asks({ min: 0.3 }))).toEqual(['fail', true]);
    expect(wants(first, asks({ min: 0.3, undecided: 'fail' }))).toEqual(['fail', false]);
    expect(wants(first, asks({ min: 0.2 }))).toEqual(['pass', false]);
    expect(wants(first, asks({ min: 0.9 }))).toEqual(['fail', false]);
    expect(wants(first, { ...asks({ min: 0.3 }), loss: { max: 1, withoutBaseline: 'fail' } })).toEqual(['fail', false]);
    expect(wants(extendRun(first, second), asks({ min: 0.305 }))).toEqual(['fail', false]);
  });
  test('says with which confidence it cannot tell', () => {
    const report = sampleReport({ run: first, require: asks({ min: 0.3 }), baseline: null });
    if (report.verdict === undefined) throw new Error('no verdict');
    expect(headline(report.verdict, [])).toMatch(
      /with 97\.5 % confidence it may be as far below as 0\.29, required is 0\.3;/,
    );
  });
  test('that is left before its end, or loses a seed, says that the verdict is what it was', () => {
    const again = { ...setting, again: 'mlops run --more-seeds', holdsPush: false };
    const about = { fingerprint: second.fingerprint, commit, place: 'login', job: '17', attempt: 1 };
    const left = waitingLines({ outcome: 'waiting', why: 'detached', ...about, addsSeeds: true }, again).join('\n');
    expect(left).toMatch(/the verdict stays undecided/);
    expect(left).toMatch(/mlops run --more-seeds +comes back to them/);
    // They are no run of the commit's own, which these two would look for.
    expect(left).not.toMatch(/mlops attach|mlops cancel/);
    const failure = { side: 'infrastructure', reason: 'out-of-memory', detail: '', step: 'train (seed=5)' } as const;
    const lost = stoppedLines({ reason: 'seeds-lost', failure }, again).join('\n');
    expect(lost).toMatch(/did not all end: out of memory, train \(seed=5\)/);
    expect(lost).toMatch(/Nothing was added/);
    expect([...tooWide(left.split('\n')), ...tooWide(lost.split('\n'))]).toEqual([]);
  });
});
