import type { CellOutput, Failure, Finding, MetricReading, StepResult } from '../verdict/types.ts';
import { type FullCurve, withCurves } from './curve.ts';
import { deniedWrite } from './denied-write.ts';
import { infrastructureRule, lastException } from './infrastructure.ts';
import { readJunit } from './junit.ts';
import { readMetrics, readScraps } from './metrics-file.ts';
import { notebookFailure, readNotebookResult, writtenMetrics } from './notebook-result.ts';
import type { ReadMetrics } from './readings.ts';
import type { StepFiles } from './result-files.ts';
import { type Facts, factLines, numberOf } from './state-files.ts';

export interface ParsedStep {
  /** Undefined: it left no word. */
  readonly result: StepResult | undefined;
  readonly metrics: Readonly<Record<string, MetricReading>>;
  readonly curves: Readonly<Record<string, FullCurve>>;
  readonly findings: readonly Finding[];
  /** Of a notebook. */
  readonly outputs?: readonly CellOutput[];
}
const nothing = { metrics: {}, curves: {} };

export async function parseStep(files: StepFiles): Promise<ParsedStep> {
  const { step, read } = files;
  const text = read(`result/step-${step.index}`);
  if (text === undefined) return { result: undefined, ...nothing, findings: [] };
  const facts = factLines(text);
  const word = facts.get('outcome');
  if (word !== 'passed' && word !== 'failed' && word !== 'reused') {
    return { result: { name: step.name, outcome: 'not-run' }, ...nothing, findings: [] };
  }
  const findings: Finding[] = [];
  const tests = await testsOf(files, facts, findings);
  const fromFile = await metricsOfFile(files, facts, findings);
  const fromNotebook = step.kind === 'notebook' ? notebookMetrics(files, word === 'reused', findings) : noMetrics;
  const fromScraps = step.scraps === true ? scrapMetrics(files, facts, findings) : noMetrics;
  const measured = withCurves(step, {
    readings: { ...fromNotebook.readings, ...fromScraps.readings, ...fromFile.readings },
    lists: { ...fromNotebook.lists, ...fromScraps.lists, ...fromFile.lists },
  });
  const failure =
    wroteIntoData(files) ??
    deniedWrite(
      step.kind === 'notebook' ? notebookFailure(files, facts) : runFailure(files, facts, tests),
      files.linked,
    );
  const outputs = step.kind === 'notebook' ? readNotebookResult(files)?.outputs : undefined;
  const exitCode = numberOf(facts.get('exit'));
  const seconds = numberOf(facts.get('seconds'));
  return {
    result: {
      name: step.name,
      outcome: failure !== undefined ? 'failed' : word,
      ...(exitCode === undefined ? {} : { exitCode }),
      ...(seconds === undefined ? {} : { seconds }),
      ...(failure === undefined ? {} : { failure: { ...failure, step: step.name } }),
      ...(tests === undefined ? {} : { tests }),
    },
    // Whoever did not come to its end has measured nothing.
    ...(failure === undefined || failure.reason === 'tests-failed' ? measured : nothing),
    findings,
    ...(outputs === undefined || failure !== undefined ? {} : { outputs }),
  };
}

function wroteIntoData({ step, read }: StepFiles): Failure | undefined {
  const paths = read(`result/step-${step.index}.wrote`)?.trim();
  return paths === undefined || paths === '' ? undefined : { side: 'code', reason: 'wrote-into-data', detail: paths };
}

/** Killed from outside, or a mapped file that went away: a program does not do these to itself. */
const foreignSignals = ['KILL', 'BUS'];

function runFailure({ step, read }: StepFiles, facts: Facts, tests: StepResult['tests']): Failure | undefined {
  const code = numberOf(facts.get('exit')) ?? 0;
  const detail = (read(`result/step-${step.index}.tail`) ?? '').trim();
  if (code === 0) {
    return tests === undefined || tests.failed === 0
      ? undefined
      : { side: 'code', reason: 'tests-failed', detail: tests.failures.join('\n') };
  }
  const signal = facts.get('signal')?.replace(/^SIG/, '');
  if (signal !== undefined && foreignSignals.includes(signal)) {
    return {
      side: 'infrastructure',
      reason: 'infrastructure-exception',
      detail: detail === '' ? `SIG${signal}` : `SIG${signal}\n${detail}`,
    };
  }
  const raised = lastException(detail);
  const rule = raised === undefined ? undefined : infrastructureRule(raised);
  if (raised !== undefined && rule !== undefined) {
    const { exception, message } = raised;
    return { side: 'infrastructure', reason: rule.reason, exception, detail: message, traceback: detail };
  }
  if (tests !== undefined && tests.failed > 0) {
    return { side: 'code', reason: 'tests-failed', detail: tests.failures.join('\n') };
  }
  return {
    side: 'code',
    reason: 'exit-status',
    detail: signal === undefined ? detail : `SIG${signal}\n${detail}`.trimEnd(),
  };
}

