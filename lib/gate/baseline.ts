import type { Fingerprint, Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import type { GitError } from '../git/errors.ts';
import { firstParents, mergeBase, remoteDefaultBranch, resolveCommit } from '../git/history.ts';
import type { Repository } from '../git/repository.ts';
import type { Baseline } from '../verdict/types.ts';

/** A verdict that is known for a commit: what a baseline is made of. */
export interface KnownMetrics {
  readonly fingerprint: Fingerprint;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface BaselineQuestion {
  readonly repo: Repository;
  readonly commit: Oid;
  /** As the requirement names it: a branch, a tag or a commit. */
  readonly name: string;
  /** The remote that is pushed to; its branch counts before a local one of the same name. */
  readonly remote: string | undefined;
  /** The verdict for a commit's content, if one is known. */
  readonly known: (commit: Oid) => Promise<KnownMetrics | undefined>;
}

/** How far back a verdict is looked for, in first parents. */
const farthest = 100;

/**
 * The baseline by docs/verdicts.md: the merge base's own fingerprint, else its nearest first-parent ancestor with a verdict. Forges'
 * merge and squash commits run no hook, so the merge base itself often has no note, but its content has a verdict.
 */
export async function findBaseline(question: BaselineQuestion): Promise<Result<Baseline | undefined, GitError>> {
  const { repo, commit, name, known } = question;
  const start = await startingPoint(question);
  if (!start.ok) return start;
  if (start.value === undefined) return ok(undefined);
  const line = await firstParents(repo, start.value, farthest + 1);
  if (!line.ok) return line;
  for (const [distance, ancestor] of line.value.entries()) {
    // A commit is never compared with itself.
    if (ancestor === commit) continue;
    const found = await known(ancestor);
    if (found === undefined || Object.keys(found.metrics).length === 0) continue;
    return ok({ name, commit: ancestor, distance, run: found.fingerprint, metrics: found.metrics });
  }
  return ok(undefined);
}

async function startingPoint(question: BaselineQuestion): Promise<Result<Oid | undefined, GitError>> {
  const { repo, commit, name, remote } = question;
  const tip = await resolveName(repo, name, remote);
  if (tip === undefined) {
    // A new branch in a clone that does not know the named one: the remote's default branch is the next best line.
    const fallback = remote === undefined ? ok(undefined) : await remoteDefaultBranch(repo, remote);
    if (!fallback.ok) return fallback;
    if (fallback.value === undefined) return ok(commit);
    const other = await resolveName(repo, fallback.value, remote);
    return other === undefined ? ok(commit) : mergeBase(repo, other, commit);
  }
  return mergeBase(repo, tip, commit);
}

async function resolveName(repo: Repository, name: string, remote: string | undefined): Promise<Oid | undefined> {
  const candidates = [
    ...(remote === undefined ? [] : [`refs/remotes/${remote}/${name}`]),
    `refs/heads/${name}`,
    `refs/tags/${name}`,
    `refs/remotes/origin/${name}`,
    name,
  ];
  for (const candidate of candidates) {
    const found = await resolveCommit(repo, candidate);
    if (found.ok) return found.value;
  }
  return undefined;
}
