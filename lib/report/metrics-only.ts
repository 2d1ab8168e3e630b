import { isFileOf } from '../verdict/measure-resource.ts';
import type { Failure, MetricReading, Place, RunResult, Verdict } from '../verdict/types.ts';
import { sizedFiles } from './required.ts';
import type { InputsSummary, Report } from './types.ts';

/**
 * `publish: metrics`: what remains for a public branch. No logs, no paths, no names of users or machines, and no free text from
 * the run, which may hold any of them. It can still be judged again.
 */
export function metricsOnly(report: Report): Report {
  const { author: _author, by: _by, store: _store, decision, verdict, run, ...rest } = report;
  return {
    ...rest,
    inputs: hideInputs(report.inputs),
    ...(decision === undefined ? {} : { decision: { reason: decision.reason } }),
    ...(verdict === undefined ? {} : { verdict: hideVerdict(verdict) }),
    ...(run === undefined ? {} : { run: hideRun(run, sizedFiles(verdict)) }),
    logTail: '',
    publish: 'metrics',
  };
}

const numbered = (what: string, index: number): string => `${what} ${index + 1}`;

const hideInputs = (inputs: InputsSummary): InputsSummary => ({
  ...inputs,
  environment: '',
  data: Object.fromEntries(Object.values(inputs.data).map((set, index) => [numbered('data', index), set])),
  steps: inputs.steps.map((step, index) => ({ ...step, name: numbered('step', index) })),
});

function hideFailure({ side, reason, cell, cells }: Failure): Failure {
  return {
    side,
    reason,
    detail: '',
    ...(cell === undefined ? {} : { cell }),
    ...(cells === undefined ? {} : { cells }),
  };
}

function hideReading(reading: MetricReading): MetricReading {
  return 'shown' in reading ? { ...reading, shown: '', source: '' } : { ...reading, source: '' };
}

const hideReadings = (readings: RunResult['metrics']): RunResult['metrics'] =>
  Object.fromEntries(Object.entries(readings).map(([name, reading]) => [name, hideReading(reading)]));

const hidePlace = ({ cpu, gpu, gpus, environment }: Place): Place => ({
  cluster: '',
  gpus,
  ...(cpu === undefined ? {} : { cpu }),
  ...(gpu === undefined ? {} : { gpu }),
  ...(environment === undefined ? {} : { environment: { key: environment.key } }),
});

function hideRun({ outputs: _outputs, ...run }: RunResult, sized: readonly string[]): RunResult {
  return {
    ...run,
    ...(run.preparation === undefined ? {} : { preparation: hideFailure(run.preparation) }),
    steps: run.steps.map(({ failure, tests, ...step }, index) => ({
      ...step,
      name: numbered('step', index),
      ...(failure === undefined ? {} : { failure: hideFailure(failure) }),
      ...(tests === undefined ? {} : { tests: { ...tests, failures: [] } }),
    })),
    metrics: hideReadings(run.metrics),
    ...(run.tasks === undefined
      ? {}
      : {
          tasks: run.tasks.map((task) => ({
            ...task,
            metrics: hideReadings(task.metrics),
          })),
        }),
    place: hidePlace(run.place),
    ...(run.added === undefined ? {} : { added: { ...run.added, place: hidePlace(run.added.place) } }),
    // Their names are in the config, and their sizes were asked for.
    artifacts: run.artifacts.filter((file) => sized.some((path) => isFileOf(file, path))),
    findings: run.findings.map((finding) => ({ ...finding, detail: '' })),
  };
}

const hideVerdict = (verdict: Verdict): Verdict => ({
  ...verdict,
  ...(verdict.derived === undefined ? {} : { derived: hideReadings(verdict.derived) }),
  reasons: verdict.reasons.map((found) => {
    if (found.reason === 'failure') return { reason: 'failure', failure: hideFailure(found.failure) };
    if (found.reason === 'check') return { ...found, reading: hideReading(found.reading) };
    return { reason: 'finding', finding: { ...found.finding, detail: '' } };
  }),
  warnings: verdict.warnings.map((finding) => ({ ...finding, detail: '' })),
  ...(verdict.noted === undefined ? {} : { noted: verdict.noted.map((finding) => ({ ...finding, detail: '' })) }),
});
