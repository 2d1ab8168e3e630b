import type { Failure, FailureReason, RunResult, StepResult } from './types.ts';

/** How the scheduler's end of a job reads: nothing to object, or a reason that says nothing about the model. */
const ends: Readonly<Record<string, FailureReason | 'completed' | 'failed'>> = {
  completed: 'completed',
  failed: 'failed',
  cancelled: 'cancelled',
  timeout: 'timeout',
  'out-of-memory': 'out-of-memory',
  'node-failed': 'node-failed',
  'boot-failed': 'boot-failed',
  preempted: 'preempted',
  deadline: 'deadline',
};

/** Everything that went wrong around the metrics, most important first within each side. */
export function failuresOf(result: RunResult): { readonly infrastructure: Failure[]; readonly code: Failure[] } {
  const found = [
    ...(result.preparation === undefined ? [] : [result.preparation]),
    ...result.steps.flatMap(failureOfStep),
  ];
  const infrastructure = found.filter((failure) => failure.side === 'infrastructure');
  const code = found.filter((failure) => failure.side === 'code');
  const end = failureOfEnd(result, found.length > 0);
  // The scheduler's word explains what the steps saw: an out-of-memory kill looks like a dead kernel from inside.
  if (end !== undefined && !infrastructure.some((failure) => failure.reason === end.reason))
    infrastructure.unshift({ ...placeOf(found), ...end });
  return { infrastructure, code };
}

/** Where the job was when it was ended, if a step got to say so. */
function placeOf(failures: readonly Failure[]): Pick<Failure, 'step' | 'cell' | 'cells'> {
  const { step, cell, cells } = failures.find((failure) => failure.cell !== undefined) ?? failures[0] ?? {};
  return {
    ...(step === undefined ? {} : { step }),
    ...(cell === undefined ? {} : { cell }),
    ...(cells === undefined ? {} : { cells }),
  };
}

/**
 * A pass needs both signals: the job's own last word and the scheduler's COMPLETED. Out of memory can come with exit 0,
 * and a time-out can kill the script before it writes (facts of the peers: qiita #3521, cctools #2418).
 */
function failureOfEnd(
  { job, jobForgotten, finished, preparation, steps }: RunResult,
  explained: boolean,
): Failure | undefined {
  const failure = (reason: FailureReason, detail: string): Failure => ({ side: 'infrastructure', reason, detail });
  if (job === undefined && jobForgotten !== true) return failure('end-unknown', 'the scheduler could not be asked');
  if (job !== undefined) {
    const end = Object.hasOwn(ends, job.how) ? ends[job.how] : undefined;
    if (end === undefined) return failure('end-unknown', job.word);
    // What could not be prepared was said by the job that built for it, and took it out of the queue.
    if (end === 'cancelled' && !finished && preparation !== undefined) return undefined;
    if (end !== 'completed' && end !== 'failed') return failure(end, job.word);
    // A step that failed, or a preparation that did, makes the script exit non-zero: then `failed` is what it should be.
    if (end === 'failed' && finished && !explained) return failure('end-contradicted', status(job));
  }
  if (!finished)
    return preparation === undefined ? failure('no-result', job === undefined ? '' : status(job)) : undefined;
  if (explained) return undefined;
  if (steps.length === 0) return failure('no-result', 'no step left a result');
  const idle = steps.find((step) => step.outcome === 'not-run');
  return idle === undefined ? undefined : { ...failure('no-result', 'a step was not run'), step: idle.name };
}

const status = (job: NonNullable<RunResult['job']>): string =>
  [
    job.word,
    job.exitCode === undefined ? '' : `exit status ${job.exitCode}`,
    job.signal === undefined || job.signal === 0 ? '' : `signal ${job.signal}`,
  ]
    .filter((part) => part !== '')
    .join(', ');

/** A step that did not pass has a failure, even where nobody wrote one down; and one that says it passed may still not have. */
function failureOfStep(step: StepResult): readonly Failure[] {
  const failures = step.failure === undefined ? [] : [{ ...step.failure, step: step.failure.step ?? step.name }];
  const tests = step.tests;
  if (failures.length === 0 && tests !== undefined && tests.failed > 0) {
    const detail = tests.failures.join('\n') || `${tests.failed} failed`;
    failures.push({ side: 'code', reason: 'tests-failed', detail, step: step.name });
  }
  if (failures.length === 0 && step.outcome === 'failed') {
    const detail = step.exitCode === undefined ? '' : `exit status ${step.exitCode}`;
    failures.push({ side: 'code', reason: 'exit-status', detail, step: step.name });
  }
  return failures;
}
