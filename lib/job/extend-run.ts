import type { Finding, RunResult, TaskResult } from '../verdict/types.ts';
import { meansOf } from './parse-tasks.ts';

/** A run and the seeds that were added to it, as the one sample that they are: the same content, and none of them chosen. */
export function extendRun(run: RunResult, added: RunResult): RunResult {
  const before = run.tasks ?? [];
  const tasks: readonly TaskResult[] = [...before, ...(added.tasks ?? [])];
  const known = new Set(run.steps.map(({ name }) => name));
  const seconds = [run.seconds, added.seconds].filter((one) => one !== undefined);
  const taskSeconds = [run.taskSeconds, added.taskSeconds].filter((one) => one !== undefined);
  const peaks = [run.peakMemory, added.peakMemory].filter((one) => one !== undefined);
  const { fingerprint, attempt, job, place } = added;
  return {
    ...run,
    // What comes before the seeds was known, and is in the run already.
    steps: [...run.steps, ...added.steps.filter(({ name }) => !known.has(name))],
    metrics: { ...run.metrics, ...meansOf(tasks) },
    tasks,
    added: {
      fingerprint,
      attempt,
      ...(job === undefined ? {} : { job: job.id }),
      seeds: (added.tasks ?? [])
        .flatMap(({ seed }) => seed ?? [])
        .filter((seed, index, all) => all.indexOf(seed) === index),
      place,
    },
    ...(seconds.length < 2 ? {} : { seconds: seconds.reduce((sum, one) => sum + one, 0) }),
    ...(taskSeconds.length < 2 ? {} : { taskSeconds: taskSeconds.reduce((sum, one) => sum + one, 0) }),
    ...(peaks.length < 2 ? {} : { peakMemory: Math.max(...peaks) }),
    artifacts: [
      ...run.artifacts,
      ...added.artifacts.map((file) => ({ ...file, path: shifted(file.path, before.length) })),
    ],
    findings: [...run.findings, ...added.findings.filter((one) => !run.findings.some((other) => isSame(one, other)))],
  };
}

/** Tasks are numbered through: the first of the added ones is not the first of all. What is of no task is of the added run. */
function shifted(path: string, by: number): string {
  const [, task, rest] = /^tasks\/(\d+)\/(.*)$/s.exec(path) ?? [];
  return task === undefined ? `added/${path}` : `tasks/${Number(task) + by}/${rest}`;
}

const isSame = (a: Finding, b: Finding): boolean => a.name === b.name && a.detail === b.detail;
