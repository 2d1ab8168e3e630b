import type { Fingerprint, Oid } from '../base/ids.ts';
import type { HostError } from '../cluster/host.ts';
import type { JobStatus } from '../cluster/scheduler.ts';
import type { RecordError } from '../git/advance.ts';
import type { Summary } from '../verdict/sample.ts';
import type { FailureReason } from '../verdict/types.ts';
import type { UnreadParameters } from './unread-parameters.ts';

/** What happens on the way of a push, for whoever shows it. Facts only; lib/cli puts them into words. */
export type GateEvent =
  | { readonly event: 'fetching-reports'; readonly remote: string }
  /** The remote's reports could not be had: what is known here has to do. */
  | { readonly event: 'reports-not-fetched'; readonly remote: string; readonly error: RecordError }
  /** Entries of which nothing is in this clone: an ancestor's content counts. */
  | { readonly event: 'data-inherited'; readonly entries: readonly string[] }
  | { readonly event: 'hashing'; readonly files: number; readonly bytes: number }
  | { readonly event: 'waiting-for-recorder' }
  | { readonly event: 'connecting'; readonly place: string }
  | {
      readonly event: 'planned';
      readonly fingerprint: Fingerprint;
      readonly commit: Oid;
      readonly place: string;
      readonly environment: { readonly label: string; readonly ready: boolean };
      readonly files: number;
      readonly bytes: number;
      readonly steps: number;
    }
  | { readonly event: 'uploading'; readonly bytes: number; readonly of: number }
  /** On the login node, before the job: `build_on: login`. The builder's own line. */
  | { readonly event: 'building'; readonly line: string }
  | { readonly event: 'submitted'; readonly job: string; readonly attempt: number; readonly place: string }
  | { readonly event: 'attached'; readonly job: string; readonly attempt: number; readonly place: string }
  | { readonly event: 'status'; readonly status: JobStatus; readonly job: string }
  /** The job's own line of progress, such as `step 1 of 2 cell 31 of 69`. */
  | { readonly event: 'progress'; readonly line: string }
  /** Of an array that goes on: what its tasks that have ended measured, by metric. */
  | { readonly event: 'partial'; readonly metrics: Readonly<Record<string, Summary>> }
  /** `left`: bytes before it that were left out of a flood. */
  | { readonly event: 'log'; readonly text: string; readonly left: number }
  | {
      readonly event: 'connection-lost';
      readonly error: HostError;
      readonly retryInSeconds: number;
      /** A job is there, and goes on meanwhile. */
      readonly hasJob: boolean;
    }
  | { readonly event: 'scheduler-silent'; readonly detail: string }
  /** The worktree differs from the commit, which is what is tested. `paths`: the first of them. */
  | { readonly event: 'dirty-worktree'; readonly count: number; readonly paths: readonly string[] }
  /** Notebooks name these files of the worktree, and the job will not have them. */
  | { readonly event: 'files-not-carried'; readonly paths: readonly string[] }
  /** What the config gives to notebooks that do not mention it. */
  | { readonly event: 'parameters-unread'; readonly of: readonly UnreadParameters[] }
  /** `supersede: queued`: the job of an older commit of this branch was taken out of the queue. */
  | { readonly event: 'superseded'; readonly commit: Oid; readonly job: string }
  /** Another client is submitting this very run. */
  | { readonly event: 'waiting-for-submitter'; readonly attempt: number }
  | { readonly event: 'collecting' }
  | { readonly event: 'retrying'; readonly reason: FailureReason; readonly attempt: number; readonly of: number }
  | { readonly event: 'publish-failed'; readonly reason: string; readonly detail: string }
  /** The repository's own report template does not work: ours was used. */
  | { readonly event: 'report-template-failed'; readonly detail: string }
  | { readonly event: 'report-ignored'; readonly path: string; readonly reason: string };

export type EventSink = (event: GateEvent) => void;
