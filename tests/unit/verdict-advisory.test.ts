import { describe, expect, test } from '@jest/globals';
import { metricLines } from '../../lib/cli/screens/metric-lines.ts';
import { plain } from '../../lib/cli/style.ts';
import type { Requirement } from '../../lib/config/types.ts';
import { reportJson } from '../../lib/report/build-report.ts';
import { reportView } from '../../lib/report/markdown.ts';
import { noteLine, parseNoteLine } from '../../lib/report/note-line.ts';
import { parseReport } from '../../lib/report/parse-report.ts';
import type { Report } from '../../lib/report/types.ts';
import { warningTexts } from '../../lib/report/warnings.ts';
import { reasonText } from '../../lib/report/words.ts';
import { numberOf, sampleReport } from '../rig/sample-report.ts';

const reportOf = (value: number, asked: Partial<Requirement>): Report =>
  sampleReport({
    run: { metrics: { rprec: numberOf(value) } },
    require: { rprec: { withoutBaseline: 'fail', ...asked } },
  });
const reasonsOf = ({ verdict, baselines }: Report) => verdict?.reasons.map((reason) => reasonText(reason, baselines));
const table = (report: Report): string => metricLines(report, plain).join('\n');

describe('a limit that warns', () => {
  const asked = { min: 0.25, warn: { min: 0.3 }, goal: { min: 0.5 } };
  test('is a row of the table and a warning where it is missed, and the push goes', () => {
    const report = reportOf(0.28, asked);
    expect(report.outcome).toBe('pass');
    expect(table(report)).toContain('≥ 0.25 ✓  warns unless ≥ 0.3 !  goal ≥ 0.5 –');
    expect(warningTexts(report)).toEqual(['rprec 0.28 is below the warning limit 0.3']);
    expect(reportView(report, undefined).notes[0]).toBe('warning, rprec 0.28 is below the warning limit 0.3');
    expect(noteLine(report)).toBe('pass  rprec 0.28  min 0.25  warn-min 0.3  goal 0.5  run 5b7e90d');
    expect(parseNoteLine(noteLine(report))?.metrics).toEqual([{ name: 'rprec', value: '0.28' }]);
    expect(parseReport(reportJson(report))).toEqual({ ok: true, value: report });
  });
  test('says nothing where it is met, and a goal that is reached is ticked', () => {
    const report = reportOf(0.52, asked);
    expect(warningTexts(report)).toEqual([]);
    expect(table(report)).toContain('≥ 0.25 ✓  warns unless ≥ 0.3 ✓  goal ≥ 0.5 ✓');
    expect(noteLine(report)).toBe('pass  rprec 0.52  min 0.25  goal 0.5  run 5b7e90d');
  });
  test('may look at the baseline, and alone asks for nothing that blocks', () => {
    const report = reportOf(0.37, { baseline: 'main', warn: { maxDrop: { kind: 'percent', amount: 1 } } });
    expect([report.outcome, report.verdict?.checks]).toEqual(['pass', []]);
    expect(warningTexts(report)).toEqual(['rprec 0.370 is more than 1 % below main’s 0.391'.replace('’', "'")]);
    expect(table(report)).toMatch(/rprec +0\.370 +0\.391 +−0\.021 +warns unless ≥ 0\.387 \(within 1 % of main\) !/);
  });
  test('of a metric that is missing warns by that name', () => {
    const report = sampleReport({
      run: { metrics: {} },
      require: { rprec: { withoutBaseline: 'fail', warn: { min: 1 } } },
    });
    expect([report.outcome, ...warningTexts(report)]).toEqual(['pass', 'rprec is missing: no step delivered it']);
  });
  test('with seeds warns too where they are too few to tell', () => {
    const tasks = [0.2, 0.3, 0.4].map((value, seed) => ({
      parameters: { seed },
      seed,
      combination: '',
      outcome: 'passed' as const,
      metrics: { rprec: numberOf(value) },
    }));
    const report = sampleReport({
      run: { metrics: { rprec: numberOf(0.3) }, tasks },
      require: { rprec: { withoutBaseline: 'fail', min: 0.01, warn: { min: 0.25 } } },
    });
    expect(report.outcome).toBe('pass');
    expect(warningTexts(report)[0]).toMatch(
      /^rprec 0\.30 ± 0\.10 \(3 seeds\) is undecided: .* as 0\.13, the warning limit is 0\.25;/,
    );
    expect(table(report)).toContain('warns unless ≥ 0.25: undecided !');
  });
});

test('a report written before there were such limits is read', () => {
  const report = sampleReport();
  expect(Object.keys(report.verdict ?? {})).not.toContain('advisory');
  expect(parseReport(reportJson(report)).ok).toBe(true);
});

describe('a metric that must equal a number', () => {
  test('is one that does, but for what adding up has rounded', () => {
    expect(reportOf(0.1 + 0.2, { equals: 0.3 }).outcome).toBe('pass');
    const report = reportOf(0.3, { equals: 0.3 });
    expect(table(report)).toContain('= 0.3 ✓');
    expect(noteLine(report)).toBe('pass  rprec 0.3  equals 0.3  run 5b7e90d');
    expect(parseReport(reportJson(report))).toEqual({ ok: true, value: report });
  });

  test('is named with both numbers where it does not', () => {
    expect(reasonsOf(reportOf(2, { equals: 0 }))).toEqual(['rprec 2 is not 0']);
  });

  test('does so for each seed: a mean is not enough', () => {
    const task = (seed: number, value: number) => ({
      parameters: { seed },
      seed,
      combination: '',
      outcome: 'passed' as const,
      metrics: { rprec: numberOf(value) },
    });
    const seeds = (...values: number[]) =>
      sampleReport({
        run: { metrics: { rprec: numberOf(3) }, tasks: values.map((value, index) => task(index, value)) },
        require: { rprec: { withoutBaseline: 'fail', equals: 3 } },
      });
    expect(seeds(3, 3).outcome).toBe('pass');
    expect(reasonsOf(seeds(2, 4))).toEqual([expect.stringContaining('is not 3 for each seed')]);
  });
});
