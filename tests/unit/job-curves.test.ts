import { describe, expect, test } from '@jest/globals';
import { type FullCurve, keptCurves, meanCurve, withCurves } from '../../lib/job/curve.ts';
import { readMetrics } from '../../lib/job/metrics-file.ts';
import { reportJson } from '../../lib/report/build-report.ts';
import { curveTexts } from '../../lib/report/curve-text.ts';
import { metricsOnly } from '../../lib/report/metrics-only.ts';
import { parseReport } from '../../lib/report/parse-report.ts';
import { sampleReport } from '../rig/sample-report.ts';

const asked = async (json: string, curves: Readonly<Record<string, 'last' | 'min' | 'max'>>) => {
  const read = await readMetrics(json, 'metrics.json');
  if (!read.ok) throw new Error(read.error);
  return withCurves({ curves, metricsFile: 'metrics.json' }, read.value);
};
const csv = async (text: string) => {
  const read = await readMetrics(text, 'log.csv');
  if (!read.ok) throw new Error(read.error);
  return read.value;
};

describe('a curve', () => {
  test('stands for its last, its least or its greatest value, as the step says', async () => {
    const list = '[0.9, 0.2, 0.4]';
    const { metrics, curves } = await asked(`{"a": ${list}, "b": {"c": ${list}}, "d": ${list}}`, {
      a: 'last',
      'b.c': 'min',
      d: 'max',
    });
    expect(metrics).toMatchObject({ a: { value: 0.4 }, 'b.c': { value: 0.2 }, d: { value: 0.9 } });
    expect(Object.values(curves).map(({ at }) => at)).toEqual([2, 1, 0]);
  });

  test('where nobody asked for one, a list stays a list, which meets no requirement', async () => {
    const { metrics, curves } = await asked('{"a": [1, 2], "b": [1, 2]}', { b: 'last' });
    expect(metrics.a).toMatchObject({ kind: 'list', shown: '[1,2]' });
    expect(Object.keys(curves)).toEqual(['b']);
  });

  test.each<[string, string, string]>([
    ['nothing', '{}', 'missing'],
    ['an empty list', '{"a": []}', 'list'],
    ['a list with a text in it', '{"a": [1, "2"]}', 'list'],
    ['a list with nothing in a place', '{"a": [1, null]}', 'list'],
    ['a list of lists', '{"a": [[1], [2]]}', 'list'],
    ['a number alone', '{"a": 1}', 'number'],
    ['a training that went wrong', '{"a": [1, NaN, 0.5]}', 'nan'],
    ['a training that ran away', '{"a": [1, -Infinity]}', 'minus-infinity'],
  ])('of %s is what it is', async (_name, json, kind) => {
    expect((await asked(json, { a: 'min' })).metrics.a?.kind).toBe(kind);
  });

  test('that went wrong on the way may still end well, if its last value is what counts', async () => {
    expect((await asked('{"a": [NaN, 0.5]}', { a: 'last' })).metrics.a).toMatchObject({ kind: 'number', value: 0.5 });
  });

  test('keeps a hundred points of any length, the first and the last among them', () => {
    const values = Array.from({ length: 12_345 }, (_, index) => (index === 1 ? Number.NaN : 1 / (index + 3)));
    const { long, short } = keptCurves({
      long: { rule: 'min', at: 12_344, values },
      short: { rule: 'last', at: 1, values: [Number.NaN, 2.000001] },
    });
    expect(long).toMatchObject({ rule: 'min', n: 12_345, at: 12_344 });
    expect(long?.values).toHaveLength(100);
    expect([long?.values[0], long?.values.at(-1)]).toEqual([0.33333, 8.0991e-5]);
    expect(short).toEqual({ rule: 'last', n: 2, at: 1, values: [null, 2] });
  });

  test('over seeds is their mean, if they are equally long', () => {
    const of = (...values: readonly number[]): FullCurve => ({ rule: 'min', at: 0, values });
    expect(meanCurve([of(1, 2), of(3, 4)])).toEqual({ rule: 'min', values: [2, 3] });
    expect(meanCurve([of(1, 2), of(3)])).toBeUndefined();
  });

  test('is in the report, small, read back, and shown in a line', () => {
    const values = Array.from({ length: 1000 }, (_, index) => 1 / (index + 1));
    const full = Object.fromEntries(
      Array.from({ length: 20 }, (_, at) => [`loss-${at}`, { rule: 'min' as const, at: 999, values }]),
    );
    const report = sampleReport({ run: { curves: keptCurves(full) } });
    expect(Object.keys(report.run?.curves ?? {})).toHaveLength(8);
    const [one, none] = [keptCurves({ loss: { rule: 'min', at: 999, values } }), {}].map(
      (curves) => reportJson(sampleReport({ run: { curves } })).length,
    );
    expect((one ?? 0) - (none ?? 0)).toBeLessThan(1200);
    for (const each of [report, metricsOnly(report)]) {
      expect(parseReport(reportJson(each))).toEqual({ ok: true, value: each });
      expect(each.run?.curves).toEqual(report.run?.curves);
    }
    const damaged = reportJson(report).replace('"values":[1,', '"values":["1",');
    expect(parseReport(damaged)).toMatchObject({ error: { reason: 'malformed', at: 'run.curves.loss-0.values[0]' } });
    expect(curveTexts(report.run)[0]).toBe('loss-0 █▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁▁ min, step 1000 of 1000');
  });
});

describe('metrics in a CSV file', () => {
  test('are lists by the names in its first row; an empty cell is no value', async () => {
    const { lists } = await csv('\uFEFFstep,"loss, all",acc\r\n1,0.5,\r\n2,"2.5e-1",0.9\r\n\r\n3,NaN,\r\n');
    expect(lists).toEqual({ step: [1, 2, 3], 'loss, all': [0.5, 0.25, Number.NaN], acc: [0.9] });
  });

  test('of one row are numbers, and what is no number is named as what it is', async () => {
    expect((await csv('f1,name,note,top\n0.5,"a ""b""",,inf')).readings).toMatchObject({
      f1: { kind: 'number', value: 0.5, source: 'log.csv' },
      name: { kind: 'text', shown: '"a \\"b\\""' },
      note: { kind: 'null' },
      top: { kind: 'infinity' },
    });
    expect(await csv('loss\n0.5\nn/a\n')).toMatchObject({
      lists: {},
      readings: { loss: { kind: 'list', shown: '[0.5, n/a]' } },
    });
    expect((await csv('')).readings).toEqual({});
  });

  test('is refused where it cannot be read', async () => {
    expect(await readMetrics('a,"b\n1,2', 'log.csv')).toMatchObject({
      error: expect.stringContaining('Quote Not Closed'),
    });
    expect(await readMetrics('a,a\n1,2', 'log.csv')).toMatchObject({ error: 'the column "a" is there twice' });
    const wide = Array.from({ length: 1001 }, (_, at) => `c${at}`).join(',');
    expect(await readMetrics(wide, 'log.csv')).toMatchObject({ ok: false });
  });
});
