import { createHash } from 'node:crypto';
import type { Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { GitError } from './errors.ts';
import { currentBranch } from './history.ts';
import { listRefs } from './refs.ts';
import type { Repository } from './repository.ts';

/** Ours alone: nothing but this program writes it, so no note is lost whatever a fetch does to the displayed ref. */
export const canonicalNotes = 'refs/mlops/notes';
/** What `git log` shows as `Notes (mlops):`. A fetch may overwrite it with a colleague's. */
export const displayedNotes = 'refs/notes/mlops';
export const reportsRef = (branch: string): string => `refs/heads/${branch}`;

/** What a remote had when it was last asked. */
export function remoteCopies(remote: string, branch: string): { readonly reports: string; readonly notes: string } {
  const folder = `refs/mlops/remotes/${escapeRemote(remote)}`;
  return { reports: `${folder}/heads/${branch}`, notes: `${folder}/notes` };
}

/** A remote's name or URL as one level of a ref; a long URL by its hash, since a ref is a file. */
function escapeRemote(remote: string): string {
  const escaped = encodeURIComponent(remote).replace(/[.!'()*~]/g, (char) => `%${char.charCodeAt(0).toString(16)}`);
  return escaped.length <= 100 ? escaped : createHash('sha256').update(remote).digest('hex');
}

export type BranchError =
  /** Moving it would leave that worktree with changes nobody made. */
  | { readonly reason: 'branch-checked-out'; readonly branch: string; readonly worktree: string }
  /** A ref is a file or a folder: `mlops` cannot stand beside `mlops/x`. */
  | {
      readonly reason: 'branch-conflict';
      readonly branch: string;
      readonly existing: string;
      readonly suggestion: string;
    };

export interface ReportRefs {
  readonly branch: Oid | undefined;
  readonly notes: Oid | undefined;
  readonly displayed: Oid | undefined;
}

/** Where the reports branch and the notes are now. */
export async function readReportRefs(
  repository: Repository,
  branch: string,
): Promise<Result<ReportRefs, GitError | BranchError>> {
  const name = reportsRef(branch);
  // `a/b` is in the way of a branch `a`, and `a` in the way of `a/b`.
  const parents = branch
    .split('/')
    .slice(0, -1)
    .map((_, index, all) => reportsRef(all.slice(0, index + 1).join('/')));
  const refs = await listRefs(repository, [name, ...parents, canonicalNotes, displayedNotes]);
  if (!refs.ok) return refs;
  const conflict = refs.value.find((ref) => ref.name.startsWith(`${name}/`) || parents.includes(ref.name));
  if (conflict !== undefined) {
    const existing = conflict.name.slice('refs/heads/'.length);
    return err({ reason: 'branch-conflict', branch, existing, suggestion: `_${branch.replaceAll('/', '-')}` });
  }
  const at = (wanted: string) => refs.value.find((ref) => ref.name === wanted);
  const own = at(name);
  if (own?.worktree !== undefined) return err({ reason: 'branch-checked-out', branch, worktree: own.worktree });
  if (own === undefined && repository.top !== undefined) {
    // Checked out before its first commit (`git switch --orphan`): no ref shows that.
    const current = await currentBranch(repository);
    if (!current.ok) return current;
    if (current.value === branch) return err({ reason: 'branch-checked-out', branch, worktree: repository.top });
  }
  return ok({ branch: own?.oid, notes: at(canonicalNotes)?.oid, displayed: at(displayedNotes)?.oid });
}
