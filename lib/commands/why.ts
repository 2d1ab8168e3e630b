import type { Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { commitInfo, resolveCommit } from '../git/history.ts';
import type { Repository } from '../git/repository.ts';
import { type CompareError, type Comparison, compareCommits, type Identify } from './compare.ts';

export interface WhyOptions {
  /** Of two, the older first; one is compared with HEAD; none: HEAD with its first parent. */
  readonly revisions: readonly string[];
  readonly identify: Identify;
}

export type WhyError =
  | { readonly reason: 'unknown-revision'; readonly revision: string }
  /** HEAD is the first commit: there is nothing before it to compare with. In a shallow clone it only seems so. */
  | { readonly reason: 'no-parent'; readonly commit: Oid; readonly isShallow: boolean }
  | CompareError;

/** `mlops why [A] [B]`: what makes one commit another run than the other. */
export async function why(repo: Repository, options: WhyOptions): Promise<Result<Comparison, WhyError>> {
  const { identify } = options;
  const [first, second = 'HEAD'] = options.revisions;
  const after = await resolve(repo, second);
  if (!after.ok) return after;
  const before = first === undefined ? await firstParent(repo, after.value) : await resolve(repo, first);
  if (!before.ok) return before;
  return compareCommits(
    repo,
    { revision: first ?? 'HEAD^', commit: before.value },
    { revision: second, commit: after.value },
    { before: identify, after: identify },
  );
}

async function resolve(repo: Repository, revision: string): Promise<Result<Oid, WhyError>> {
  const found = await resolveCommit(repo, revision);
  if (found.ok) return found;
  if (found.error.reason === 'unknown-revision') return err({ reason: 'unknown-revision', revision });
  return err({ reason: 'git', cause: found.error });
}

/** The commit before it on its line. */
export async function firstParent(
  repo: Repository,
  commit: Oid,
): Promise<Result<Oid, Extract<WhyError, { reason: 'no-parent' | 'git' }>>> {
  const info = await commitInfo(repo, commit);
  if (!info.ok) return err({ reason: 'git', cause: info.error });
  const [parent] = info.value.parents;
  return parent === undefined ? err({ reason: 'no-parent', commit, isShallow: repo.isShallow }) : ok(parent);
}
