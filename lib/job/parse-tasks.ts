import { readTasks } from '../cluster/array-tasks.ts';
import type { JobEnd } from '../cluster/scheduler.ts';
import { meanReading, nameIn } from '../verdict/sample.ts';
import type {
  CellOutput,
  Failure,
  Finding,
  KeptFile,
  MetricReading,
  StepResult,
  TaskResult,
} from '../verdict/types.ts';
import { type FullCurve, meanCurve } from './curve.ts';
import { keptFiles } from './kept-files.ts';
import { parseStep } from './parse-step.ts';
import { preparationOf } from './preparation.ts';
import { linkedFiles, type ReadFile, type ResultFiles } from './result-files.ts';
import { type Facts, factWords, numberOf, startedFacts } from './state-files.ts';
import type { PlannedStep, PlannedTask } from './types.ts';

export interface ParsedTasks {
  readonly steps: readonly StepResult[];
  readonly tasks: readonly TaskResult[];
  readonly metrics: Readonly<Record<string, MetricReading>>;
  readonly curves: Readonly<Record<string, FullCurve>>;
  readonly findings: readonly Finding[];
  /** By notebook, of the first task: the others have other parameters, and their texts need not be alike. */
  readonly outputs: Readonly<Record<string, readonly CellOutput[]>>;
  /** Of an array alone, whose tasks keep their own files and times. */
  readonly array?: {
    readonly artifacts: readonly KeptFile[];
    /** Every task has had its last word. */
    readonly finished: boolean;
    readonly taskSeconds: number;
  };
}

interface TaskCurves {
  readonly combination: string;
  readonly curves: Readonly<Record<string, FullCurve>>;
}

/** What stands for a step that has left no word, from where its job was and how that ended. */
type Interrupted = (step: PlannedStep, read: ReadFile, done: number, end: JobEnd | undefined) => StepResult;

/** One task's files and what is said about it elsewhere. */
interface TaskFiles {
  readonly task: PlannedTask;
  readonly read: ReadFile;
  /** The attempt that ran it: in an array it may be one of before this one. */
  readonly attempt: number;
  readonly end: Facts;
  /** How its own job ended, where the scheduler still knows. */
  readonly job: JobEnd | undefined;
}

/** Every task counts: one that has left no last word of its own has not ended well. */
export async function parseTasks(
  { plan, attempt, job }: Pick<ResultFiles, 'plan' | 'attempt' | 'job'>,
  read: ReadFile,
  interrupted: Interrupted,
): Promise<ParsedTasks> {
  const { from, tasks } = plan.repeated ?? { from: 1, tasks: [] };
  const repeated = plan.steps.filter(({ index }) => index >= from);
  const array = arrayIn(read);
  const steps: StepResult[] = [];
  const findings: Finding[] = [];
  const results: TaskResult[] = [];
  const curves: TaskCurves[] = [];
  const artifacts: KeptFile[] = [];
  let seconds = 0;
  let finished = true;
  const outputs: Record<string, readonly CellOutput[]> = {};
  for (const task of tasks) {
    const files = filesOf(task, { read, attempt, array, job: job?.end });
    const own: StepResult[] = [];
    const metrics: Record<string, MetricReading> = {};
    const drawn: Record<string, FullCurve> = {};
    for (const planned of repeated) {
      const step = { ...planned, name: `${planned.name} (${task.title})` };
      const parsed = await parseStep({
        step,
        read: files.read,
        run: plan.fingerprint,
        attempt: files.attempt,
        linked: linkedFiles(plan),
      });
      own.push(parsed.result ?? interrupted(step, files.read, step.index - 1, files.job));
      Object.assign(metrics, parsed.metrics);
      Object.assign(drawn, parsed.curves);
      findings.push(...parsed.findings);
      if (parsed.outputs !== undefined) outputs[planned.name] ??= parsed.outputs.map(([cell]) => [cell, '']);
    }
    const ended = hasEnded(files, plan.fingerprint);
    finished &&= ended;
    const failure = array === undefined ? withoutEnd(own, ended) : troubleOf(files, own, ended);
    if (failure !== undefined) putFailure(own, failure, task);
    steps.push(...own);
    seconds += secondsOf(files);
    artifacts.push(
      ...keptFiles(files.read('result/kept') ?? '').map((file) => ({
        ...file,
        path: `tasks/${task.index}/${file.path}`,
      })),
    );
    const { parameters, seed, combination } = task;
    const known = seed === undefined ? {} : { seed };
    const lost = array !== undefined && own.some((step) => step.failure?.side === 'infrastructure');
    const outcome = outcomeOf(own);
    curves.push({ combination, curves: drawn });
    results.push({ parameters, ...known, combination, outcome, ...(lost ? { lost } : {}), metrics });
  }
  return {
    steps,
    tasks: results,
    metrics: meansOf(results),
    curves: curvesOf(curves),
    outputs,
    findings,
    ...(array === undefined ? {} : { array: { artifacts, finished, taskSeconds: seconds } }),
  };
}

