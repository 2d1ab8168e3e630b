import { describe, expect, test } from '@jest/globals';
import { asFingerprint } from '../../lib/base/ids.ts';
import type { Requirement } from '../../lib/config/types.ts';
import { exitCode } from '../../lib/verdict/exit-code.ts';
import { judge } from '../../lib/verdict/judge.ts';
import type { Baseline, Failure, MetricReading, RunResult, StepResult, Verdict } from '../../lib/verdict/types.ts';

const source = 'movie-recs.ipynb';
const number = (value: number): MetricReading => ({ kind: 'number', value, source });
const good: RunResult = {
  version: 1,
  fingerprint: asFingerprint('5b7e90d'.padEnd(64, '0')),
  attempt: 1,
  job: { id: '481516', how: 'completed', word: 'COMPLETED', exitCode: 0 },
  finished: true,
  steps: [{ name: 'movie-recs.ipynb', outcome: 'passed', exitCode: 0 }],
  metrics: { rprec: number(0.395) },
  place: { cluster: 'login', gpus: 0 },
  artifacts: [],
  findings: [],
};
const bound = (bounds: Partial<Requirement>): Requirement => ({ withoutBaseline: 'fail', ...bounds });
const main = (value: number): Baseline => ({
  name: 'main',
  commit: 'c'.repeat(40),
  distance: 0,
  run: asFingerprint('a'.repeat(64)),
  metrics: { rprec: value },
});
const judged = (result: Partial<RunResult>, requirement = bound({ min: 0.25 }), baseline?: Baseline): Verdict =>
  judge({ result: { ...good, ...result }, require: { rprec: requirement }, baselines: { rprec: baseline } });
const words = (verdict: Verdict): readonly string[] =>
  verdict.reasons.map((found) => {
    if (found.reason === 'failure') return found.failure.reason;
    return found.reason === 'finding' ? found.finding.name : `${found.check.bound} ${found.check.problem ?? 'not met'}`;
  });
const failed = (failure: Partial<Failure>): readonly StepResult[] => [
  {
    name: 'movie-recs.ipynb',
    outcome: 'failed',
    failure: { side: 'code', reason: 'exception', detail: 'ValueError: x', ...failure },
  },
];

describe('bounds', () => {
  const cases: readonly [string, number, Partial<Requirement>, number | undefined, 'pass' | 'fail'][] = [
    ['min: above', 0.3, { min: 0.25 }, undefined, 'pass'],
    ['min: equal is met', 0.25, { min: 0.25 }, undefined, 'pass'],
    ['min: below', 0.2499, { min: 0.25 }, undefined, 'fail'],
    ['max: below', 1, { max: 2 }, undefined, 'pass'],
    ['max: equal is met', 2, { max: 2 }, undefined, 'pass'],
    ['max: above', 2.1, { max: 2 }, undefined, 'fail'],
    ['max_drop, absolute: within', 0.35, { maxDrop: { kind: 'absolute', amount: 0.1 } }, 0.4, 'pass'],
    [
      'max_drop, absolute: exactly what is allowed, in spite of binary fractions',
      0.3,
      { maxDrop: { kind: 'absolute', amount: 0.1 } },
      0.4,
      'pass',
    ],
    ['max_drop, absolute: too much', 0.2999, { maxDrop: { kind: 'absolute', amount: 0.1 } }, 0.4, 'fail'],
    ['max_drop, percent: within', 0.392, { maxDrop: { kind: 'percent', amount: 1 } }, 0.395, 'pass'],
    ['max_drop, percent: too much', 0.39, { maxDrop: { kind: 'percent', amount: 1 } }, 0.395, 'fail'],
    [
      'max_drop, percent of a negative baseline: within',
      -10.9,
      { maxDrop: { kind: 'percent', amount: 10 } },
      -10,
      'pass',
    ],
    [
      'max_drop, percent of a negative baseline: twice as bad',
      -20,
      { maxDrop: { kind: 'percent', amount: 10 } },
      -10,
      'fail',
    ],
    ['max_rise, absolute: within', 1.1, { maxRise: { kind: 'absolute', amount: 0.2 } }, 1, 'pass'],
    ['max_rise, percent: too much', 1.2, { maxRise: { kind: 'percent', amount: 10 } }, 1, 'fail'],
    ['max_rise, percent of a negative baseline', -9.5, { maxRise: { kind: 'percent', amount: 10 } }, -10, 'pass'],
    ['both sides: a rise is no drop', 5, { maxDrop: { kind: 'percent', amount: 1 } }, 0.4, 'pass'],
    ['a bound that is NaN is met by nothing', 5, { min: Number.NaN }, undefined, 'fail'],
    ['a bound of minus infinity is met by nothing', 5, { min: Number.NEGATIVE_INFINITY }, undefined, 'fail'],
    ['no bound at all wants a number', 5, {}, undefined, 'pass'],
  ];
  test.each(cases)('%s', (_name, value, bounds, baseline, kind) => {
    const verdict = judged(
      { metrics: { rprec: number(value) } },
      bound(bounds),
      baseline === undefined ? undefined : main(baseline),
    );
    expect(verdict.kind).toBe(kind);
    expect(verdict.reasons.length > 0).toBe(kind === 'fail');
  });

  test('a percentage of a baseline of 0 is a problem with a name when the metric is worse, a warning when it is not', () => {
    const tenth = bound({ maxDrop: { kind: 'percent', amount: 10 } });
    expect(words(judged({ metrics: { rprec: number(-0.001) } }, tenth, main(0)))).toEqual(['max_drop baseline-zero']);
    const same = judged({ metrics: { rprec: number(0) } }, tenth, main(0));
    expect([same.kind, same.warnings.map((warning) => warning.name)]).toEqual(['pass', ['baseline-zero']]);
  });

  test('every bound of every metric is decided, also after one that is not met', () => {
    const verdict = judge({
      result: { ...good, metrics: { rprec: number(0.1), loss: number(9) } },
      require: { rprec: bound({ min: 0.25, max: 0.9 }), loss: bound({ max: 1 }) },
      baselines: {},
    });
    expect(verdict.checks.map(({ metric, bound, outcome }) => `${metric} ${bound} ${outcome}`)).toEqual([
      'rprec min not-met',
      'rprec max met',
      'loss max not-met',
    ]);
    expect(words(verdict)).toEqual(['min not met', 'max not met']);
  });
});

