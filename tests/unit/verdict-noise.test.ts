import { describe, expect, test } from '@jest/globals';
import { asFingerprint } from '../../lib/base/ids.ts';
import type { Requirement } from '../../lib/config/types.ts';
import { judge } from '../../lib/verdict/judge.ts';
import { studentQuantile } from '../../lib/verdict/student.ts';
import type { Baseline, RunResult, SampleValue, Verdict } from '../../lib/verdict/types.ts';

/** SciPy 1.17.1: `scipy.stats.t.ppf(0.95, df)`. */
const scipy: readonly (readonly [number, number])[] = [
  [1, 6.313751514675037],
  [1.5, 3.70518082009675],
  [2, 2.9199855803537242],
  [2.7, 2.4638889362708496],
  [3, 2.3533634348018233],
  [4, 2.1318467863266495],
  [5, 2.0150483733330233],
  [6.3, 1.9267336798807928],
  [7, 1.8945786050900062],
  [9, 1.833112932656237],
  [10, 1.8124611228116756],
  [14.25, 1.759129306297152],
  [19, 1.7291328115213682],
  [30, 1.697260886593957],
  [49, 1.6765508926168535],
  [99, 1.6603911560169906],
  [199, 1.6525467461665633],
  [1000, 1.6463788172854643],
];
test.each(scipy)('Student’s t with %d degrees of freedom stays below the quantile that SciPy gives', (df, quantile) => {
  expect(Math.abs(studentQuantile(0.95, df) / quantile - 1)).toBeLessThan(1e-9);
});

const sample = (values: readonly number[], first = 1): readonly SampleValue[] =>
  values.map((value, index) => ({ seed: first + index, value }));
const ours = [0.391, 0.402, 0.388, 0.399, 0.395];
const before = [0.39, 0.401, 0.389, 0.394, 0.393];

function runOf(values: readonly SampleValue[], combination = ''): RunResult {
  const mean = values.reduce((sum, { value }) => sum + value, 0) / values.length;
  return {
    version: 1,
    fingerprint: asFingerprint('5b7e90d'.padEnd(64, '0')),
    attempt: 1,
    job: { id: '1', how: 'completed', word: 'COMPLETED' },
    finished: true,
    steps: [{ name: 'a.ipynb', outcome: 'passed' }],
    metrics: {
      [combination === '' ? 'rprec' : `rprec[${combination}]`]: { kind: 'number', value: mean, source: 'x' },
    },
    tasks: values.map(({ seed, value }) => ({
      parameters: { seed },
      seed,
      combination,
      outcome: 'passed',
      metrics: { rprec: { kind: 'number', value, source: 'x' } },
    })),
    place: { cluster: 'c', gpus: 0 },
    artifacts: [],
    findings: [],
  };
}
const baseline = (values: readonly SampleValue[]): Baseline => ({
  name: 'main',
  commit: 'c'.repeat(40),
  distance: 0,
  run: asFingerprint('a'.repeat(64)),
  metrics: { rprec: values.reduce((sum, { value }) => sum + value, 0) / values.length },
  ...(values.length > 1 ? { samples: { rprec: values } } : {}),
});
const judged = (values: readonly SampleValue[], bounds: Partial<Requirement>, main?: Baseline): Verdict =>
  judge({
    result: runOf(values),
    require: { rprec: { withoutBaseline: 'fail', ...bounds } },
    baselines: { rprec: main },
  });
const drop = (amount: number): Partial<Requirement> => ({ baseline: 'main', maxDrop: { kind: 'absolute', amount } });
const boundOf = ({ checks }: Verdict): number => checks[0]?.sample?.bound ?? Number.NaN;

describe('the confidence bound is SciPy’s', () => {
  test('of the mean', () => expect(boundOf(judged(sample(ours), { min: 0 }))).toBeCloseTo(0.3895648358182652, 12));
  test('of the difference, paired where the seeds are the same', () => {
    const verdict = judged(sample(ours), drop(0.01), baseline(sample(before)));
    expect(verdict.checks[0]?.sample?.rule).toBe('paired');
    expect(boundOf(verdict)).toBeCloseTo(0.3929112252654831, 12);
  });
  test('of the difference, Welch’s where they are not', () => {
    const verdict = judged(sample(ours), drop(0.01), baseline(sample([0.38, 0.4, 0.41])));
    expect(verdict.checks[0]?.sample?.rule).toBe('welch');
    expect(boundOf(verdict)).toBeCloseTo(0.37067034625152767, 10);
  });
});

