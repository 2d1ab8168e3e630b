import type { Fingerprint } from '../base/ids.ts';
import type { Result } from '../base/result.ts';
import type { HostError } from './host.ts';
import type { JobArray, JobRef, QueryError, Scheduler } from './scheduler.ts';

/** One attempt as its folder shows it. */
export interface AttemptFolder {
  readonly attempt: number;
  /** The job that was submitted for it, or that has begun in it. Undefined: nobody has said (yet), and `settle` finds out. */
  readonly job?: JobRef;
  /** Given up by a client before a job began: whatever job turns up in it does nothing. */
  readonly abandoned: boolean;
  /** Small state files by name: `now`, `started`, `end`, `step-1` … */
  readonly state: ReadonlyMap<string, string>;
  /** The job's own last word is there. */
  readonly finished: boolean;
  /** Seconds since the submitting client gave a sign of life; only where `job` is undefined. */
  readonly silentSeconds: number;
}

export interface SubmitAttempt {
  readonly fingerprint: Fingerprint;
  /** A folder that `prepare` gave, filled. */
  readonly incoming: string;
  /** One more than the attempts that were seen: whoever claims that number first submits, everybody else attaches. */
  readonly attempt: number;
  readonly seconds: number;
  readonly mem?: number;
  readonly signalSeconds?: number;
  /** `build.sh` is there too, and is to be a job of its own before this one. */
  readonly buildFirst?: boolean;
  /** The tasks of the run are jobs of their own. */
  readonly array?: ArrayAttempt;
}

export interface ArrayAttempt extends JobArray {
  /** Tasks whose results stand, and the attempt in whose folder they are: they are not run again. */
  readonly taken?: { readonly tasks: readonly number[]; readonly from: number };
}

export type Submitted =
  | { readonly kind: 'submitted'; readonly attempt: number; readonly job: JobRef }
  /** Somebody else claimed that attempt in between: look again. */
  | { readonly kind: 'claimed' };

export type SubmitError =
  | { readonly reason: 'host'; readonly cause: HostError }
  /** The scheduler's own words. Nothing was submitted, and the attempt is gone. */
  | {
      readonly reason: 'refused';
      readonly scheduler: Scheduler['kind'];
      readonly code: number;
      readonly stderr: string;
    }
  /** The connection or the scheduler broke off in the middle, and there may be a job: `settle` finds out. */
  | { readonly reason: 'ambiguous'; readonly name: string; readonly detail: string }
  | { readonly reason: 'folder'; readonly path: string; readonly detail: string };

export type RunStoreError =
  | { readonly reason: 'host'; readonly cause: HostError }
  | { readonly reason: 'folder'; readonly path: string; readonly detail: string };

export type Settled =
  | { readonly kind: 'job'; readonly job: JobRef }
  /** No job has done anything in it or ever will: the next attempt may be submitted. */
  | { readonly kind: 'gone' }
  /** Whoever submits it gave a sign of life so many seconds ago: ask again a little later. */
  | { readonly kind: 'pending'; readonly silentSeconds: number };

export type SettleError = RunStoreError | QueryError;

export type WatchEvent =
  | { readonly kind: 'state'; readonly name: string; readonly text: string }
  /** `until`: how many bytes of the log have been given (or left out of a flood) with it; `left`: of these, left out before it. */
  | { readonly kind: 'log'; readonly text: string; readonly until: number; readonly left: number }
  | { readonly kind: 'lost'; readonly error: HostError };

export interface WatchOptions {
  /** The log from this byte on. */
  readonly logFrom?: number;
  /** Only what is there now, without a loop on the far side. */
  readonly once?: boolean;
  /** The files of this task alone. */
  readonly task?: number;
}

export interface ExecutedNotebook {
  /** Relative to the attempt's folder. */
  readonly path: string;
  /** How many other executed notebooks the attempt has. */
  readonly others: number;
  readonly content: string;
}

export interface Collected {
  /** `state/…` and `result/…` by path relative to the attempt's folder. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The last 64 KiB. */
  readonly log: string;
  /** Files that were too large to bring. */
  readonly left: readonly { readonly path: string; readonly size: number }[];
}

/** The run folders below `WORKDIR/runs/FINGERPRINT/`; docs/job.md describes what is in an attempt's folder. */
export interface RunStore {
  folder(fingerprint: Fingerprint, attempt: number): string;
  jobName(fingerprint: Fingerprint, attempt: number): string;
  /** All attempts of a run, oldest first, in one round trip. */
  look(fingerprint: Fingerprint): Promise<Result<readonly AttemptFolder[], RunStoreError>>;
  /** An empty folder of this client's own, on the same file system as the attempt that it will become. */
  prepare(fingerprint: Fingerprint): Promise<Result<string, RunStoreError>>;
  discard(incoming: string): Promise<void>;
  writeFiles(
    folder: string,
    files: ReadonlyMap<string, { readonly content: string; readonly mode?: number }>,
  ): Promise<Result<void, RunStoreError>>;
  submit(request: SubmitAttempt): Promise<Result<Submitted, SubmitError>>;
  /**
   * For an attempt without a job, at any time and from any number of clients: finds its job by name, or gives the attempt up once its
   * submitter has been silent for 30 seconds.
   */
  settle(fingerprint: Fingerprint, attempt: number): Promise<Result<Settled, SettleError>>;
  /** Sees to it that no job begins in this attempt any more, unless one has. */
  abandon(fingerprint: Fingerprint, attempt: number): Promise<Result<'abandoned' | 'begun', RunStoreError>>;
  /** Changes as they come. Ends with the job's last word, with `lost`, or by the signal. */
  watch(
    fingerprint: Fingerprint,
    attempt: number,
    signal: AbortSignal,
    options?: WatchOptions,
  ): AsyncGenerator<WatchEvent, void>;
  collect(fingerprint: Fingerprint, attempt: number): Promise<Result<Collected, RunStoreError>>;
  /** All of the log that is there now, or of one task's, in pieces as they come; gives how many bytes that was. */
  readLog(
    fingerprint: Fingerprint,
    attempt: number,
    task: number | undefined,
    give: (piece: Buffer) => void,
    signal: AbortSignal,
  ): Promise<Result<number, RunStoreError>>;
  /** The executed notebook that was written last, also while it is being executed. Undefined: there is none (yet). */
  newestNotebook(
    fingerprint: Fingerprint,
    attempt: number,
    signal: AbortSignal,
  ): Promise<Result<ExecutedNotebook | undefined, RunStoreError>>;
}
