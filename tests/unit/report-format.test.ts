import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import handlebars from 'handlebars';
import { reportJson } from '../../lib/report/build-report.ts';
import { type ReportView, renderMarkdown } from '../../lib/report/markdown.ts';
import { metricsOnly } from '../../lib/report/metrics-only.ts';
import { noteLine, parseNoteLine } from '../../lib/report/note-line.ts';
import { checkReport, parseReport } from '../../lib/report/parse-report.ts';
import { isReportId, reportId, reportPath, reportTime } from '../../lib/report/report-path.ts';
import type { Changes, Report } from '../../lib/report/types.ts';
import { judge } from '../../lib/verdict/judge.ts';
import { golden } from '../rig/golden.ts';
import {
  failedRun,
  fingerprint,
  hostile,
  main,
  numberOf,
  outOfMemory,
  raised,
  requirement,
  sampleReport,
} from '../rig/sample-report.ts';

const template = readFileSync(join(import.meta.dirname, '../../templates/report.md.hbs'), 'utf8');
const fill = handlebars.compile(template, { noEscape: true, strict: true });
const markdown = (report: Report, changed?: Changes['changed']) =>
  renderMarkdown(report, changed && { changed, same: ['data', 'parameters'] }, (view: ReportView) => fill(view));

const skipped = () => {
  const {
    verdict: _verdict,
    run: _run,
    ...report
  } = sampleReport({
    facts: { decided: 'skipped', decision: { reason: 'the cluster is "down"', by: 'Ann <ann@example.org>' } },
  });
  return report;
};
const samples: Readonly<Record<string, () => Report>> = {
  pass: () => sampleReport(),
  fail: () => sampleReport({ run: { metrics: { rprec: numberOf(0.088) } } }),
  raised: () => sampleReport({ run: failedRun }),
  error: () => sampleReport({ run: outOfMemory }),
  skipped,
  accepted: () =>
    sampleReport({
      run: { metrics: { rprec: numberOf(0.088) } },
      facts: { decided: 'accepted', decision: { reason: 'new data, main is stale', by: 'Ben <ben@example.org>' } },
    }),
  known: () => sampleReport({ facts: { judged: 'known', from: '20261123T101010Z-000001' } }),
  'no baseline': () => sampleReport({ baseline: null }),
  hostile: () =>
    sampleReport({
      require: { [hostile]: { ...requirement, baseline: hostile } },
      run: {
        ...failedRun,
        steps: [{ name: hostile, outcome: 'failed', failure: { ...raised, exception: hostile, traceback: hostile } }],
      },
      facts: { subject: hostile, branch: hostile, author: hostile, log: hostile, by: hostile },
    }),
};

