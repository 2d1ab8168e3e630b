import type { Json } from '../base/canonical-json.ts';
import type { Fingerprint, Oid, Sha256 } from '../base/ids.ts';

/** What determines the metrics of one commit, in the words of docs/fingerprint.md. Its canonical JSON is hashed. */
export interface Inputs {
  readonly format: 1;
  /** Changes only when what we compute from the same inputs would; absent is 1. */
  readonly computation?: number;
  /** By path: a git blob, or a notebook's meaning. Only what counts for at least one step. */
  readonly code: Readonly<Record<string, CodeFile>>;
  readonly data: Readonly<Record<string, DataSet>>;
  readonly environment: Json;
  readonly env: Readonly<Record<string, string>>;
  readonly setup?: string;
  readonly steps: readonly StepInputs[];
}

/** `blob` is a git blob (or a submodule's commit); `notebook` the SHA-256 of the notebook's meaning. */
export type CodeFile =
  | { readonly kind: 'blob'; readonly oid: Oid; readonly mode: '100644' | '100755' | '120000' | '160000' }
  | { readonly kind: 'notebook'; readonly meaning: Sha256 };

export interface DataSet {
  /** SHA-256 of the canonical manifest of the entry's files. */
  readonly hash: Sha256;
  readonly files: number;
  readonly bytes: number;
  readonly writable: boolean;
}

export interface StepInputs {
  /** The step as the config has it, without what does not determine metrics. */
  readonly definition: Json;
  /** Paths of `code` that do not count for this step: files that belong to a later step alone. */
  readonly without: readonly string[];
  /** The chain: the fingerprint of the pipeline up to and with this step. */
  readonly fingerprint: Fingerprint;
}

/** One file of a data entry. Paths are relative to the top, with slashes. */
export interface DataFile {
  readonly path: string;
  readonly sha256: Sha256;
  /** Bytes. */
  readonly size: number;
  /** Where the content is on this machine now, if it is. The stored manifest of a record keeps blobs only. */
  readonly source?:
    | { readonly kind: 'worktree'; readonly path: string }
    | { readonly kind: 'blob'; readonly oid: Oid }
    | { readonly kind: 'lfs' | 'dvc'; readonly path: string };
}

/** A line of `.mlops/data.lock`. */
export interface Pin {
  readonly as: string;
  /** As the config has them: a pin of another place, or made otherwise, is none. */
  readonly cluster: string;
  readonly how: 'stat' | 'content';
  /** What the fingerprint takes. Of `stat` it is the listing's; of `content` the same that these files would have in the repository. */
  readonly hash: Sha256;
  /** SHA-256 of the listing of names, sizes and times: what a job checks. */
  readonly listing: Sha256;
  readonly files: number;
  readonly bytes: number;
  readonly pinnedAt: string;
}

export interface Fingerprinted {
  readonly fingerprint: Fingerprint;
  readonly inputs: Inputs;
  /** The files behind `inputs.data`, by entry. */
  readonly data: Readonly<Record<string, readonly DataFile[]>>;
  /** Of entries that are on the cluster already: what the commit says of them. Absent: there are none. */
  readonly pins?: Readonly<Record<string, Pin>>;
}

/** What was recorded for a commit: enough to know its fingerprint later, whatever the worktree holds by then. */
export interface CommitRecord {
  readonly version: 1;
  readonly commit: Oid;
  readonly fingerprint: Fingerprint;
  readonly recordedAt: string;
  readonly recordedBy: string;
  readonly data: Readonly<Record<string, DataSet>>;
}
