import type { JobEnd } from '../cluster/scheduler.ts';
import { installedHash } from '../fingerprint/installed-packages.ts';
import type { Curve, Failure, FailureReason, Finding, KeptFile, Place, RunResult } from '../verdict/types.ts';
import { keptCurves } from './curve.ts';
import { parseStep } from './parse-step.ts';
import { parseTasks } from './parse-tasks.ts';
import { linkedFiles, type ReadFile, type ResultFiles } from './result-files.ts';
import { factWords, numberOf, progressOf, startedFacts } from './state-files.ts';
import type { PlannedStep } from './types.ts';

/** From the job's own words and the scheduler's to the facts that are judged. Decides nothing about the metrics. */
export async function parseResult(input: ResultFiles): Promise<RunResult> {
  const { plan, attempt, files, job, cluster } = input;
  const read: ReadFile = (path) => {
    const bytes = files.get(path);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  };
  const started = startedFacts(read('state/started') ?? '');
  const end = factWords(read('state/end') ?? '');
  const foreign = end.size > 0 && (end.get('run') !== plan.fingerprint || end.get('attempt') !== String(attempt));
  const finished = end.size > 0 && !foreign && end.has('exit');
  const preparation = foreign ? foreignResult(end) : preparationOf(read, finished, input.logTail);

  const steps: RunResult['steps'][number][] = [];
  const metrics: Record<string, RunResult['metrics'][string]> = {};
  const curves: Record<string, Curve> = {};
  const findings: Finding[] = findingsOf(read);
  const left = (step: PlannedStep, from: ReadFile, done: number) =>
    preparation === undefined ? interrupted(step, from, done, input) : notRun(step);
  const once = plan.steps.filter(({ index }) => plan.repeated === undefined || index < plan.repeated.from);
  for (const step of foreign ? [] : once) {
    const parsed = await parseStep({ step, read, run: plan.fingerprint, attempt, linked: linkedFiles(plan) });
    // The step that was running when the job was ended has left no word: what is known is where it was.
    steps.push(parsed.result ?? left(step, read, steps.length));
    Object.assign(metrics, parsed.metrics);
    Object.assign(curves, keptCurves(parsed.curves));
    findings.push(...parsed.findings);
  }
  const repeated = foreign || plan.repeated === undefined ? undefined : await parseTasks(input, read, left);
  if (repeated !== undefined) {
    steps.push(...repeated.steps);
    Object.assign(metrics, repeated.metrics);
    Object.assign(curves, keptCurves(repeated.curves));
    findings.push(...repeated.findings);
  }
  const at = numberOf(started.get('at'));
  const until = numberOf(end.get('at'));
  return {
    version: 1,
    fingerprint: plan.fingerprint,
    attempt,
    ...(job?.end === undefined ? {} : { job: jobOf(job.id, job.end) }),
    ...(job !== undefined && job.end === undefined ? { jobForgotten: true } : {}),
    finished,
    ...(preparation === undefined ? {} : { preparation }),
    steps,
    metrics,
    ...(Object.keys(curves).length === 0 ? {} : { curves }),
    ...(repeated === undefined ? {} : { tasks: repeated.tasks }),
    place: placeOf(cluster, started, read, plan),
    ...(at !== undefined && until !== undefined && until >= at
      ? { seconds: until - at }
      : job?.end?.elapsedSeconds === undefined
        ? {}
        : { seconds: job.end.elapsedSeconds }),
    ...(job?.end?.peakMemory === undefined ? {} : { peakMemory: job.end.peakMemory }),
    artifacts: keptFiles(read('result/kept') ?? ''),
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

const preparationReasons: readonly FailureReason[] = [
  'environment',
  'no-python',
  'missing-module',
  'files-missing',
  'data-changed-there',
  'disk-full',
  'preempted',
];
const diskFull = /No space left on device|Disk quota exceeded/;

function preparationOf(read: ReadFile, finished: boolean, logTail: string): Failure | undefined {
  const text = read('result/preparation');
  if (text !== undefined) {
    const line = text.indexOf('\n');
    const word = line < 0 ? text : text.slice(0, line);
    const detail = line < 0 ? '' : text.slice(line + 1).trim();
    const said = preparationReasons.find((known) => known === word) ?? 'environment';
    return { side: 'infrastructure', reason: diskFull.test(detail) ? 'disk-full' : said, detail };
  }
  // A script that cannot write leaves no last word, but the shell's complaint is in the log.
  const complaint = finished ? undefined : diskComplaint(logTail);
  return complaint === undefined ? undefined : { side: 'infrastructure', reason: 'disk-full', detail: complaint };
}

const diskComplaint = (log: string): string | undefined =>
  log
    .split('\n')
    .findLast((line) => diskFull.test(line))
    ?.trim();

const notRun = (step: PlannedStep): RunResult['steps'][number] => ({ name: step.name, outcome: 'not-run' });

function interrupted(
  step: PlannedStep,
  read: ReadFile,
  done: number,
  { job, logTail }: ResultFiles,
): RunResult['steps'][number] {
  const progress = progressOf(read('state/now') ?? '');
  if (progress.step !== step.index || done + 1 !== step.index) return notRun(step);
  const { cell, cells } = progress;
  const how = job?.end?.how;
  const silent = how === undefined || how === 'completed' || how === 'failed';
  // What the job cleans up at its end may make room for its last word, and the step's result is missing all the same.
  const full = silent ? diskComplaint(logTail) : undefined;
  const reason = !silent ? how : full === undefined ? 'no-result' : 'disk-full';
  const failure: Failure = {
    side: 'infrastructure',
    reason,
    detail: full ?? job?.end?.word ?? logTail.trimEnd().slice(-500),
    step: step.name,
    ...(cell === undefined ? {} : { cell }),
    ...(cells === undefined ? {} : { cells }),
  };
  return { name: step.name, outcome: 'failed', failure };
}

function placeOf(
  cluster: string,
  started: ReadonlyMap<string, string>,
  read: ReadFile,
  { environmentKey: key, gpus }: ResultFiles['plan'],
): Place {
  const packages = read('result/packages.txt')
    ?.split('\n')
    .filter((line) => line !== '');
  const fact = (name: 'node' | 'cpu' | 'gpu') => {
    const value = started.get(name);
    return value === undefined || value === '' ? {} : { [name]: value };
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

/** `HASH SIZE ROLE PATH`, a line each. */
export function keptFiles(text: string): KeptFile[] {
  return text.split('\n').flatMap((line): KeptFile[] => {
    const [, sha256, size, role, path] = /^([0-9a-f]{64}) (\d+) (log|notebook|artifact) (.+)$/.exec(line) ?? [];
    if (sha256 === undefined || path === undefined) return [];
    return [{ path, sha256, size: Number(size), role: role === 'log' || role === 'notebook' ? role : 'artifact' }];
  });
}

function findingsOf(read: ReadFile): Finding[] {
  const added = (read('result/added.txt') ?? '').trim().split(/\s+/).filter(Boolean);
  const changed = (read('result/changed.txt') ?? '').trim();
  const kernel = (read('result/kernel.txt') ?? '').trim();
  return [
    ...finding('environment-added', 'info', added.join(' ')),
    ...finding('environment-changed', 'warn', changed),
    ...finding('kernel-not-installed', 'warn', kernel),
  ];
}

const finding = (name: string, severity: Finding['severity'], detail: string): Finding[] =>
  detail === '' ? [] : [{ name, severity, detail }];