describe('what is not a number', () => {
  const readings: readonly MetricReading[] = [
    { kind: 'nan', source },
    { kind: 'infinity', source },
    { kind: 'minus-infinity', source },
    { kind: 'text', shown: 'nan', source },
    { kind: 'boolean', shown: 'True', source },
    { kind: 'null', shown: 'None', source },
    { kind: 'list', shown: '[0.4]', source },
    { kind: 'object', shown: '{}', source },
    { kind: 'raised', shown: 'NameError', source },
    { kind: 'missing', source },
    number(Number.NaN),
    number(Number.POSITIVE_INFINITY),
    number(Number.NEGATIVE_INFINITY),
  ];
  const bounds: readonly (readonly [string, Partial<Requirement>])[] = [
    ['number', {}],
    ['min', { min: Number.NEGATIVE_INFINITY }],
    ['min', { min: 0 }],
    ['max', { max: Number.MAX_VALUE }],
    ['max_drop', { maxDrop: { kind: 'absolute', amount: 1e9 } }],
    ['max_rise', { maxRise: { kind: 'percent', amount: 1e9 } }],
  ];
  test.each(readings.flatMap((reading) => bounds.map(([name, bounds]) => [reading, name, bounds] as const)))(
    '%j fails %s by name, with and without a baseline',
    (reading, name, bounds) => {
      const problem =
        reading.kind !== 'number'
          ? reading.kind
          : Number.isNaN(reading.value)
            ? 'nan'
            : reading.value > 0
              ? 'infinity'
              : 'minus-infinity';
      for (const baseline of [main(0.4), undefined]) {
        const verdict = judged(
          { metrics: { rprec: reading } },
          bound({ ...bounds, withoutBaseline: 'ignore' }),
          baseline,
        );
        expect([verdict.kind, ...words(verdict)]).toEqual(['fail', `${name} ${problem}`]);
      }
    },
  );

  test('a metric that no step delivered is missing, also where its name is one that every object has', () => {
    const verdict = judge({ result: good, require: { constructor: bound({ min: 0 }) }, baselines: {} });
    expect(words(verdict)).toEqual(['min missing']);
  });
});

describe('without a baseline', () => {
  const drop = (withoutBaseline: Requirement['withoutBaseline']) =>
    ({ maxDrop: { kind: 'percent', amount: 1 }, baseline: 'main', withoutBaseline }) as const;
  test('`fail` fails, `warn` warns, `ignore` is recorded', () => {
    expect(judged({}, drop('fail')).kind).toBe('fail');
    const warned = judged({}, drop('warn'));
    expect([warned.kind, warned.warnings.map((warning) => warning.name)]).toEqual(['pass', ['no-baseline']]);
    const ignored = judged({}, drop('ignore'));
    expect([ignored.kind, ignored.warnings, ignored.checks[0]?.outcome]).toEqual(['pass', [], 'no-baseline-ignore']);
  });
  test('a baseline that lacks this metric, or has no number for it, is none', () => {
    for (const baseline of [{ ...main(1), metrics: {} }, main(Number.NaN)]) {
      expect(judged({}, drop('fail'), baseline).checks[0]?.outcome).toBe('no-baseline-fail');
    }
  });
});