describe('a report', () => {
  test.each(Object.entries(samples))('%s: is read back as it was written', (_name, sample) => {
    const report = sample();
    expect(parseReport(reportJson(report))).toEqual({ ok: true, value: report });
  });

  test.each(Object.entries(samples))('%s: its Markdown is as in the golden file', (name, sample) => {
    const text = markdown(
      sample(),
      name === 'pass' ? undefined : [{ what: 'movie-recs.ipynb cell 42', code: 'sim.columns = …' }],
    );
    expect(text).toBe(golden(`report/${name.replace(' ', '-')}.md`, text));
    expect(text).not.toMatch(/[ \t]$/m);
  });

  test.each(Object.entries(samples))('%s: takes at most 5 KB on the branch, Markdown included', (_name, sample) => {
    const report = sample();
    const bytes =
      Buffer.byteLength(reportJson(report)) +
      Buffer.byteLength(markdown(report, [{ what: 'movie-recs.ipynb cell 42' }]));
    expect(bytes).toBeLessThanOrEqual(5 * 1024 * (report.run?.steps[0]?.failure?.traceback === undefined ? 1 : 1.5));
  });

  test('a run can be judged again from its report alone, by other requirements', () => {
    const report = parseReport(reportJson(sampleReport()));
    if (!report.ok || report.value.run === undefined) throw new Error('no report');
    const require = { rprec: { ...requirement, min: 0.4 } };
    expect(judge({ result: report.value.run, require, baselines: {} }).kind).toBe('fail');
    expect(
      judge({ result: report.value.run, require: { rprec: { ...requirement, min: 0.1 } }, baselines: {} }).kind,
    ).toBe('pass');
  });

  test('the limit that a margin gives is not rounded to the places of the values', () => {
    const report = sampleReport({
      baseline: { ...main, metrics: { rprec: 0.9 } },
      run: { metrics: { rprec: numberOf(0.7) } },
    });
    expect(markdown(report)).toContain('| rprec | 0.7 | 0.9 | −0.2 | ≥ 0.25 ✓<br>≥ 0.891 (within 1 % of main) ✗ |');
  });

  test('a value that JSON cannot hold is kept by name', () => {
    const report = sampleReport({ run: { metrics: { rprec: numberOf(Number.NaN) } } });
    const read = parseReport(reportJson(report));
    expect(read).toMatchObject({ ok: true, value: { outcome: 'fail', run: { metrics: { rprec: { kind: 'nan' } } } } });
  });

  test('`publish: metrics` leaves no log, path, user or host, and can still be judged', () => {
    const named = sampleReport({
      run: { ...failedRun, findings: [{ name: 'x', severity: 'warn', detail: '/scratch/ann' }] },
      facts: { decided: 'accepted', decision: { reason: 'new data', by: 'Ann' } },
    });
    for (const report of [metricsOnly(sampleReport()), metricsOnly(named)]) {
      const text = reportJson(report) + markdown(report);
      for (const secret of [
        'ann',
        'Ann',
        'c117',
        'login.hpc',
        'scratch',
        'epoch 200',
        'movie-recs',
        'ratings.csv',
        'model.pkl',
        'frame1',
        'KeyError',
      ])
        expect(text).not.toContain(secret);
      expect(parseReport(reportJson(report)).ok).toBe(true);
    }
  });
});

describe('a report from the branch is believed only where it can be', () => {
  const text = reportJson(sampleReport());
  const changed = (change: (report: Record<string, unknown>) => unknown): string => {
    const value = JSON.parse(text) as Record<string, unknown>;
    change(value);
    return JSON.stringify(value);
  };
  const bad: readonly [string, string, string][] = [
    ['empty', '', 'not-json'],
    ['cut in half', text.slice(0, text.length / 2), 'not-json'],
    ['a list', '[]', 'malformed'],
    ['null', 'null', 'malformed'],
    ['no version', changed((report) => delete report.version), 'malformed'],
    ['a newer version', changed((report) => Object.assign(report, { version: 2, verdict: 'new' })), 'newer-version'],
    ['version as a text', changed((report) => Object.assign(report, { version: '1' })), 'malformed'],
    ['a fingerprint that is none', changed((report) => Object.assign(report, { fingerprint: '../../x' })), 'malformed'],
    ['an id that is a path', changed((report) => Object.assign(report, { id: '../x' })), 'malformed'],
    ['a pass with an unmet bound', text.replace('"outcome":"met"', '"outcome":"not-met"'), 'malformed'],
    ['a pass without a verdict', changed((report) => delete report.verdict), 'malformed'],
    ['a pass without a run', changed((report) => delete report.run), 'malformed'],
    ['a pass whose verdict is a fail', text.replace('"kind":"pass"', '"kind":"fail"'), 'malformed'],
    [
      'skipped by nobody, for no reason',
      changed((report) => Object.assign(report, { outcome: 'skipped' })),
      'malformed',
    ],
    ['a metric that is null', text.replace('"value":0.395', '"value":null'), 'malformed'],
    ['a metric of no kind', text.replace('"kind":"number"', '"kind":"toString"'), 'malformed'],
  ];
  test.each(bad)('%s', (_name, json, reason) => {
    expect(json).not.toBe(text);
    expect(parseReport(json)).toMatchObject({ ok: false, error: { reason } });
  });

  test('it counts at its own path, for its own run, and for the fingerprint that was recomputed', () => {
    const report = sampleReport();
    const { json } = reportPath(report);
    expect(json).toBe(`runs/5b/${fingerprint}/20261124T035000Z-a1b2c3/report.json`);
    expect(checkReport(report, json, fingerprint).ok).toBe(true);
    expect(checkReport(report, json.replace('5b', '5c'))).toMatchObject({ error: { reason: 'wrong-path' } });
    const other = { ...report, fingerprint: report.baselines[0]?.run ?? fingerprint };
    expect(checkReport(other, reportPath(other).json)).toMatchObject({ error: { reason: 'wrong-fingerprint' } });
    expect(checkReport(report, json, other.fingerprint)).toMatchObject({ error: { reason: 'wrong-fingerprint' } });
  });

  test('its id says when, and sorts by time', () => {
    const id = reportId(new Date('2026-11-24T03:50:00.123Z'), 0xa1b2c3);
    expect([id, isReportId(id), reportTime(id)]).toEqual(['20261124T035000Z-a1b2c3', true, 1795492200]);
    expect(reportTime('20269924T035000Z-a1b2c3')).toBeUndefined();
  });
});

