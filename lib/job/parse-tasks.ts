import { meanReading, nameIn } from '../verdict/sample.ts';
import type { Finding, MetricReading, StepResult, TaskResult } from '../verdict/types.ts';
import { type FullCurve, meanCurve } from './curve.ts';
import { parseStep } from './parse-step.ts';
import { linkedFiles, type ReadFile, type ResultFiles } from './result-files.ts';
import { factWords } from './state-files.ts';
import type { PlannedStep, PlannedTask } from './types.ts';

export interface ParsedTasks {
  readonly steps: readonly StepResult[];
  readonly tasks: readonly TaskResult[];
  readonly metrics: Readonly<Record<string, MetricReading>>;
  readonly curves: Readonly<Record<string, FullCurve>>;
  readonly findings: readonly Finding[];
}

interface TaskCurves {
  readonly combination: string;
  readonly curves: Readonly<Record<string, FullCurve>>;
}

/** What stands for a step that has left no word, from where its job was. */
type Interrupted = (step: PlannedStep, read: ReadFile, done: number) => StepResult;

/** Every task counts: one that has left no last word of its own has not ended well. */
export async function parseTasks(
  { plan, attempt }: Pick<ResultFiles, 'plan' | 'attempt'>,
  read: ReadFile,
  interrupted: Interrupted,
): Promise<ParsedTasks> {
  const { from, tasks } = plan.repeated ?? { from: 1, tasks: [] };
  const repeated = plan.steps.filter(({ index }) => index >= from);
  const steps: StepResult[] = [];
  const findings: Finding[] = [];
  const results: TaskResult[] = [];
  const curves: TaskCurves[] = [];
  for (const task of tasks) {
    const readTask: ReadFile = (path) => read(`tasks/${task.index}/${path}`);
    const own: StepResult[] = [];
    const metrics: Record<string, MetricReading> = {};
    const drawn: Record<string, FullCurve> = {};
    for (const planned of repeated) {
      const step = { ...planned, name: `${planned.name} (${task.title})` };
      const parsed = await parseStep({
        step,
        read: readTask,
        run: plan.fingerprint,
        attempt,
        linked: linkedFiles(plan),
      });
      own.push(parsed.result ?? interrupted(step, readTask, step.index - 1));
      Object.assign(metrics, parsed.metrics);
      Object.assign(drawn, parsed.curves);
      findings.push(...parsed.findings);
    }
    const lost =
      own.every(({ outcome }) => outcome === 'passed' || outcome === 'reused') &&
      !hasEnded(readTask, plan.fingerprint, attempt, task);
    if (lost) own.push(withoutEnd(own.pop(), task));
    steps.push(...own);
    const { parameters, seed, combination } = task;
    const known = seed === undefined ? {} : { seed };
    curves.push({ combination, curves: drawn });
    results.push({ parameters, ...known, combination, outcome: outcomeOf(own), metrics });
  }
  return { steps, tasks: results, metrics: meansOf(results), curves: curvesOf(curves), findings };
}

function hasEnded(read: ReadFile, run: string, attempt: number, { index }: PlannedTask): boolean {
  const end = factWords(read('state/end') ?? '');
  return end.get('run') === run && end.get('attempt') === String(attempt) && end.get('task') === String(index);
}

function withoutEnd(step: StepResult | undefined, { title }: PlannedTask): StepResult {
  const name = step?.name ?? title;
  const detail = 'the task left no last word';
  return {
    ...step,
    name,
    outcome: 'failed',
    failure: { side: 'infrastructure', reason: 'no-result', detail, step: name },
  };
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