describe('infrastructure comes first: an error says nothing about the model', () => {
  const job = (how: string, word: string, exitCode?: number) => ({
    job: { id: '1', how, word, ...(exitCode === undefined ? {} : { exitCode }) },
  });
  const { job: _asked, ...unasked } = good;
  const infrastructure = { side: 'infrastructure', detail: '' } as const;
  const cases: readonly [string, RunResult, string][] = [
    [
      'the job was out of memory, although the script exited 0 and every metric is there',
      { ...good, ...job('out-of-memory', 'OUT_OF_MEMORY', 0) },
      'out-of-memory',
    ],
    ['the job timed out after its last word', { ...good, ...job('timeout', 'TIMEOUT') }, 'timeout'],
    ['the node failed', { ...good, ...job('node-failed', 'NODE_FAIL'), finished: false }, 'node-failed'],
    ['the node did not boot', { ...good, ...job('boot-failed', 'BOOT_FAIL'), finished: false }, 'boot-failed'],
    ['the job was preempted', { ...good, ...job('preempted', 'PREEMPTED'), finished: false }, 'preempted'],
    ['the job was cancelled', { ...good, ...job('cancelled', 'CANCELLED'), finished: false }, 'cancelled'],
    [
      'the job was taken out of the queue by the one that could not build its environment',
      {
        ...good,
        ...job('cancelled', 'CANCELLED'),
        finished: false,
        preparation: { ...infrastructure, reason: 'environment' },
      },
      'environment',
    ],
    ['the job met its deadline', { ...good, ...job('deadline', 'DEADLINE'), finished: false }, 'deadline'],
    ['a state that is in no table', { ...good, ...job('revoked', 'REVOKED') }, 'end-unknown'],
    ['a state named like a member of every object', { ...good, ...job('toString', 'X') }, 'end-unknown'],
    ['COMPLETED, and no last word', { ...good, finished: false }, 'no-result'],
    ['exit 1, and no last word', { ...good, ...job('failed', 'FAILED', 1), finished: false }, 'no-result'],
    ['all steps passed, and the scheduler says FAILED', { ...good, ...job('failed', 'FAILED', 1) }, 'end-contradicted'],
    ['the scheduler could not be asked', unasked, 'end-unknown'],
    [
      'the scheduler has forgotten the job, and there is no last word',
      { ...unasked, jobForgotten: true, finished: false },
      'no-result',
    ],
    ['nothing ran', { ...good, steps: [] }, 'no-result'],
    [
      'a step was not run, and nobody says why',
      { ...good, steps: [...good.steps, { name: 'evaluate', outcome: 'not-run' }] },
      'no-result',
    ],
    [
      'the environment could not be built',
      {
        ...good,
        steps: [],
        finished: false,
        ...job('failed', 'FAILED', 1),
        preparation: { ...infrastructure, reason: 'environment' },
      },
      'environment',
    ],
    [
      'the kernel was killed',
      { ...good, ...job('failed', 'FAILED', 1), steps: failed({ ...infrastructure, reason: 'kernel-died' }) },
      'kernel-died',
    ],
    [
      'the disk was full',
      { ...good, ...job('failed', 'FAILED', 1), steps: failed({ ...infrastructure, reason: 'disk-full' }) },
      'disk-full',
    ],
    [
      'an exception of the infrastructure',
      { ...good, steps: failed({ ...infrastructure, reason: 'infrastructure-exception' }) },
      'infrastructure-exception',
    ],
    [
      'the result of another run',
      { ...good, steps: failed({ ...infrastructure, reason: 'result-foreign' }) },
      'result-foreign',
    ],
    [
      'the code failed first, and then the node',
      { ...good, ...job('node-failed', 'NODE_FAIL'), finished: false, steps: failed({}) },
      'node-failed',
    ],
  ];
  test.each(cases)('%s', (_name, result, reason) => {
    // The same without a single requirement, and with one that would be met.
    for (const require of [{}, { rprec: bound({ min: 0.25 }) }]) {
      const verdict = judge({ result, require, baselines: {} });
      expect([verdict.kind, words(verdict)[0]]).toEqual(['error', reason]);
      expect(verdict.checks).toEqual([]);
      expect(
        verdict.reasons.every((found) => found.reason === 'failure' && found.failure.side === 'infrastructure'),
      ).toBe(true);
    }
  });

  test('an out-of-memory kill says where it was, as the dead kernel saw it', () => {
    const steps = failed({ ...infrastructure, reason: 'kernel-died', cell: 31, cells: 69 });
    const verdict = judged({ steps, ...job('out-of-memory', 'OUT_OF_MEMORY') });
    expect(words(verdict)).toEqual(['out-of-memory', 'kernel-died']);
    expect(verdict.reasons[0]).toMatchObject({ failure: { cell: 31, cells: 69, step: 'movie-recs.ipynb' } });
  });

  test('a job that the scheduler has forgotten is judged by its own last word, with a warning', () => {
    const verdict = judge({
      result: { ...unasked, jobForgotten: true },
      require: { rprec: bound({ min: 0.25 }) },
      baselines: {},
    });
    expect([verdict.kind, verdict.warnings.map((warning) => warning.name)]).toEqual(['pass', ['end-unconfirmed']]);
  });
});

