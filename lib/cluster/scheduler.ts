import type { JobId } from '../base/ids.ts';
import type { Result } from '../base/result.ts';
import type { HostError } from './host.ts';

/** What runs jobs: Slurm, or processes of this machine. Both know the same states. */
export interface Scheduler {
  readonly kind: 'slurm' | 'process';
  /**
   * Shell lines that submit `script` from the folder `cwd` and print the job's id alone on the last line of standard output, or
   * exit non-zero with the scheduler's words on standard error: 75 where nobody knows whether the job was accepted.
   * They are run inside the submission script (run-store.ts).
   */
  submitScript(request: SubmitRequest): string;
  /** Everything the scheduler says of these jobs, one round trip for all. A job it does not know is `absent`. */
  query(jobs: readonly JobRef[]): Promise<Result<ReadonlyMap<JobId, JobStatus>, QueryError>>;
  /** Every job of ours whose folder is below this one and that has not ended, of this user or of everyone: one question for all. */
  live(folder: string, whose: 'own' | 'everyone'): Promise<Result<readonly LiveJob[], QueryError>>;
  /** Live jobs with that name: what to look for after an ambiguous submission. */
  find(name: string): Promise<Result<readonly JobRef[], QueryError>>;
  /** Asks for the end and checks that it came (or that the job had ended). */
  cancel(job: JobRef): Promise<Result<JobStatus, QueryError>>;
}

export interface SubmitRequest {
  /** `mlops-` and the fingerprint's first 16 digits, a dot, and the attempt. */
  readonly name: string;
  /** Absolute paths on the host. The script carries its own #SBATCH lines. */
  readonly script: string;
  readonly cwd: string;
  readonly log: string;
  /** For the process scheduler, which has no #SBATCH lines. */
  readonly seconds: number;
  readonly mem?: number;
  /** How long before the time is over the script gets USR1. */
  readonly signalSeconds?: number;
  /** A job that is submitted before it: this one starts when that has ended, however. For Slurm alone. */
  readonly first?: Omit<SubmitRequest, 'first'>;
  /** One job for each of these numbers, with its log in `tasks/NUMBER/log` below `cwd`, which is there. For Slurm alone. */
  readonly array?: JobArray;
}

export interface JobArray {
  readonly tasks: readonly number[];
  /** How many of them at a time; undefined: as many as there is room for. */
  readonly throttle?: number;
}

export interface JobRef {
  readonly id: JobId;
  readonly name: string;
  /** Seconds since the epoch by the cluster's clock: bounds accounting queries, since ids are recycled. */
  readonly submittedAt: number;
  /** Of an array: the numbers of the tasks that are meant. */
  readonly tasks?: readonly number[];
}

export interface LiveJob {
  readonly job: JobRef;
  /** Whose it is; absent where the folder is one user's. */
  readonly user?: string;
  readonly status: JobStatus;
}

/** Of an array: how many tasks it has, and how many of them have ended, or run. */
export interface TaskCounts {
  readonly tasks: number;
  readonly ended: number;
  readonly running: number;
}

/** An array waits as long as none of its tasks runs, and has ended when all have. */
export type JobStatus =
  | {
      readonly state: 'queued';
      readonly reason: string /** epoch seconds */;
      readonly expectedStart?: number;
      readonly partition?: string;
      readonly ahead?: number;
      readonly counts?: TaskCounts;
    }
  | {
      readonly state: 'running';
      readonly node: string;
      readonly elapsedSeconds: number;
      readonly counts?: TaskCounts;
    }
  | JobEnd
  /** The scheduler answered, and does not know the job (any more). */
  | { readonly state: 'absent' }
  /** The scheduler answered with a state that is in no table. */
  | { readonly state: 'unknown'; readonly word: string };

export interface JobEnd {
  readonly state: 'ended';
  readonly how: EndKind;
  readonly exitCode?: number;
  readonly signal?: number;
  /** The scheduler's own word: COMPLETED, OUT_OF_MEMORY … */
  readonly word: string;
  readonly elapsedSeconds?: number;
  /** Bytes. */
  readonly peakMemory?: number;
  readonly node?: string;
  /** Of an array, which has ended as the worst of its tasks: how each of them has, as far as the scheduler still knows. */
  readonly tasks?: ReadonlyMap<number, JobEnd>;
}
export type EndKind =
  | 'completed'
  | 'failed'
  | 'cancelled'
  | 'timeout'
  | 'out-of-memory'
  | 'node-failed'
  | 'boot-failed'
  | 'preempted'
  | 'deadline';

export type QueryError =
  | { readonly reason: 'host'; readonly cause: HostError }
  /** squeue, sacct or slurmctld did not answer: nothing is known about the job. */
  | { readonly reason: 'scheduler'; readonly command: string; readonly code: number; readonly stderr: string };