async function testsOf({ step, read }: StepFiles, facts: Facts, findings: Finding[]): Promise<StepResult['tests']> {
  if (step.junit === undefined) return undefined;
  const text = facts.get('junit') === 'there' ? read(`result/junit-${step.index}.xml`) : undefined;
  const parsed = text === undefined ? undefined : await readJunit(text);
  if (parsed?.ok === true) return parsed.value;
  if (numberOf(facts.get('exit')) === 0 || parsed !== undefined) {
    findings.push(unread('junit', step.junit, parsed?.error ?? facts.get('junit') ?? 'missing'));
  }
  return undefined;
}

const noMetrics: ReadMetrics = { readings: {}, lists: {} };

async function metricsOfFile({ step, read }: StepFiles, facts: Facts, findings: Finding[]): Promise<ReadMetrics> {
  if (step.metricsFile === undefined) return noMetrics;
  const text = facts.get('metrics') === 'there' ? read(`result/metrics-file-${step.index}.json`) : undefined;
  const parsed = text === undefined ? undefined : await readMetrics(text, step.metricsFile);
  if (parsed?.ok === true) return parsed.value;
  if (numberOf(facts.get('exit')) === 0) {
    findings.push(unread('metrics', step.metricsFile, parsed?.error ?? facts.get('metrics') ?? 'missing'));
  }
  return noMetrics;
}

function scrapMetrics(files: StepFiles, facts: Facts, findings: Finding[]): ReadMetrics {
  const text = readNotebookResult(files)?.scraps ?? '';
  const found = readScraps(text);
  if (found.ok && Object.keys(found.value.readings).length > 0) return found.value;
  if (numberOf(facts.get('exit')) === 0)
    findings.push(
      found.ok
        ? { name: 'scraps-missing', severity: 'fail', detail: files.step.name }
        : { name: 'scraps-unreadable', severity: 'fail', detail: `${files.step.name}: ${found.error}` },
    );
  return noMetrics;
}

/** A file that a step promises and does not write, or did not write this time, is no pass: nothing was measured. */
const unread = (what: 'junit' | 'metrics', file: string, why: string): Finding =>
  why === 'missing' || why === 'stale' || why === 'too-big'
    ? { name: `${what}-file-${why}`, severity: 'fail', detail: file }
    : { name: `${what}-file-unreadable`, severity: 'fail', detail: `${file}: ${why}` };

function notebookMetrics(files: StepFiles, reused: boolean, findings: Finding[]): ReadMetrics {
  const { step } = files;
  const result = readNotebookResult(files);
  const cells = (numbers: readonly number[]) => numbers.join(', ');
  if (result !== undefined && result.skipped.length > 0) {
    findings.push({ name: 'cells-skipped', severity: 'info', detail: `${step.name}: ${cells(result.skipped)}` });
  }
  if (result !== undefined && result.raisedAllowed.length > 0) {
    findings.push({
      name: 'exceptions-allowed',
      severity: 'info',
      detail: `${step.name}: ${cells(result.raisedAllowed)}`,
    });
  }
  for (const { cell, status } of result?.shellFailed ?? []) {
    findings.push({
      name: 'shell-line-failed',
      severity: 'warn',
      detail: `${step.name} cell ${cell}: exit status ${status}`,
    });
  }
  const written = writtenMetrics(files, reused);
  const readings = Object.entries(step.expressions).map(([name, source]): [string, MetricReading] => [
    name,
    (Object.hasOwn(written.readings, name) ? written.readings[name] : undefined) ?? { kind: 'missing', source },
  ]);
  return { readings: Object.fromEntries(readings), lists: written.lists };
}
