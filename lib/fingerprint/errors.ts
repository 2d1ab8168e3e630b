import type { BlobError } from '../git/blobs.ts';
import type { TreeError } from '../git/tree.ts';
import type { LockError } from './data-lock.ts';
import type { ItemChange } from './environment-changes.ts';

/** Why a commit has no fingerprint. Each names the place; paths are relative to the top unless they say otherwise. */
export type FingerprintError =
  | DataError
  | EnvironmentError
  | { readonly reason: 'no-steps' }
  /** The record for this commit knows nothing of an entry of the config. */
  | { readonly reason: 'not-recorded'; readonly entry: string }
  /** Data on the cluster is fingerprinted there, and comes from the commit's `.mlops/data.lock`. */
  | LockError
  /** The caller's signal: what was hashed so far is kept, the next call goes on from there. */
  | { readonly reason: 'aborted'; readonly progress: Progress }
  | { readonly reason: 'git'; readonly error: TreeError | BlobError };

export type DataError =
  | { readonly reason: 'no-match'; readonly entry: string; readonly glob: boolean }
  | { readonly reason: 'outside'; readonly entry: string }
  | {
      readonly reason: DataFileProblem;
      readonly entry: string;
      readonly path: string;
      readonly detail: string;
    };

/**
 * `changing`: read several times and never twice the same; `bad-name`: a name that is not UTF-8;
 * `submodule-missing`: a submodule that is not checked out; `dvc-missing`: tracked by DVC, and neither in the worktree nor in DVC's cache;
 * `dvc-damaged`: what DVC's cache has is not what its name says; `dvc-unreadable`: a pointer that cannot be read.
 */
export type DataFileProblem =
  | 'broken-link'
  | 'link-loop'
  | 'special-file'
  | 'unreadable'
  | 'changing'
  | 'bad-name'
  | 'submodule-missing'
  | 'dvc-missing'
  | 'dvc-damaged'
  | 'dvc-unreadable';

export type EnvironmentError =
  | { readonly reason: 'environment-missing'; readonly path: string; readonly includedBy?: string }
  | { readonly reason: 'environment-unreadable'; readonly path: string; readonly detail: string }
  /** What `mlops env lock` writes, and nobody has written yet. */
  | { readonly reason: 'lock-missing'; readonly path: string }
  /** The specification has changed since the lock was made: `changes`, from what was locked to what is asked for now. */
  | { readonly reason: 'lock-drift'; readonly path: string; readonly changes: readonly ItemChange[] }
  | { readonly reason: 'include-loop'; readonly path: string; readonly includedBy: string };

export interface Progress {
  /** Files whose content is known, and all that were found. */
  readonly files: number;
  readonly ofFiles: number;
  readonly bytes: number;
  readonly ofBytes: number;
}

/** What fingerprinting had to read: all zero where every cache was warm. */
export interface Work {
  readonly filesRead: number;
  readonly bytesRead: number;
  readonly blobsRead: number;
  /** Caches that were there and not to be believed; they were made again. */
  readonly damaged: readonly string[];
}
