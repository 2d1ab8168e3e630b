import type { JobEnd } from '../cluster/scheduler.ts';
import { installedHash } from '../fingerprint/installed-packages.ts';
import type { CellOutput, Curve, Failure, Finding, Place, RunResult } from '../verdict/types.ts';
import { keptCurves } from './curve.ts';
import { keptFiles } from './kept-files.ts';
import { parseStep } from './parse-step.ts';
import { arrayIn, parseTasks } from './parse-tasks.ts';
import { diskComplaint, preparationOf } from './preparation.ts';
import { linkedFiles, type ReadFile, type ResultFiles } from './result-files.ts';
import { type Facts, factWords, numberOf, progressOf, startedFacts } from './state-files.ts';
import type { PlannedStep } from './types.ts';

/** From the job's own words and the scheduler's to the facts that are judged. Decides nothing about the metrics. */
export async function parseResult(input: ResultFiles): Promise<RunResult> {
  const { plan, attempt, files, job, cluster } = input;
  const read: ReadFile = (path) => {
    const bytes = files.get(path);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  };
  const array = arrayIn(read);
  // What is said of the job's machine and environment: of an array that is what a task of its own says.
  const readAny: ReadFile =
    array === undefined ? read : (path) => [...array].map((task) => read(`tasks/${task}/${path}`)).find((text) => text);
  const started = startedFacts(read('state/started') ?? '');
  const end = factWords(read('state/end') ?? '');
  const foreign = end.size > 0 && (end.get('run') !== plan.fingerprint || end.get('attempt') !== String(attempt));
  const finished = end.size > 0 && !foreign && end.has('exit');
  const preparation = foreign ? foreignResult(end) : preparationOf(read, finished, input.logTail);

  const steps: RunResult['steps'][number][] = [];
  const metrics: Record<string, RunResult['metrics'][string]> = {};
  const curves: Record<string, Curve> = {};
  const findings: Finding[] = findingsOf(readAny);
  const left = (step: PlannedStep, from: ReadFile, done: number, jobEnd = job?.end) =>
    preparation === undefined ? interrupted(step, from, done, jobEnd, input.logTail) : notRun(step);
  const outputs: Record<string, readonly CellOutput[]> = {};
  const once = plan.steps.filter(({ index }) => plan.repeated === undefined || index < plan.repeated.from);
  for (const step of foreign ? [] : once) {
    const parsed = await parseStep({ step, read, run: plan.fingerprint, attempt, linked: linkedFiles(plan) });
    // The step that was running when the job was ended has left no word: what is known is where it was.
    steps.push(parsed.result ?? left(step, read, steps.length));
    Object.assign(metrics, parsed.metrics);
    Object.assign(curves, keptCurves(parsed.curves));
    findings.push(...parsed.findings);
    if (parsed.outputs !== undefined) outputs[step.name] = parsed.outputs;
  }
  const repeated = foreign || plan.repeated === undefined ? undefined : await parseTasks(input, read, left);
  if (repeated !== undefined) {
    steps.push(...repeated.steps);
    Object.assign(metrics, repeated.metrics);
    Object.assign(curves, keptCurves(repeated.curves));
    findings.push(...repeated.findings);
    Object.assign(outputs, repeated.outputs);
  }
  const at = numberOf(started.get('at'));
  const until = numberOf(end.get('at'));
  return {
    version: 1,
    fingerprint: plan.fingerprint,
    attempt,
    ...(job?.end === undefined ? {} : { job: jobOf(job.id, job.end) }),
    ...(job !== undefined && job.end === undefined ? { jobForgotten: true } : {}),
    // The tasks of an array may end at the same moment on two nodes, and neither sees that it was the last.
    finished: finished || (!foreign && repeated?.array?.finished === true),
    ...(preparation === undefined ? {} : { preparation }),
    steps,
    metrics,
    ...(Object.keys(curves).length === 0 ? {} : { curves }),
    ...(repeated === undefined ? {} : { tasks: repeated.tasks }),
    ...(Object.keys(outputs).length === 0 ? {} : { outputs }),
    place: placeOf(cluster, machinesOf(input, read, started), readAny, plan),
    ...(at !== undefined && until !== undefined && until >= at
      ? { seconds: until - at }
      : job?.end?.elapsedSeconds === undefined
        ? {}
        : { seconds: job.end.elapsedSeconds }),
    ...(repeated?.array === undefined ? {} : { taskSeconds: repeated.array.taskSeconds }),
    ...(job?.end?.peakMemory === undefined ? {} : { peakMemory: job.end.peakMemory }),
    artifacts: repeated?.array?.artifacts ?? keptFiles(read('result/kept') ?? ''),
    findings,
  };
}

