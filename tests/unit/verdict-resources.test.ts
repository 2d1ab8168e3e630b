import { describe, expect, test } from '@jest/globals';
import { metricLines } from '../../lib/cli/screens/metric-lines.ts';
import { plain } from '../../lib/cli/style.ts';
import type { Requirement } from '../../lib/config/types.ts';
import { baselineFrom } from '../../lib/gate/baseline.ts';
import { reportJson } from '../../lib/report/build-report.ts';
import { metricsOnly } from '../../lib/report/metrics-only.ts';
import { noteLine } from '../../lib/report/note-line.ts';
import { parseReport } from '../../lib/report/parse-report.ts';
import type { Report } from '../../lib/report/types.ts';
import { reasonText } from '../../lib/report/words.ts';
import { measure } from '../../lib/verdict/measure.ts';
import type { KeptFile, RunResult } from '../../lib/verdict/types.ts';
import { commit, type main, run, sampleReport } from '../rig/sample-report.ts';

const gigabyte = 2 ** 30;
const asked = (limits: Readonly<Record<string, Partial<Requirement>>>): Readonly<Record<string, Requirement>> =>
  Object.fromEntries(Object.entries(limits).map(([key, limit]) => [key, { withoutBaseline: 'fail', ...limit }]));
const reportOf = (
  limits: Readonly<Record<string, Partial<Requirement>>>,
  more: Partial<RunResult> = {},
  baseline: typeof main | null = null,
): Report => sampleReport({ run: more, baseline, require: asked(limits) });
const table = (report: Report): string => metricLines(report, plain).join('\n');
const reasons = ({ verdict, baselines }: Report): readonly string[] =>
  verdict?.reasons.map((found) => reasonText(found, baselines)) ?? [];

describe('what a run took', () => {
  const limits = { $time: { max: 60 }, $memory: { max: 4 * gigabyte }, '$size(model.pkl)': { max: 20_000_000 } };
  test('is required as a metric is, and shown in its own units', () => {
    const report = reportOf(limits);
    expect(table(report)).toMatch(/\$time +1:01 +≤ 1:00 ✗/);
    expect(table(report)).toMatch(/\$memory +3 GB +≤ 4 GB ✓/);
    expect(table(report)).toMatch(/\$size\(model\.pkl\) +17 MB +≤ 19 MB ✓/);
    expect(reasons(report)).toEqual(['$time 1:01 is above the maximum 1:00']);
    expect(noteLine(report)).toBe(
      'fail  $memory 3GB  max 4GB  |  $size(model.pkl) 17MB  max 19MB  |  $time 1:01  max 1:00  run 5b7e90d',
    );
    expect(parseReport(reportJson(report))).toEqual({ ok: true, value: report });
  });
  test('is never shown as what it had to stay below when it was more', () => {
    const report = reportOf({ $memory: { max: 4 * gigabyte } }, { peakMemory: 4 * gigabyte + 2 ** 20 });
    expect(reasons(report)).toEqual(['$memory 4.001 GB is above the maximum 4 GB']);
  });
  test('is compared with the baseline', () => {
    const before = baselineFrom(sampleReport(), 'main', commit, ['$time']);
    expect(before.metrics.$time).toBe(61);
    const slower = { steps: [{ name: 'movie-recs.ipynb', outcome: 'passed' as const, exitCode: 0, seconds: 90 }] };
    const rise = { $time: { baseline: 'main', maxRise: { kind: 'percent', amount: 20 } } } as const;
    expect(reasons(reportOf(rise, slower, before))).toEqual(["$time 1:30 is more than 20 % above main's 1:01"]);
    expect(table(reportOf(rise, slower, before))).toMatch(
      /\$time +1:30 +1:01 +\+0:29 +≤ 1:13 \(within 20 % of main\) ✗/,
    );
  });
  test('may warn alone', () => {
    const report = reportOf({ $time: { warn: { max: 30 } } });
    expect([report.outcome, table(report).includes('warns unless ≤ 0:30 !')]).toEqual(['pass', true]);
  });
});

describe('what was not measured is not met, and says why', () => {
  const step = (outcome: 'passed' | 'reused', seconds?: number): RunResult['steps'][number] => ({
    name: outcome,
    outcome,
    ...(seconds === undefined ? {} : { seconds }),
  });
  const cases: readonly (readonly [string, string, RunResult, string])[] = [
    [
      'a job too short to be looked at',
      '$memory',
      { ...run, peakMemory: 0 },
      'the scheduler did not tell how much the job used',
    ],
    [
      'a step that was not run again',
      '$memory',
      { ...run, steps: [step('reused', 500), step('passed', 1)] },
      'a step was not run again, and what it used is not known',
    ],
    ['a file that was not kept', '$size(model.onnx)', run, 'no file of that name was kept'],
    ['a step without a time', '$time', { ...run, steps: [step('passed')] }, 'not every step came to its end'],
  ];
  test.each(cases)('%s', (_, key, result, why) => {
    const report = reportOf({ [key]: { max: 1e12 } }, result);
    expect([report.outcome, ...reasons(report)]).toEqual(['fail', `${key} was not measured: ${why}`]);
    expect(table(report)).toContain('not measured');
  });
  test('memory where there is no accounting', () => {
    const { peakMemory: _peak, ...silent } = run;
    expect(measure(silent, '$memory')[0]?.reading).toEqual({ kind: 'missing', source: 'scheduler' });
  });
  test('a step that was not run again has kept the time it took', () => {
    const steps = [step('reused', 500), step('passed', 1)];
    expect(measure({ ...run, steps }, '$time')[0]?.reading).toMatchObject({ kind: 'number', value: 501 });
  });
});

describe('a file whose size is asked for', () => {
  const file = (path: string, size: number): KeptFile => ({ path, sha256: 'd'.repeat(64), size, role: 'artifact' });
  const artifacts = [
    ...Array.from({ length: 40 }, (_, index) => file(`a/${index}.png`, 1)),
    file('tasks/1/model.pkl', 10),
    file('tasks/2/model.pkl', 12),
  ];
  test('is the largest of all tasks', () => {
    expect(measure({ ...run, artifacts }, '$size(model.pkl)')[0]?.reading).toMatchObject({ value: 12 });
  });
  test('stays in the report, also with `publish: metrics`, so that it can be judged again', () => {
    const report = reportOf({ '$size(model.pkl)': { max: 20 } }, { artifacts });
    expect(report.run?.artifacts.map(({ path }) => path)).toContain('tasks/2/model.pkl');
    expect(metricsOnly(report).run?.artifacts.map(({ path }) => path)).toEqual(['tasks/2/model.pkl']);
    expect(metricsOnly(sampleReport()).run?.artifacts).toEqual([]);
  });
});