/** The tasks that this attempt ran as an array; undefined: all of them in one job. */
export function arrayIn(read: ReadFile): ReadonlySet<number> | undefined {
  const written = read('state/array');
  return written === undefined ? undefined : new Set(readTasks(written));
}

function filesOf(
  task: PlannedTask,
  of: {
    readonly read: ReadFile;
    readonly attempt: number;
    readonly array: ReadonlySet<number> | undefined;
    readonly job: JobEnd | undefined;
  },
): TaskFiles {
  const read: ReadFile = (path) => of.read(`tasks/${task.index}/${path}`);
  const end = factWords(read('state/end') ?? '');
  const isTaken = of.array?.has(task.index) === false;
  const before = numberOf(end.get('attempt'));
  const attempt = isTaken && before !== undefined && before < of.attempt ? before : of.attempt;
  return { task, read, attempt, end, job: of.array === undefined ? of.job : of.job?.tasks?.get(task.index) };
}

const hasEnded = ({ end, task, attempt }: TaskFiles, run: string): boolean =>
  end.get('run') === run && end.get('attempt') === String(attempt) && end.get('task') === String(task.index);

/** What keeps a task from counting that its steps do not tell: its preparation, its job's end, or that it has no last word. */
function troubleOf({ read, job, end }: TaskFiles, steps: readonly StepResult[], ended: boolean): Failure | undefined {
  const trouble = (reason: Failure['reason'], detail: string): Failure => ({ side: 'infrastructure', reason, detail });
  const preparation = preparationOf(read, ended, '');
  if (preparation !== undefined) return preparation;
  if (job !== undefined && job.how !== 'completed' && job.how !== 'failed') return trouble(job.how, job.word);
  if (!ended) return trouble('no-result', job === undefined ? 'the task left no last word' : job.word);
  if (job?.how === 'failed' && end.get('exit') === '0') return trouble('end-contradicted', job.word);
  const idle =
    steps.every(({ failure }) => failure === undefined) && steps.some(({ outcome }) => outcome === 'not-run');
  return idle ? trouble('no-result', 'a step was not run') : undefined;
}

/** In one job of all tasks the job's end is judged with the run. */
function withoutEnd(steps: readonly StepResult[], ended: boolean): Failure | undefined {
  const passed = steps.every(({ outcome }) => outcome === 'passed' || outcome === 'reused');
  return passed && !ended
    ? { side: 'infrastructure', reason: 'no-result', detail: 'the task left no last word' }
    : undefined;
}

/** Said of the step that the task did not get past, unless that has said it better. */
function putFailure(steps: StepResult[], failure: Failure, { title }: PlannedTask): void {
  const position = steps.findIndex(({ outcome }) => outcome === 'failed' || outcome === 'not-run');
  const at = position < 0 ? steps.length - 1 : position;
  const step = steps[at];
  if (step?.failure?.side === 'infrastructure') return;
  const name = step?.name ?? title;
  steps[Math.max(0, at)] = { ...step, name, outcome: 'failed', failure: { ...failure, step: name } };
}

function secondsOf({ read, end }: TaskFiles): number {
  const from = numberOf(startedFacts(read('state/started') ?? '').get('at'));
  const until = numberOf(end.get('at'));
  return from === undefined || until === undefined ? 0 : Math.max(0, until - from);
}

function outcomeOf(steps: readonly StepResult[]): TaskResult['outcome'] {
  if (steps.some(({ outcome }) => outcome === 'failed')) return 'failed';
  return steps.some(({ outcome }) => outcome === 'not-run') ? 'not-run' : 'passed';
}

/** By combination the mean over its seeds. What one task has and another lacks is missing: no mean of what is left. */
export function meansOf(tasks: readonly TaskResult[]): Readonly<Record<string, MetricReading>> {
  const names = new Set(tasks.flatMap(({ metrics }) => Object.keys(metrics)));
  const combinations = [...new Set(tasks.map(({ combination }) => combination))];
  return Object.fromEntries(
    combinations.flatMap((combination) => {
      const own = tasks.filter((task) => task.combination === combination);
      return [...names].map((name) => {
        const readings = own.map(({ metrics }) => metrics[name] ?? { kind: 'missing' as const, source: '' });
        return [nameIn(name, combination), meanReading(readings)] as const;
      });
    }),
  );
}

/** By combination the mean over its seeds, where every one of them has as many values. */
function curvesOf(tasks: readonly TaskCurves[]): ParsedTasks['curves'] {
  const names = [...new Set(tasks.flatMap(({ curves }) => Object.keys(curves)))];
  const combinations = [...new Set(tasks.map(({ combination }) => combination))];
  return Object.fromEntries(
    combinations.flatMap((combination) => {
      const own = tasks.filter((task) => task.combination === combination);
      return names.flatMap((name) => {
        const curves = own.flatMap((task) => (Object.hasOwn(task.curves, name) ? (task.curves[name] ?? []) : []));
        const mean = curves.length === own.length ? meanCurve(curves) : undefined;
        return mean === undefined ? [] : [[nameIn(name, combination), mean] as const];
      });
    }),
  );
}
