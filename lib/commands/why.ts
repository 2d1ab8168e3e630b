import type { Fingerprint, Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { type Explained, explain } from '../fingerprint/explain.ts';
import type { Fingerprinted } from '../fingerprint/types.ts';
import type { Identified, IdentifyError } from '../gate/identify.ts';
import type { BlobError } from '../git/blobs.ts';
import type { GitError } from '../git/errors.ts';
import { commitInfo, resolveCommit } from '../git/history.ts';
import type { Repository } from '../git/repository.ts';
import type { TreeError } from '../git/tree.ts';

export interface WhyOptions {
  /** Of two, the older first; one is compared with HEAD; none: HEAD with its first parent. */
  readonly revisions: readonly string[];
  readonly identify: (commit: Oid) => Promise<Result<Identified, IdentifyError>>;
}

/** One of the two commits, as the user named it. */
export interface WhySide {
  readonly revision: string;
  readonly commit: Oid;
  readonly subject: string;
  readonly fingerprint: Fingerprint;
  /** Where its data is known from: its own record, that of another commit that stands for it, or the worktree as it is now. */
  readonly data: 'recorded' | 'inherited' | 'worktree';
}

export interface WhyReport {
  readonly before: WhySide;
  readonly after: WhySide;
  /** Empty exactly where the fingerprints are equal. */
  readonly changes: readonly Explained[];
  /** How many of the newer commit's first steps are those of the older one, and need not run again; and how many it has. */
  readonly steps: { readonly same: number; readonly of: number };
}

export type WhyError =
  | { readonly reason: 'unknown-revision'; readonly revision: string }
  /** HEAD is the first commit: there is nothing before it to compare with. In a shallow clone it only seems so. */
  | { readonly reason: 'no-parent'; readonly commit: Oid; readonly isShallow: boolean }
  | {
      readonly reason: 'identify';
      readonly revision: string;
      readonly commit: Oid;
      readonly cause: IdentifyError;
    }
  | { readonly reason: 'git'; readonly cause: GitError | TreeError | BlobError };

/** `mlops why [A] [B]`: what makes one commit another run than the other. */
export async function why(repo: Repository, options: WhyOptions): Promise<Result<WhyReport, WhyError>> {
  const [first, second = 'HEAD'] = options.revisions;
  const after = await resolve(repo, second);
  if (!after.ok) return after;
  const older = first === undefined ? await firstParent(repo, after.value) : await resolve(repo, first);
  if (!older.ok) return older;
  const before = older.value;
  // One after the other: both may hash the same data, and the second then finds it hashed.
  const old = await sideOf(repo, options, first ?? 'HEAD^', before);
  if (!old.ok) return old;
  const now = await sideOf(repo, options, second, after.value);
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

async function resolve(repo: Repository, revision: string): Promise<Result<Oid, WhyError>> {
  const found = await resolveCommit(repo, revision);
  if (found.ok) return found;
  if (found.error.reason === 'unknown-revision') return err({ reason: 'unknown-revision', revision });
  return err({ reason: 'git', cause: found.error });
}

async function firstParent(repo: Repository, commit: Oid): Promise<Result<Oid, WhyError>> {
  const info = await commitInfo(repo, commit);
  if (!info.ok) return err({ reason: 'git', cause: info.error });
  const [parent] = info.value.parents;
  return parent === undefined ? err({ reason: 'no-parent', commit, isShallow: repo.isShallow }) : ok(parent);
}

async function sideOf(
  repo: Repository,
  { identify }: WhyOptions,
  revision: string,
  commit: Oid,
): Promise<Result<{ readonly side: WhySide; readonly identified: Identified }, WhyError>> {
  const info = await commitInfo(repo, commit);
  if (!info.ok) return err({ reason: 'git', cause: info.error });
  const identified = await identify(commit);
  if (!identified.ok) return err({ reason: 'identify', revision, commit, cause: identified.error });
  const { fingerprint, record, inherited } = identified.value;
  const data = record !== undefined ? 'recorded' : inherited.length > 0 ? 'inherited' : 'worktree';
  return ok({
    side: { revision, commit, subject: info.value.subject, fingerprint, data },
    identified: identified.value,
  });
}

function sameSteps(before: Fingerprinted, after: Fingerprinted): WhyReport['steps'] {
  const steps = after.inputs.steps;
  const differs = steps.findIndex(({ fingerprint }, index) => before.inputs.steps[index]?.fingerprint !== fingerprint);
  return { same: differs < 0 ? steps.length : differs, of: steps.length };
}
