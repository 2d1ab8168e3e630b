import type { Fingerprint, Oid } from '../base/ids.ts';
import type { StoreError } from '../cluster/content-store.ts';
import type { RunStoreError, SubmitError } from '../cluster/run-store.ts';
import type { JobStatus, QueryError } from '../cluster/scheduler.ts';
import type { LoadedConfig, SourceRange } from '../config/types.ts';
import type { DataComparison } from '../fingerprint/compare-data.ts';
import type { DataFile } from '../fingerprint/types.ts';
import type { RecordError } from '../git/advance.ts';
import type { GitError } from '../git/errors.ts';
import type { Changes, Report } from '../report/types.ts';
import type { Failure } from '../verdict/types.ts';
import type { IdentifyError } from './identify.ts';
import type { PlaceError } from './place.ts';
import type { PrepareError } from './prepare.ts';

/** How the way of one commit through the gate ended. */
export type GateOutcome =
  /** There is a verdict, of the model or (`error`) of the infrastructure. */
  | JudgedOutcome
  /** The run goes on, and nobody waits for it any more. */
  | WaitingOutcome
  /** A person's decision: nothing was judged, and that is recorded. */
  | { readonly outcome: 'skipped'; readonly report: Report; readonly recorded: Recorded }
  /** It could not be found out. */
  | StoppedOutcome;

export interface StoppedOutcome {
  readonly outcome: 'stopped';
  readonly error: GateError;
  /** Where the config has what the error is about; absent where there is no config that can be read. */
  readonly locate?: LoadedConfig['locate'];
}

export interface JudgedOutcome {
  readonly outcome: 'judged';
  readonly report: Report;
  /** `known`: from metrics that were there already. `unchanged`: the very verdict that is noted on this commit. */
  readonly how: 'trained' | 'known' | 'unchanged';
  /** Against the baseline's run; absent without one. */
  readonly changes?: Changes;
  readonly recorded: Recorded;
  /** Where the config says what a failure of the infrastructure asks to change: `resources.mem`. */
  readonly fix?: Fix;
}

/** What to change in the config, with the figures that were measured. */
export interface Fix {
  readonly key: 'resources.mem' | 'resources.time';
  /** As the config would have it: `24G`, `02:00:00`. */
  readonly value: string;
  /** Absent: the key is not in the config. */
  readonly range?: SourceRange;
}

export interface WaitingOutcome {
  readonly outcome: 'waiting';
  readonly why: /** The push's connection may not be held longer. */
    | 'hold-over'
    /** Ctrl-C, SIGTERM, a closed terminal. */
    | 'detached'
    /** Asked for: `push: record`, `--detach`. */
    | 'submitted';
  readonly fingerprint: Fingerprint;
  readonly commit: Oid;
  readonly place: string;
  readonly job: string;
  readonly attempt: number;
  readonly last?: JobStatus;
  /** Of the seeds that are added to a run that has ended: who comes back to it adds them again, and finds this. */
  readonly addsSeeds?: true;
}

/** Whether the report is in this clone. It is there, or the reason is told and the verdict stands all the same. */
export type Recorded = { readonly ok: true } | { readonly ok: false; readonly error: RecordError };

export type GateError =
  | IdentifyError
  | PrepareError
  | { readonly reason: 'git'; readonly cause: GitError }
  | { readonly reason: 'place'; readonly cause: PlaceError }
  /** `files`: whose contents the store speaks of, by path. */
  | {
      readonly reason: 'store';
      readonly cause: StoreError;
      readonly place: string;
      readonly files?: readonly string[];
    }
  | { readonly reason: 'runs'; readonly cause: RunStoreError; readonly place: string }
  | { readonly reason: 'submit'; readonly cause: SubmitError; readonly place: string }
  /** `build_on: login`: what the installers said. Nothing was submitted. */
  | { readonly reason: 'build'; readonly place: string; readonly detail: string }
  | { readonly reason: 'query'; readonly cause: QueryError; readonly place: string }
  /** The worktree's data is not what was recorded for the commit, and the recorded content is not where the job runs either. */
  | {
      readonly reason: 'data-changed';
      readonly commit: Oid;
      readonly recordedAt: string;
      readonly recordedBy: string;
      readonly difference: DataComparison;
    }
  /** Recorded content that is neither here nor where the job runs. */
  | {
      readonly reason: 'data-absent';
      readonly commit: Oid;
      readonly recordedAt: string;
      readonly recordedBy: string;
      readonly files: readonly DataFile[];
    }
  /** The place could not be reached for a long time; the job may go on. */
  | {
      readonly reason: 'out-of-reach';
      readonly cause: PlaceError;
      readonly fingerprint: Fingerprint;
      readonly job: string;
    }
  /** No attempt goes on or has a result, and none was to be started. */
  | { readonly reason: 'no-run'; readonly commit: Oid; readonly fingerprint: Fingerprint }
  /** The seeds that were to be added did not all come back: nothing was added. */
  | { readonly reason: 'seeds-lost'; readonly failure: Failure }
  /** Ctrl-C before a job was there. */
  | { readonly reason: 'aborted' };
