import { describe, expect, test } from '@jest/globals';
import { asSha256 } from '../../lib/base/ids.ts';
import type { Requirement } from '../../lib/config/types.ts';
import { sameData } from '../../lib/fingerprint/same-data.ts';
import type { DataFile } from '../../lib/fingerprint/types.ts';
import { readNotebook } from '../../lib/job/notebook.ts';
import { savedSession } from '../../lib/job/saved-outputs.ts';
import { reportJson } from '../../lib/report/build-report.ts';
import { reportView } from '../../lib/report/markdown.ts';
import { metricsOnly } from '../../lib/report/metrics-only.ts';
import { parseReport } from '../../lib/report/parse-report.ts';
import { warningTexts } from '../../lib/report/warnings.ts';
import { judge } from '../../lib/verdict/judge.ts';
import type { Finding, RunResult } from '../../lib/verdict/types.ts';
import { numberOf, run, sampleReport } from '../rig/sample-report.ts';

const file = (path: string, content: string): DataFile => ({
  path,
  sha256: asSha256(Buffer.from(content.padEnd(32, ' ')).toString('hex').slice(0, 64)),
  size: content.length,
});

describe('data that is listed twice', () => {
  test('is an entry whose content is all in another, under other names', () => {
    const train = [file('train/a', 'a'), file('train/b', 'b'), file('train/empty', '')];
    expect(sameData({ train, test: [file('test/1', 'b'), file('test/2', '')] })).toEqual([
      { entry: 'test', within: 'train', both: false },
    ]);
    expect(sameData({ test: [file('test/1', 'b')], train })).toEqual([{ entry: 'test', within: 'train', both: false }]);
    expect(sameData({ train, copy: [file('c/x', 'b'), file('c/y', 'a')] })).toEqual([
      { entry: 'train', within: 'copy', both: true },
    ]);
  });
  test('is not a few files in common, nor one file that two entries name, nor files without content', () => {
    const train = [file('train/a', 'a'), file('train/licence', 'l')];
    expect(sameData({ train, test: [file('test/b', 'b'), file('test/licence', 'l')] })).toEqual([]);
    expect(sameData({ data: [...train, file('test/b', 'b')], test: [file('test/b', 'b')] })).toEqual([]);
    expect(sameData({ a: [file('a/x', '')], b: [file('b/x', '')], c: [] })).toEqual([]);
  });
});

describe('seeds that make no difference', () => {
  const tasks = (of: readonly Readonly<Record<string, number>>[]): NonNullable<RunResult['tasks']> =>
    of.map((values, seed) => ({
      parameters: { seed },
      seed,
      combination: '',
      outcome: 'passed',
      metrics: Object.fromEntries(Object.entries(values).map(([name, value]) => [name, numberOf(value)])),
    }));
  const warned = (
    of: readonly Readonly<Record<string, number>>[],
    require: Readonly<Record<string, Requirement>> = {},
  ) =>
    judge({
      result: {
        ...run,
        tasks: tasks(of),
        metrics: Object.fromEntries(Object.entries(of[0] ?? {}).map(([name, value]) => [name, numberOf(value)])),
      },
      require,
      baselines: {},
    }).warnings.map(({ name, detail }) => `${name} ${detail}`);
  test('are named for every metric where no metric changes, also where nothing is required', () => {
    expect(
      warned([
        { f1: 0.4, n: 7 },
        { f1: 0.4, n: 7 },
      ]),
    ).toEqual(['seeds-without-effect f1', 'seeds-without-effect n']);
  });
  test('are named of a metric that is required, and not of a count beside one that changes', () => {
    const of = [
      { f1: 0.4, n: 7 },
      { f1: 0.5, n: 7 },
    ];
    expect(warned(of)).toEqual([]);
    expect(warned(of, { n: { min: 1, withoutBaseline: 'fail' } })).toEqual(['seeds-without-effect n']);
  });
  test('are not seen in one seed, nor in values that differ in the last digit', () => {
    expect(warned([{ f1: 0.4 }])).toEqual([]);
    expect(warned([{ f1: 0.4 }, { f1: 0.4 + Number.EPSILON }])).toEqual([]);
  });
});

describe('a committed notebook', () => {
  const cell = (
    source: string,
    count: number | null,
    outputs: readonly object[] = [],
    tags: readonly string[] = [],
  ) => ({
    cell_type: 'code',
    metadata: { tags },
    source,
    execution_count: count,
    outputs,
  });
  const print = { output_type: 'stream', name: 'stdout', text: 'x' };
  const session = (cells: readonly object[], outputs?: Parameters<typeof savedSession>[1]) => {
    const read = readNotebook(JSON.stringify({ nbformat: 4, nbformat_minor: 4, metadata: {}, cells }));
    if (!read.ok) throw new Error('no notebook');
    return savedSession(read.value, outputs);
  };
  test('whose cells were run in another order than from top to bottom is known by their counts', () => {
    expect(session([cell('a', 1), cell('b', 5), cell('c', 3), cell('d', null), cell('e', 6)]).outOfOrder).toEqual([3]);
    // Gaps are cells that were run again; nothing at all is a notebook without outputs.
    expect(session([cell('a', 2), cell('b', 9)]).outOfOrder).toEqual([]);
    expect(session([cell('a', null), cell('b', null)]).outOfOrder).toEqual([]);
  });
  test('has no outputs that the run lacks where they are warnings, exceptions, or of a cell that is left out', () => {
    const cells = [
      cell('a', 1, [{ ...print, name: 'stderr' }]),
      cell('b', 2, [{ output_type: 'error', ename: 'E', evalue: '', traceback: [] }]),
      cell('c', 3, [print], ['skip-execution']),
      cell(' ', 4, [print]),
    ];
    expect(session(cells, [])).toEqual({ outOfOrder: [], missing: [], different: [] });
    expect(session([...cells, cell('d', 5, [print])], [])).toMatchObject({ missing: [5] });
  });
  test('says nothing beside a run of which nobody has noted the outputs', () => {
    expect(session([cell('a', 1, [print])])).toMatchObject({ missing: [], different: [] });
  });
});

test('a finding has a name, its place and what it means, in the report and for readers of it', () => {
  const odd: readonly Finding[] = [
    { name: 'same-data-twice', severity: 'warn', detail: 'all of test is in train' },
    { name: 'cells-out-of-order', severity: 'info', detail: 'a.ipynb: cell 3' },
  ];
  const report = sampleReport({ facts: { verdict: judge({ result: run, require: {}, baselines: {}, odd }) } });
  expect(report.outcome).toBe('pass');
  expect(warningTexts(report)).toEqual([
    'same-data-twice: all of test is in train (what is tested on may have been trained on)',
  ]);
  expect(reportView(report, undefined).notes).toContain(
    'noted, cells-out-of-order: a.ipynb: cell 3 (the committed notebook was last run in another order than from top to bottom; this run was not)',
  );
  expect(parseReport(reportJson(report))).toEqual({ ok: true, value: report });
  expect(reportJson(metricsOnly({ ...report, run: { ...run, outputs: { 'a.ipynb': [[1, 'abc']] } } }))).not.toMatch(
    /a\.ipynb|all of test/,
  );
});
