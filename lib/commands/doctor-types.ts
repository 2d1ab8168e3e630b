import type { HostError, Login } from '../cluster/host.ts';
import type { Quota } from '../cluster/site-probe.ts';
import type { Partition } from '../cluster/slurm-probe.ts';
import type { Python } from '../cluster/tools-probe.ts';
import type { WorkdirError } from '../cluster/workdir.ts';
import type { Environment, LoadedConfig } from '../config/types.ts';
import type { PipelineError } from '../gate/pipeline.ts';
import type { GitError } from '../git/errors.ts';
import type { HookError } from '../git/hooks-file.ts';
import type { HookPlace } from '../git/hooks-place.ts';
import type { HookName } from '../git/hooks-shim.ts';
import type { HookState } from '../git/hooks-state.ts';
import type { BranchError } from '../git/report-refs.ts';
import type { SmallJobError } from './small-job.ts';

/** A problem keeps a push from being judged; a warning will be noticed one day. */
export type Grade = 'ok' | 'warning' | 'problem';

/** One thing that was looked at. What to do about it is the screen's to say. */
export type Finding = { readonly grade: Grade } & Fact;
export type Tell = (finding: Finding) => void;

/** Where something was looked for: what a login node lacks, a compute node may have. */
export type Where = 'here' | 'login-node' | 'node';

export type Fact =
  | { readonly reason: 'git-version'; readonly version: string }
  | { readonly reason: 'git-failed'; readonly cause: GitError }
  | {
      readonly reason: 'hooks';
      readonly place: HookPlace;
      /** The worktree, which paths are seen from. */
      readonly top: string;
      readonly wrong: readonly { readonly hook: HookName; readonly state: Exclude<HookState, 'installed'> }[];
    }
  | { readonly reason: 'hooks-failed'; readonly cause: HookError }
  | { readonly reason: 'trust'; readonly trusted: boolean }
  /** Settings of this clone that are not set: verdicts are in no `git log`, or do not come with a fetch. */
  | { readonly reason: 'display'; readonly shown: boolean; readonly remote?: string; readonly fetched: boolean }
  | { readonly reason: 'reports'; readonly branch: string }
  | { readonly reason: 'reports-failed'; readonly cause: BranchError }
  | { readonly reason: 'config'; readonly loaded: LoadedConfig }
  | { readonly reason: 'config-uncommitted' }
  | { readonly reason: 'config-failed'; readonly cause: PipelineError }
  | { readonly reason: 'no-commit' }
  /** `seconds`: how long a push may be held; undefined: as long as it takes. `of`: who says so. */
  | {
      readonly reason: 'remote';
      readonly remote: string;
      readonly to: string;
      readonly seconds?: number;
      readonly of: 'setting' | 'table';
    }
  | { readonly reason: 'no-remote' }
  | { readonly reason: 'hold-invalid'; readonly value: string }
  | {
      readonly reason: 'connection';
      readonly host: string;
      readonly kind: 'ssh2' | 'openssh';
      readonly user: string;
      readonly login?: Login;
      readonly milliseconds: number;
    }
  | { readonly reason: 'connection-failed'; readonly cause: HostError }
  /** A script of ours ended before its end. */
  | { readonly reason: 'odd-answer'; readonly what: string; readonly words: string }
  | { readonly reason: 'this-machine'; readonly system: string }
  | { readonly reason: 'clock'; readonly seconds: number }
  | { readonly reason: 'shell'; readonly shell: string; readonly system: string }
  | { readonly reason: 'tools'; readonly missing: readonly string[] }
  | { readonly reason: 'workdir-failed'; readonly host: string; readonly cause: WorkdirError; readonly written: string }
  | {
      readonly reason: 'workdir';
      readonly path: string;
      readonly type?: string;
      /** The type says that only this machine sees it, or that it does not last. */
      readonly volatile: boolean;
    }
  | { readonly reason: 'space'; readonly path: string; readonly free?: number; readonly freeFiles?: number }
  | { readonly reason: 'quota'; readonly quota: Quota }
  | { readonly reason: 'quota-failed'; readonly words: string }
  | { readonly reason: 'hard-links'; readonly there: boolean }
  | { readonly reason: 'slurm-missing'; readonly programs: readonly string[] }
  | { readonly reason: 'slurm'; readonly version?: string; readonly partitions: readonly Partition[] }
  | { readonly reason: 'slurm-silent'; readonly words: string }
  | {
      readonly reason: 'submission';
      readonly accepted: boolean;
      readonly words: string;
      readonly partitions: readonly Partition[];
      readonly accounts: readonly string[];
    }
  /** sbatch takes jobs for it, and none starts. */
  | { readonly reason: 'partition-down'; readonly names: readonly string[] }
  /** None of the partitions gives as much time. Where limits are not enforced at once, sbatch takes the job, and it never starts. */
  | {
      readonly reason: 'time-limit';
      readonly seconds: number;
      readonly limits: readonly { readonly name: string; readonly seconds: number }[];
    }
  | { readonly reason: 'memory'; readonly accounting: boolean; readonly minJobAge?: number }
  | { readonly reason: 'preemption'; readonly mode: string; readonly retries: number }
  | { readonly reason: 'setup'; readonly where: Where; readonly status?: number }
  | { readonly reason: 'no-module-command'; readonly where: Where }
  | {
      readonly reason: 'module';
      readonly where: Where;
      readonly name: string;
      readonly loaded: boolean;
      readonly words: string;
    }
  | {
      readonly reason: 'environment';
      readonly where: Where;
      readonly kind: Environment['kind'];
      /** What makes it, or is it: a path. Undefined: it is not there. */
      readonly by?: string;
      readonly python?: Python;
      readonly needs: readonly string[];
    }
  | {
      readonly reason: 'internet';
      readonly url: string;
      readonly reached: boolean;
      readonly words: string;
      readonly where: Where;
    }
  | { readonly reason: 'job'; readonly id: string; readonly node: string; readonly seconds: number }
  | SmallJobError;
