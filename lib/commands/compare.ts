import type { Fingerprint, Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { type Explained, explain } from '../fingerprint/explain.ts';
import type { Fingerprinted } from '../fingerprint/types.ts';
import type { Identified, IdentifyError } from '../gate/identify.ts';
import type { BlobError } from '../git/blobs.ts';
import type { GitError } from '../git/errors.ts';
import { commitInfo } from '../git/history.ts';
import type { Repository } from '../git/repository.ts';
import type { TreeError } from '../git/tree.ts';

/** What a commit is; of `why` and `diff` alike. */
export type Identify = (commit: Oid) => Promise<Result<Identified, IdentifyError>>;

/** A commit, and how the user named it. */
export interface Named {
  readonly revision: string;
  readonly commit: Oid;
}

/** One of two commits that are compared. */
export interface Side extends Named {
  readonly subject: string;
  readonly fingerprint: Fingerprint;
  /** Where its data is known from: its own record, that of another commit that stands for it, or the worktree as it is now. */
  readonly data: 'recorded' | 'inherited' | 'worktree';
}

export interface Comparison {
  readonly before: Side;
  readonly after: Side;
  /** Empty exactly where the fingerprints are equal. */
  readonly changes: readonly Explained[];
  /** How many of the newer commit's first steps are those of the older one, and need not run again; and how many it has. */
  readonly steps: { readonly same: number; readonly of: number };
}

export type CompareError =
  | {
      readonly reason: 'identify';
      readonly revision: string;
      readonly commit: Oid;
      readonly cause: IdentifyError;
    }
  | { readonly reason: 'git'; readonly cause: GitError | TreeError | BlobError };

/** What makes one commit another run than the other: the core of `mlops why` and `mlops diff`. */
export async function compareCommits(
  repo: Repository,
  before: Named,
  after: Named,
  identify: { readonly before: Identify; readonly after: Identify },
): Promise<Result<Comparison, CompareError>> {
  // One after the other: both may hash the same data, and the second then finds it hashed.
  const old = await sideOf(repo, before, identify.before);
  if (!old.ok) return old;
  const now = await sideOf(repo, after, identify.after);
  if (!now.ok) return now;
  const changes = await explain(repo, old.value.identified, now.value.identified);
  if (!changes.ok) return err({ reason: 'git', cause: changes.error });
  return ok({
    before: old.value.side,
    after: now.value.side,
    changes: changes.value,
    steps: sameSteps(old.value.identified, now.value.identified),
  });
}

async function sideOf(
  repo: Repository,
  named: Named,
  identify: Identify,
): Promise<Result<{ readonly side: Side; readonly identified: Identified }, CompareError>> {
  const info = await commitInfo(repo, named.commit);
  if (!info.ok) return err({ reason: 'git', cause: info.error });
  const identified = await identify(named.commit);
  if (!identified.ok) return err({ reason: 'identify', ...named, cause: identified.error });
  const { fingerprint, record, inherited } = identified.value;
  const data = record !== undefined ? 'recorded' : inherited.length > 0 ? 'inherited' : 'worktree';
  return ok({ side: { ...named, subject: info.value.subject, fingerprint, data }, identified: identified.value });
}

function sameSteps(before: Fingerprinted, after: Fingerprinted): Comparison['steps'] {
  const steps = after.inputs.steps;
  const differs = steps.findIndex(({ fingerprint }, index) => before.inputs.steps[index]?.fingerprint !== fingerprint);
  return { same: differs < 0 ? steps.length : differs, of: steps.length };
}
