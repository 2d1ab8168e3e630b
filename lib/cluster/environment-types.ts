import type { HostError } from './host.ts';
import type { JobRef } from './scheduler.ts';

/** One folder below `WORKDIR/envs`, as its small files show it. */
export interface EnvironmentEntry {
  /** The folder's name: 24 digits, and the processor where that is none of x86-64. */
  readonly key: string;
  /** `interrupted`: neither ready nor failed, and nobody builds it. */
  readonly state: 'ready' | 'building' | 'failed' | 'interrupted';
  readonly kind?: string;
  readonly platform?: string;
  readonly manager?: string;
  readonly managerVersion?: string;
  readonly buildSeconds?: number;
  /** Seconds since the epoch, by the clock there. */
  readonly builtAt?: number;
  readonly usedAt?: number;
  readonly changedAt?: number;
  readonly bytes?: number;
  readonly files?: number;
  /** Who builds it, and since when there was no sign of life. */
  readonly builder?: { readonly owner: string; readonly beatAt?: number };
  /** Where a build is, or was when it ended. */
  readonly progress?: string;
  /** What it was asked to be: JSON. */
  readonly specification?: string;
}

/** An attempt without a last word, and the environment that its script names. */
export interface EnvironmentUser {
  /** `runs/FINGERPRINT/ATTEMPT`, or a folder that is about to become one. */
  readonly path: string;
  /** Without the processor. */
  readonly key: string;
  /** Ours: the scheduler may hide other users' jobs from us. */
  readonly own: boolean;
  /** No sign of life for a day. */
  readonly quiet: boolean;
  readonly job?: JobRef;
}

export interface EnvironmentSurvey {
  /** By the clock there. */
  readonly now: number;
  readonly environments: readonly EnvironmentEntry[];
  readonly users: readonly EnvironmentUser[];
}

/** `packages.txt`, `lock.txt`, `added`, and the end of `failed.log`, where they are. */
export type EnvironmentFiles = ReadonlyMap<string, string>;

export type RemoveOutcome =
  | { readonly outcome: 'removed' | 'absent' }
  /** Somebody builds it, or removes it. */
  | { readonly outcome: 'locked'; readonly owner: string }
  /** By these, or by somebody within the last day. */
  | { readonly outcome: 'used'; readonly users: readonly EnvironmentUser[] };

export type EnvironmentsError =
  | { readonly reason: 'host'; readonly cause: HostError }
  | {
      readonly reason: 'environments-failed';
      readonly what: 'list' | 'read' | 'remove';
      readonly code: number;
      readonly stderr: string;
    };