describe('the code says no', () => {
  const ended = { job: { id: '1', how: 'failed', word: 'FAILED', exitCode: 1 } };
  test('a notebook that raised fails for that reason, and not because its metrics are missing', () => {
    const verdict = judged({ ...ended, steps: failed({ cell: 42, cells: 69 }), metrics: {} });
    expect([verdict.kind, ...words(verdict)]).toEqual(['fail', 'exception']);
    expect(verdict.checks[0]).toMatchObject({ outcome: 'not-met', problem: 'missing' });
  });
  test('a failed step fails although the metrics are good and the scheduler says COMPLETED', () => {
    expect(words(judged({ steps: failed({}) }))).toEqual(['exception']);
  });
  test.each([
    'exit-status',
    'ended-early',
    'cells-not-run',
    'metrics-unreadable',
    'tests-failed',
    'wrote-into-data',
    'missing-module',
  ] as const)('%s fails, whatever the metrics say', (reason) => {
    const verdict = judged({ ...ended, steps: failed({ reason }) });
    expect([verdict.kind, ...words(verdict)]).toEqual(['fail', reason]);
  });
  test('a step that failed without a word, and tests that failed in a step that passed, fail all the same', () => {
    expect(words(judged({ steps: [{ name: 'x', outcome: 'failed', exitCode: 3 }] }))).toEqual(['exit-status']);
    const tests = { passed: 3, failed: 1, skipped: 0, failures: ['test_a'] };
    expect(words(judged({ steps: [{ name: 'x', outcome: 'passed', tests }] }))).toEqual(['tests-failed']);
  });
  test('a step that says it passed and carries a failure did not pass', () => {
    const steps: readonly StepResult[] = [{ ...failed({ reason: 'cells-not-run' })[0], name: 'x', outcome: 'passed' }];
    expect(judged({ steps }).kind).toBe('fail');
  });
  test('steps after a failed one are not another reason', () => {
    expect(words(judged({ ...ended, steps: [...failed({}), { name: 'evaluate', outcome: 'not-run' }] }))).toEqual([
      'exception',
    ]);
  });
  test('a specification that cannot be solved is the code’s', () => {
    const preparation: Failure = { side: 'code', reason: 'environment', detail: 'unsatisfiable' };
    expect(judged({ ...ended, finished: true, steps: [], metrics: {}, preparation }).kind).toBe('fail');
  });
  test('a finding of severity fail fails, warn warns, info is silent', () => {
    const finding = (severity: 'fail' | 'warn' | 'info') =>
      judged({ findings: [{ name: 'cells-without-count', severity, detail: 'cell 3' }] });
    expect([finding('fail').kind, ...words(finding('fail'))]).toEqual(['fail', 'cells-without-count']);
    expect([finding('warn').kind, finding('warn').warnings.length]).toEqual(['pass', 1]);
    expect([finding('info').kind, finding('info').warnings.length]).toEqual(['pass', 0]);
  });
  test('tests that ran none warn', () => {
    const tests = { passed: 0, failed: 0, skipped: 0, failures: [] };
    expect(judged({ steps: [{ name: 'pytest', outcome: 'passed', tests }] }).warnings).toMatchObject([
      { name: 'no-tests' },
    ]);
  });
});

test('a run without requirements passes when everything ran', () => {
  expect(judge({ result: good, require: {}, baselines: {} })).toEqual({
    kind: 'pass',
    checks: [],
    reasons: [],
    warnings: [],
  });
});
test('a step that was reused by content counts as run', () => {
  expect(judged({ steps: [{ name: 'train', outcome: 'reused' }] }).kind).toBe('pass');
});
test('only a pass lets git go on', () => {
  expect([exitCode('pass'), exitCode('fail'), exitCode('error')]).toEqual([0, 1, 1]);
});
