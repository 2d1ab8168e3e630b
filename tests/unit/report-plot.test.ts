import { describe, expect, test } from '@jest/globals';
import { XMLValidator } from 'fast-xml-parser';
import { type PlotPoint, plotHistory } from '../../lib/report/plot.ts';
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
