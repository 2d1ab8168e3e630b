import { describe, expect, test } from '@jest/globals';
import { metricLines } from '../../lib/cli/screens/metric-lines.ts';
import { plain } from '../../lib/cli/style.ts';
import { parseExpression } from '../../lib/config/expression.ts';
import type { Requirement } from '../../lib/config/types.ts';
import { baselineFrom } from '../../lib/gate/baseline.ts';
import { reportJson } from '../../lib/report/build-report.ts';
import { noteLine } from '../../lib/report/note-line.ts';
import { parseReport } from '../../lib/report/parse-report.ts';
import type { Report } from '../../lib/report/types.ts';
import { headline } from '../../lib/report/words.ts';
import { evaluate } from '../../lib/verdict/evaluate.ts';
import { measure } from '../../lib/verdict/measure.ts';
import type { MetricReading, RunResult } from '../../lib/verdict/types.ts';
import { commit, type main, numberOf, run as sample, sampleReport } from '../rig/sample-report.ts';

const metrics: Readonly<Record<string, MetricReading>> = {
  'f1.cat': numberOf(0.75),
  'f1.dog': numberOf(0.5),
  n: numberOf(4),
};
const shownOf = (text: string, of = metrics): unknown => {
  const expression = parseExpression(text);
  if (!expression.ok) return expression.error.reason;
  const reading = evaluate(expression.value, (name) => of[name] ?? { kind: 'missing', source: '' });
  return reading.kind === 'number' ? reading.value : `${reading.kind} ${reading.source}`.trim();
};

describe('an expression', () => {
  const cases: readonly (readonly [string, unknown])[] = [
    ['f1.cat - f1.dog', 0.25],
    ['f1.cat-f1.dog', 'missing f1.cat-f1.dog'],
    ['f1.cat * 2 + f1.dog / n', 1.625],
    ['f1.cat * (2 + f1.dog) / n', 0.46875],
    ['n - 1 - 1', 2],
    ['n / 2 / 2', 1],
    ['-f1.dog + 1', 0.5],
    ['- -n', 4],
    ['abs(f1.dog - f1.cat)', 0.25],
    ['max(f1.cat, f1.dog, 0.9) - min(f1.cat, f1.dog)', 0.4],
    ['1e-1 * n', 0.4],
    ['n / (f1.dog - f1.dog)', 'infinity'],
    ['0 * n / 0', 'nan'],
    ['f1.cat - f1.bird', 'missing f1.bird'],
    ['', 'unexpected'],
    ['n n', 'unexpected'],
    ['(n', 'unexpected'],
    ['n.toString()', 'unknown-function'],
    ['constructor(n)', 'unknown-function'],
    ['n[0]', 'unexpected'],
    ['abs(n, n)', 'wrong-count'],
    ['('.repeat(600), 'too-long'],
  ];
  test.each(cases)('%s', (text, value) => expect(shownOf(text)).toEqual(value));
  test('of a metric that is NaN is NaN by that metric’s name, whatever it is multiplied with', () => {
    expect(shownOf('0 * bad', { bad: { kind: 'nan', source: 'x' } })).toBe('nan bad');
    expect(shownOf('0 * bad', { bad: numberOf(Number.NaN) })).toBe('nan bad');
  });
});

const key = 'f1.cat - f1.dog';
const pairs = [
  [0.8, 0.7],
  [0.9, 0.82],
  [0.7, 0.61],
] as const;
const tasks: RunResult['tasks'] = pairs.map(([cat, dog], seed) => ({
  parameters: { seed },
  seed,
  combination: '',
  outcome: 'passed',
  metrics: { 'f1.cat': numberOf(cat), 'f1.dog': numberOf(dog) },
}));
const seeded: Partial<RunResult> = { metrics: { 'f1.cat': numberOf(0.8), 'f1.dog': numberOf(0.71) }, tasks };
const reportOf = (run: Partial<RunResult>, asked: Partial<Requirement>, baseline: typeof main | null = null): Report =>
  sampleReport({ run, baseline, require: { [key]: { withoutBaseline: 'fail', ...asked } } });

describe('a requirement on an expression', () => {
  test('is judged, shown and noted as a metric is', () => {
    const report = reportOf({ metrics }, { max: 0.1 });
    expect(report.outcome).toBe('fail');
    expect(headline(report.verdict ?? fail(), [])).toBe('f1.cat - f1.dog = 0.25 is above the maximum 0.1');
    expect(metricLines(report, plain).join('\n')).toMatch(/f1\.cat - f1\.dog +0\.25 +≤ 0\.1 ✗/);
    expect(noteLine(report)).toBe('fail  "f1.cat - f1.dog" 0.25  max 0.1  run 5b7e90d');
    expect(parseReport(reportJson(report))).toEqual({ ok: true, value: report });
  });
  test('is computed for each seed, so that its spread is the difference’s own', () => {
    const report = reportOf(seeded, { max: 0.12 });
    expect(report.verdict?.checks[0]).toMatchObject({ outcome: 'met', sample: { n: 3, rule: 'mean' } });
    expect(report.verdict?.checks[0]?.sample?.sd).toBeCloseTo(0.01, 12);
    expect(metricLines(report, plain).join('\n')).toContain('0.09 ± 0.01 (3 seeds)');
  });
  test('is compared with the same expression in the baseline, paired by seeds', () => {
    const baseline = baselineFrom(reportOf(seeded, { max: 0.12 }), 'main', commit, [key]);
    expect(baseline.metrics[key]).toBeCloseTo(0.09, 12);
    const report = reportOf(seeded, { baseline: 'main', maxRise: { kind: 'absolute', amount: 0.01 } }, baseline);
    expect(report.verdict?.checks[0]).toMatchObject({ outcome: 'met', sample: { rule: 'paired' } });
    expect(report.baselines[0]?.samples?.[key]).toHaveLength(3);
  });
  test('fails by the name of the metric that is missing', () => {
    const report = reportOf({ metrics: { 'f1.cat': numberOf(1) } }, { max: 0.1 });
    expect(headline(report.verdict ?? fail(), [])).toBe(
      'f1.cat - f1.dog cannot be computed: f1.dog is missing: no step delivered it',
    );
  });
  test('holds for every combination of a matrix, and takes from an earlier step what that has measured for all', () => {
    const run = {
      metrics: { 'f1.dog': numberOf(0.5), 'f1.cat[lr=1]': numberOf(0.6), 'f1.cat[lr=2]': numberOf(0.9) },
      tasks: [0.6, 0.9].map((value, index) => ({
        parameters: { lr: index + 1 },
        combination: `lr=${index + 1}`,
        outcome: 'passed' as const,
        metrics: { 'f1.cat': numberOf(value) },
      })),
    };
    expect(
      measure({ ...sample, ...run }, key).map(({ name, reading }) => [
        name,
        reading.kind === 'number' && reading.value,
      ]),
    ).toEqual([
      ['f1.cat - f1.dog[lr=1]', 0.6 - 0.5],
      ['f1.cat - f1.dog[lr=2]', 0.9 - 0.5],
    ]);
    expect(reportOf(run, { max: 0.2 }).verdict?.checks.map(({ outcome }) => outcome)).toEqual(['met', 'not-met']);
  });
  test('is the file’s own where a file of metrics has one of that name', () => {
    expect(measure({ ...sample, metrics: { ...metrics, [key]: numberOf(7) } }, key)[0]).toMatchObject({
      reading: { value: 7 },
      derived: false,
    });
  });
});

function fail(): never {
  throw new Error('no verdict');
}
