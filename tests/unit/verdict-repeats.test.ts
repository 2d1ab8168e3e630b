import { describe, expect, test } from '@jest/globals';
import { compareRepeat } from '../../lib/verdict/repeats.ts';
import type { MetricReading } from '../../lib/verdict/types.ts';
import { numberOf } from '../rig/sample-report.ts';

const run = (metrics: Readonly<Record<string, number | MetricReading>>) => ({
  metrics: Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [name, typeof value === 'number' ? numberOf(value) : value]),
  ),
});
const nan: MetricReading = { kind: 'nan', source: 'a' };
const repeat = (before: number | MetricReading, after: number | MetricReading, ...earlier: readonly number[]) =>
  compareRepeat(
    run({ rprec: before }),
    run({ rprec: after }),
    earlier.map((value) => run({ rprec: value })),
  )[0];

describe('a run that is made again', () => {
  test('is the same only to the last digit', () => {
    expect(repeat(0.1 + 0.2, 0.1 + 0.2)?.repeat).toBe('same');
    expect(repeat(0.3, 0.1 + 0.2)?.repeat).toBe('unknown');
    expect(repeat(nan, { ...nan, source: 'b' })?.repeat).toBe('same');
    expect(repeat(nan, 0.3)?.repeat).toBe('different');
    const text = (shown: string): MetricReading => ({ kind: 'text', shown, source: '' });
    expect(repeat(text('a'), text('a'))?.repeat).toBe('same');
    expect(repeat(text('a'), text('b'))?.repeat).toBe('different');
  });

  test('is within the wobble that three runs or more have shown', () => {
    // scipy.stats.t.ppf(0.975, 2) * 0.01 * sqrt(1 + 1/3) = 0.049683
    expect(repeat(0.4, 0.44, 0.39, 0.4, 0.41)).toMatchObject({
      repeat: 'within',
      expected: { low: expect.closeTo(0.4 - 0.049683, 5), high: expect.closeTo(0.4 + 0.049683, 5), runs: 3 },
    });
    expect(repeat(0.4, 0.46, 0.39, 0.4, 0.41)?.repeat).toBe('different');
    expect(repeat(0.4, 0.41, 0.39, 0.4)?.repeat).toBe('unknown');
  });

  test('differs by anything where all runs were equal so far', () => {
    expect(repeat(0.4, 0.4000001, 0.4, 0.4, 0.4)?.repeat).toBe('different');
  });

  test('a metric that is new or gone is named as different', () => {
    const found = compareRepeat(run({ a: 1, constructor: 2 }), run({ b: 1, constructor: 2 }), []);
    expect(found).toMatchObject([
      { metric: 'a', repeat: 'different' },
      { metric: 'b', repeat: 'different' },
      { metric: 'constructor', repeat: 'same' },
    ]);
    expect(compareRepeat(run({}), run({ toString: 1 }), [])).toMatchObject([{ repeat: 'different' }]);
  });
});