function jobOf(id: string, { how, word, exitCode, signal }: JobEnd): NonNullable<RunResult['job']> {
  return {
    id,
    how,
    word,
    ...(exitCode === undefined ? {} : { exitCode }),
    ...(signal === undefined ? {} : { signal }),
  };
}

const foreignResult = (end: ReadonlyMap<string, string>): Failure => ({
  side: 'infrastructure',
  reason: 'result-foreign',
  detail: `run=${end.get('run') ?? ''} attempt=${end.get('attempt') ?? ''}`,
});

const notRun = (step: PlannedStep): RunResult['steps'][number] => ({ name: step.name, outcome: 'not-run' });

function interrupted(
  step: PlannedStep,
  read: ReadFile,
  done: number,
  end: JobEnd | undefined,
  logTail: string,
): RunResult['steps'][number] {
  const progress = progressOf(read('state/now') ?? '');
  if (progress.step !== step.index || done + 1 !== step.index) return notRun(step);
  const { cell, cells } = progress;
  const how = end?.how;
  const silent = how === undefined || how === 'completed' || how === 'failed';
  // What the job cleans up at its end may make room for its last word, and the step's result is missing all the same.
  const full = silent ? diskComplaint(logTail) : undefined;
  const reason = !silent ? how : full === undefined ? 'no-result' : 'disk-full';
  const failure: Failure = {
    side: 'infrastructure',
    reason,
    detail: full ?? end?.word ?? logTail.trimEnd().slice(-500),
    step: step.name,
    ...(cell === undefined ? {} : { cell }),
    ...(cells === undefined ? {} : { cells }),
  };
  return { name: step.name, outcome: 'failed', failure };
}

/** Where the attempt ran: the tasks of an array may be on several machines. */
function machinesOf({ plan }: ResultFiles, read: ReadFile, started: Facts): readonly Facts[] {
  const tasks = arrayIn(read) === undefined ? [] : (plan.repeated?.tasks ?? []);
  const each = tasks.map(({ index }) => startedFacts(read(`tasks/${index}/state/started`) ?? ''));
  return each.some(({ size }) => size > 0) ? each : [started];
}

function placeOf(
  cluster: string,
  machines: readonly Facts[],
  read: ReadFile,
  { environmentKey: key, gpus }: ResultFiles['plan'],
): Place {
  const packages = read('result/packages.txt')
    ?.split('\n')
    .filter((line) => line !== '');
  const fact = (name: 'node' | 'cpu' | 'gpu') => {
    const values = new Set(machines.flatMap((facts) => facts.get(name) || []));
    return values.size === 0 ? {} : { [name]: [...values].join(', ') };
  };
  return {
    cluster,
    ...fact('node'),
    ...fact('cpu'),
    ...fact('gpu'),
    gpus: gpus ?? 0,
    ...(key === undefined && packages === undefined
      ? {}
      : {
          environment: {
            key: key ?? '',
            ...(packages === undefined ? {} : { packages, installed: installedHash(packages) }),
          },
        }),
  };
}

function findingsOf(read: ReadFile): Finding[] {
  const added = (read('result/added.txt') ?? '').trim().split(/\s+/).filter(Boolean);
  const changed = (read('result/changed.txt') ?? '').trim();
  const unpacked = (read('result/unpacked.txt') ?? '').trim();
  const kernel = (read('result/kernel.txt') ?? '').trim();
  return [
    ...finding('environment-added', 'info', added.join(' ')),
    ...finding('environment-changed', 'warn', changed),
    ...finding('environment-unpacked', 'warn', unpacked),
    ...finding('kernel-not-installed', 'warn', kernel),
  ];
}

const finding = (name: string, severity: Finding['severity'], detail: string): Finding[] =>
  detail === '' ? [] : [{ name, severity, detail }];
