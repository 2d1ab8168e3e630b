import type { Fingerprint, Sha256 } from '../base/ids.ts';
import type { HostError } from './host.ts';
import type { JobRef } from './scheduler.ts';

export interface GcOptions {
  /** At least 1: what was used within a day may be about to be used by a push. */
  readonly olderThanDays: number;
  /** Objects that are longest unused go until the rest is no larger than this. */
  readonly maxBytes?: number;
}

/** Everything under a working folder that may be freed, but for environments (environments.ts), and what forbids it. Paths are relative to the working folder. */
export interface GcSurvey {
  /** Left behind by clients and jobs that have died: nobody has written there for a day. */
  readonly temporaries: readonly string[];
  readonly attempts: readonly GcAttempt[];
  /** Working copies and outputs: `runs/FINGERPRINT/ATTEMPT/tree` and `…/out`. What is to be kept of them is in the store. */
  readonly files: readonly string[];
  /** `runs/FINGERPRINT/keep` */
  readonly keeps: readonly string[];
  /** What a known step left, by its index file. */
  readonly steps: readonly { readonly path: string; readonly archive: Sha256; readonly old: boolean }[];
  /** Shared folders of data, `trees/KEY.ID`. */
  readonly trees: readonly { readonly path: string; readonly old: boolean }[];
  /** Artifacts, notebooks and logs that runs have kept, and what is in shared folders that are used. */
  readonly used: ReadonlySet<Sha256>;
  readonly objects: readonly GcObject[];
  /** Bytes of all objects; known where a size is asked for. */
  readonly total?: number;
}
export interface GcAttempt {
  /** `runs/FINGERPRINT/ATTEMPT` */
  readonly path: string;
  readonly fingerprint: Fingerprint;
  readonly attempt: number;
  /** The job has said its last word. */
  readonly ended: boolean;
  /** No sign of life for as long as asked. */
  readonly old: boolean;
  /** Ours: the scheduler may hide other users' jobs from us. */
  readonly own: boolean;
  readonly job?: JobRef;
  /** Content that its working copy shares with the store; known where it has not ended. */
  readonly data: readonly Sha256[];
  /** Shared folders that its working copy leads to: `trees/KEY.ID`. */
  readonly trees: readonly string[];
}
export interface GcObject {
  readonly sha256: Sha256;
  readonly bytes: number;
  /** The day of its last use, as a number that grows. */
  readonly day: number;
  /** Unused for as long as asked. */
  readonly old: boolean;
}

export type GcItem =
  | { readonly kind: 'object'; readonly path: string; readonly sha256: Sha256; readonly bytes: number }
  | { readonly kind: 'temporary' | 'run-files' | 'step' | 'tree'; readonly path: string };

export interface GcDone {
  /** What could not be removed: another user's, or not writable. */
  readonly left: readonly string[];
  readonly stderr: string;
}

export type GcError =
  | { readonly reason: 'host'; readonly cause: HostError }
  | { readonly reason: 'no-program'; readonly programs: readonly string[] }
  | {
      readonly reason: 'failed';
      readonly what: 'survey' | 'remove' | 'verify';
      readonly code: number;
      readonly stderr: string;
    };
