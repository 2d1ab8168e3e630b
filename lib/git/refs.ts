import { asOid, type Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import type { GitError } from './errors.ts';
import { type GitPlace, gitText } from './spawn.ts';

export interface Ref {
  readonly name: string;
  readonly oid: Oid;
  /** Where it is checked out. */
  readonly worktree?: string;
  /** What it stands for, if it is symbolic: refs/remotes/origin/HEAD. */
  readonly target?: string;
}

/** One process for any number of refs: full names, folders of refs, or globs. None existing is no error. */
export async function listRefs(
  place: GitPlace,
  patterns: readonly string[],
): Promise<Result<readonly Ref[], GitError>> {
  // %00 ends the record too: a worktree's path may contain a newline.
  const format = '--format=%(refname)%00%(objectname)%00%(worktreepath)%00%(symref)%00';
  const text = await gitText(place, ['for-each-ref', format, ...patterns]);
  if (!text.ok) return text;
  const fields = text.value.split('\0');
  const refs: Ref[] = [];
  for (let at = 0; at + 3 < fields.length; at += 4) {
    const [name = '', oid = '', worktree = '', target = ''] = fields.slice(at, at + 4);
    refs.push({
      name: name.replace(/^\n/, ''),
      oid: asOid(oid),
      ...(worktree === '' ? {} : { worktree }),
      ...(target === '' ? {} : { target }),
    });
  }
  return ok(refs);
}

/** What a ref, by its full name, points to. */
export async function refOid(place: GitPlace, name: string): Promise<Result<Oid | undefined, GitError>> {
  const refs = await listRefs(place, [name]);
  return refs.ok ? ok(refs.value.find((ref) => ref.name === name)?.oid) : refs;
}