describe('a note', () => {
  const lines: readonly [string, string][] = [
    ['pass', 'pass  rprec 0.395  main 0.391  min 0.25  run 5b7e90d'],
    ['fail', 'fail  rprec 0.088  main 0.391  min 0.25  run 5b7e90d'],
    ['raised', 'fail  reason=exception  cell=42  rprec missing  min 0.25  run 5b7e90d'],
    ['error', 'error  reason=out-of-memory  cell=31  run 5b7e90d'],
    ['skipped', 'skipped  reason="the cluster is \\"down\\""  by="Ann <ann@example.org>"  run 5b7e90d'],
    [
      'accepted',
      'accepted  reason="new data, main is stale"  by="Ben <ben@example.org>"  rprec 0.088  main 0.391  min 0.25  run 5b7e90d',
    ],
  ];
  test.each(lines)('%s is one line', (name, line) => {
    expect(noteLine(samples[name]?.() ?? sampleReport())).toBe(line);
  });

  test('several metrics are sorted and kept apart', () => {
    const report = sampleReport({
      run: { metrics: { rprec: numberOf(0.395), loss: numberOf(0.21) } },
      require: { rprec: requirement, loss: { max: 1, withoutBaseline: 'warn' } },
    });
    expect(noteLine(report)).toBe('pass  loss 0.21  max 1  |  rprec 0.395  main 0.391  min 0.25  run 5b7e90d');
    expect(parseNoteLine(noteLine(report))).toEqual({
      outcome: 'pass',
      run: '5b7e90d',
      metrics: [
        { name: 'loss', value: '0.21' },
        { name: 'rprec', value: '0.395' },
      ],
    });
  });

  test('is read back: reason, person, run', () => {
    expect(parseNoteLine(noteLine(skipped()))).toEqual({
      outcome: 'skipped',
      metrics: [],
      run: '5b7e90d',
      reason: 'the cluster is "down"',
      by: 'Ann <ann@example.org>',
    });
  });

  test('stays one line of printable text, whatever the names are, and they are read back', () => {
    const name = 'pass  run 0000000\nfail "x" | \u001b[31m y=1';
    const report = sampleReport({ run: { metrics: { [name]: numberOf(0.5), run: numberOf(1) } }, require: {} });
    const line = noteLine(report);
    expect(line).not.toMatch(/[\n\u001b]/);
    expect(parseNoteLine(line)).toMatchObject({
      outcome: 'pass',
      run: '5b7e90d',
      metrics: [{ value: '0.5' }, { name: 'run', value: '1' }],
    });
  });

  test.each(['', 'hello', 'passed by review', '# pass', 'toString  run 5b7e90d'])('%j is not ours', (line) => {
    expect(parseNoteLine(line)).toBeUndefined();
  });
  test('half a line, by someone’s hand, does no harm', () => {
    expect(parseNoteLine('skipped reason="cut run ../x')).toMatchObject({ outcome: 'skipped' });
  });
});
