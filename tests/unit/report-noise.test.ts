import { describe, expect, test } from '@jest/globals';
import { metricLines } from '../../lib/cli/screens/metric-lines.ts';
import { plain } from '../../lib/cli/style.ts';
import { reportJson } from '../../lib/report/build-report.ts';
import { metricsOnly } from '../../lib/report/metrics-only.ts';
import { noteLine, parseNoteLine } from '../../lib/report/note-line.ts';
import { parseReport } from '../../lib/report/parse-report.ts';
import type { Report } from '../../lib/report/types.ts';
import { headline } from '../../lib/report/words.ts';
import type { RunResult } from '../../lib/verdict/types.ts';
import { main, numberOf, requirement, sampleReport } from '../rig/sample-report.ts';

const values = [0.391, 0.402, 0.388, 0.399, 0.395];
const tasks: RunResult['tasks'] = values.map((value, index) => ({
  parameters: { seed: index + 1 },
  seed: index + 1,
  combination: '',
  outcome: 'passed',
  metrics: { rprec: numberOf(value) },
}));
const seeded = (min: number, more: Partial<typeof requirement> = {}): Report =>
  sampleReport({
    run: { metrics: { rprec: numberOf(0.395) }, tasks },
    require: { rprec: { ...requirement, min, maxDrop: { kind: 'percent', amount: 5 }, ...more } },
    baseline: { ...main, samples: { rprec: values.map((value, seed) => ({ seed: seed + 1, value: value - 0.004 })) } },
  });

describe('a report of a run with seeds', () => {
  test('is read back as it was written, with every task and the baseline’s seeds', () => {
    const report = seeded(0.25);
    expect(parseReport(reportJson(report))).toEqual({ ok: true, value: report });
    expect(report.baselines[0]?.samples?.rprec).toHaveLength(5);
    expect(report.outcome).toBe('pass');
  });
  test('shows mean, standard deviation and seeds, in the table and in the note', () => {
    const report = seeded(0.25);
    expect(metricLines(report, plain).join('\n')).toMatch(/rprec +0\.395 ± 0\.006 \(5 seeds\) {3}0\.391/);
    expect(noteLine(report)).toBe('pass  rprec 0.395 ± 0.006 (5 seeds)  main 0.391  min 0.25  run 5b7e90d');
    expect(parseNoteLine(noteLine(report))).toMatchObject({
      run: '5b7e90d',
      metrics: [{ name: 'rprec', value: '0.395 ± 0.006 (5 seeds)' }],
    });
  });
  test('says what is undecided, how far off it may be, and how many seeds more would settle it', () => {
    const report = seeded(0.392);
    if (report.verdict === undefined) throw new Error('no verdict');
    expect(metricLines(report, plain).join('\n')).toContain('≥ 0.392: undecided ✗');
    expect(headline(report.verdict, report.baselines)).toBe(
      'rprec 0.395 ± 0.006 (5 seeds) is undecided: with 95 % confidence it may be as far below as 0.390, required is 0.392; about 7 more seeds would settle it',
    );
  });
  test('that says pass with an undecided bound is believed only where the requirement allows it', () => {
    const allowed = seeded(0.392, { undecided: 'warn' });
    expect(allowed.outcome).toBe('pass');
    expect(parseReport(reportJson(allowed)).ok).toBe(true);
    const forged = reportJson(allowed).replaceAll('"undecided":"warn"', '"undecided":"fail"');
    expect(parseReport(forged)).toEqual({ ok: false, error: { reason: 'malformed', at: 'verdict.reasons' } });
  });
  test('with `publish: metrics` keeps the values and no source', () => {
    const text = reportJson(metricsOnly(seeded(0.25)));
    expect(text).toContain('0.402');
    expect(text).not.toContain('movie-recs');
  });
});