describe('a requirement on a sample', () => {
  const cases: readonly [string, readonly SampleValue[], Partial<Requirement>, Baseline | undefined, string][] = [
    ['min: the whole interval is above', sample(ours), { min: 0.389 }, undefined, 'met'],
    ['min: the mean is above, and may be below', sample(ours), { min: 0.392 }, undefined, 'undecided'],
    ['min: the whole interval is below', sample(ours), { min: 0.41 }, undefined, 'not-met'],
    ['max: the whole interval is below', sample(ours), { max: 0.402 }, undefined, 'met'],
    ['max: the mean is below, and may be above', sample(ours), { max: 0.396 }, undefined, 'undecided'],
    ['max: the whole interval is above', sample(ours), { max: 0.38 }, undefined, 'not-met'],
    [
      'max_drop: pairs know what each sample alone does not',
      sample(ours),
      drop(0.002),
      baseline(sample(before)),
      'met',
    ],
    [
      'max_drop: other seeds of the same spread do not',
      sample(ours),
      drop(0.002),
      baseline(sample(before, 6)),
      'undecided',
    ],
    ['max_drop: against a single value', sample(ours), drop(0.01), baseline(sample([0.393])), 'met'],
    ['no spread: the plain comparison, equal is met', sample([0.4, 0.4, 0.4]), { min: 0.4 }, undefined, 'met'],
    ['no spread: the plain comparison, below', sample([0.4, 0.4, 0.4]), { min: 0.41 }, undefined, 'not-met'],
    ['neither run has a spread', sample([0.3, 0.3]), drop(0.1), baseline(sample([0.4, 0.4], 7)), 'met'],
    ['one seed: the plain comparison', sample([0.4]), { min: 0.39 }, undefined, 'met'],
  ];
  test.each(cases)('%s', (_, values, bounds, main, outcome) => {
    const verdict = judged(values, bounds, main);
    expect(verdict.checks.map((check) => check.outcome)).toEqual([outcome]);
    expect(verdict.kind).toBe(outcome === 'met' ? 'pass' : 'fail');
  });
  test('undecided says how many seeds more would settle it, and no number that nobody would run', () => {
    expect(judged(sample(ours), { min: 0.392 }).checks[0]?.sample?.more).toBe(7);
    expect(judged(sample(ours), { min: 0.3949999 }).checks[0]?.sample).not.toHaveProperty('more');
  });
  test('undecided is a warning where the requirement says so', () => {
    const verdict = judged(sample(ours), { min: 0.392, undecided: 'warn' });
    expect(verdict).toMatchObject({ kind: 'pass', warnings: [{ name: 'undecided' }] });
  });
  test('one seed, and seeds without effect, are named', () => {
    expect(judged(sample([0.4]), { min: 0.3 }).warnings.map(({ name }) => name)).toEqual(['one-seed']);
    expect(judged(sample([0.4, 0.4]), { min: 0.3 }).warnings.map(({ name }) => name)).toEqual(['seeds-without-effect']);
  });
  test('holds for every combination of a matrix by its own name', () => {
    const [good, bad] = [runOf(sample(ours), 'lr=0.1'), runOf(sample(ours.map((value) => value - 0.3)), 'lr=1')];
    const result = {
      ...good,
      metrics: { ...good.metrics, ...bad.metrics },
      tasks: [...(good.tasks ?? []), ...(bad.tasks ?? [])],
    };
    const verdict = judge({ result, require: { rprec: { min: 0.3, withoutBaseline: 'warn' } }, baselines: {} });
    expect(verdict.kind).toBe('fail');
    expect(verdict.checks.map(({ metric, outcome }) => [metric, outcome])).toEqual([
      ['rprec[lr=0.1]', 'met'],
      ['rprec[lr=1]', 'not-met'],
    ]);
  });
});
