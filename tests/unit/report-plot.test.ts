import { describe, expect, test } from '@jest/globals';
import { XMLValidator } from 'fast-xml-parser';
import { type PlotPoint, plotHistory } from '../../lib/report/plot.ts';
import { plotCurves } from '../../lib/report/plot-curves.ts';
import type { Curve } from '../../lib/verdict/types.ts';
import { golden } from '../rig/golden.ts';
import { hostile } from '../rig/sample-report.ts';
import { evil } from '../rig/screen.ts';

const point = (label: string, value: number | undefined, more: Partial<PlotPoint> = {}): PlotPoint => ({
  label,
  value,
  outcome: 'pass',
  ...more,
});
const wellFormed = (svg: string) => expect(XMLValidator.validate(svg)).toBe(true);

describe('the plot of a metric', () => {
  test('is one picture for light and dark, with a gap where nothing was measured', () => {
    const svg = plotHistory('rprec', [
      point('1111111', 0.371),
      point('2222222', 0.384, { sd: 0.004 }),
      point('3333333', undefined, { outcome: 'error' }),
      point('4444444', 0.088, { outcome: 'fail' }),
      point('5555555', 0.391, { outcome: 'accepted', sd: 0.006 }),
    ]);
    wellFormed(svg);
    expect(svg).toBe(golden('report/plot.svg', svg));
    expect(svg).toContain('prefers-color-scheme: dark');
    expect(svg.match(/<path class="line" d="([^"]*)"/)?.[1]?.match(/M/g)).toHaveLength(2);
  });

  test.each<[string, readonly PlotPoint[]]>([
    ['nothing', []],
    ['one', [point('a', 1)]],
    ['equal ones', [point('a', 0), point('b', 0)]],
    ['no number at all', [point('a', undefined)]],
    ['a thousand', Array.from({ length: 1000 }, (_, index) => point(`c${index}`, Math.sin(index)))],
    ['far apart', [point('a', -1e-300), point('b', 1e300)]],
  ])('of %s is well-formed, and has no number that is none', (_name, points) => {
    const svg = plotHistory('loss', points);
    wellFormed(svg);
    expect(svg).not.toMatch(/NaN|Infinity|undefined/);
  });

  test('names that would like to be markup are text', () => {
    for (const name of [hostile, evil, '"><script>alert(1)</script>', '\ud800\ufffe']) {
      const svg = plotHistory(name, [point(name, 1)]);
      wellFormed(svg);
      expect(svg).not.toMatch(/<script|[\u0000-\u0008\u000b-\u001f\u202e\ufffe]/);
    }
  });
});

const curve = (length: number, of: (index: number) => number | null, more: Partial<Curve> = {}): Curve => ({
  rule: 'min',
  n: length,
  values: Array.from({ length: Math.min(100, length) }, (_, index) => of(index)),
  ...more,
});

describe('the plot of curves', () => {
  test('is one picture for light and dark, each curve over its baseline, and a point where the metric is', () => {
    const svg = plotCurves('3f2a91c', [
      {
        metric: 'loss',
        curve: curve(12, (step) => (step === 3 ? null : 1 / (step + 1)), { at: 10 }),
        value: 0.0909,
        baseline: { name: 'main 91ab3c0', curve: curve(8, (step) => 1.2 / (step + 1)) },
      },
      { metric: 'acc', curve: curve(20_000, (step) => 1 - 1 / (step + 1), { rule: 'last' }), value: 0.99 },
    ]);
    wellFormed(svg);
    expect(svg).toBe(golden('report/plot-curves.svg', svg));
    expect(svg).toContain('prefers-color-scheme: dark');
    expect(svg).toContain('<title>min 0.0909, step 11 of 12</title>');
  });

  test.each<[string, Curve]>([
    ['one value', curve(1, () => 1, { at: 0 })],
    ['no number at all', curve(5, () => null)],
    ['equal ones', curve(5, () => 0, { at: 0 })],
    ['far apart', curve(5, (step) => 10 ** (step * 70))],
  ])('of %s is well-formed, and has no number that is none', (_name, drawn) => {
    const svg = plotCurves(hostile, [{ metric: evil, curve: drawn, baseline: { name: hostile, curve: drawn } }]);
    wellFormed(svg);
    expect(svg).not.toMatch(/NaN|Infinity|undefined|<script/);
  });
});
