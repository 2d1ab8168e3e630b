import { asOid, type Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { GitError } from './errors.ts';
import { listRefs } from './refs.ts';
import { type GitPlace, git, gitText } from './spawn.ts';

export interface CommitInfo {
  readonly oid: Oid;
  readonly tree: Oid;
  readonly parents: readonly Oid[];
  /** Seconds since the epoch. */
  readonly authorTime: number;
  readonly authorName: string;
  readonly authorEmail: string;
  readonly subject: string;
}

/** The commit that a revision names (a tag is followed); `unknown-revision` if there is none. */
export async function resolveCommit(place: GitPlace, revision: string): Promise<Result<Oid, GitError>> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`];
  const unknown: GitError = { reason: 'unknown-revision', args, code: 1, stderr: '' };
  // No argument of a program can contain NUL, and no revision does.
  if (revision === '' || revision.includes('\0')) return err(unknown);
  const text = await gitText(place, args, { okCodes: [1] });
  if (!text.ok) return text;
  return text.value === '' ? err(unknown) : ok(asOid(text.value));
}

/** The commit and its first parents, newest first, at most `max`. In a shallow clone the line ends where the clone does. */
export async function firstParents(
  place: GitPlace,
  commit: Oid | 'HEAD',
  max: number,
): Promise<Result<readonly Oid[], GitError>> {
  return oids(await gitText(place, ['rev-list', '--first-parent', `--max-count=${max}`, commit, '--']));
}

/** The commit and what is reachable from it, newest first, at most `max`. */
export async function ancestors(place: GitPlace, commit: Oid, max: number): Promise<Result<readonly Oid[], GitError>> {
  return oids(await gitText(place, ['rev-list', `--max-count=${max}`, commit, '--']));
}

/** Commits reachable from `to` and not from `from`, newest first, at most `max`: what a range A..B means. */
export async function commitsBetween(
  place: GitPlace,
  from: Oid,
  to: Oid,
  max: number,
): Promise<Result<readonly Oid[], GitError>> {
  return oids(await gitText(place, ['rev-list', `--max-count=${max}`, to, `^${from}`, '--']));
}

/** The first parents of `to` that `from` does not lead to, and `to` itself: oldest first. */
export async function commitsOnLine(place: GitPlace, from: Oid, to: Oid): Promise<Result<readonly Oid[], GitError>> {
  return oids(await gitText(place, ['rev-list', '--first-parent', '--reverse', to, `^${from}`, '--']));
}

/** Whether the commit, or any that led to it, has touched the path. */
export async function ancestorsWith(place: GitPlace, commit: Oid, path: string): Promise<Result<boolean, GitError>> {
  // Without --full-history a merge that dropped the path would hide the side that had it (git-rev-list(1), History Simplification).
  const text = await gitText(place, ['rev-list', '--full-history', '--max-count=1', commit, '--', path]);
  return text.ok ? ok(text.value !== '') : text;
}

/** Paths in which two commits differ. Names that are not UTF-8 come damaged. */
export async function changedPaths(
  place: GitPlace,
  one: Oid,
  other: Oid,
): Promise<Result<readonly string[], GitError>> {
  if (one === other) return ok([]);
  const text = await gitText(place, ['diff-tree', '-r', '-z', '--no-renames', '--name-only', one, other]);
  return text.ok ? ok(text.value.split('\0').filter((path) => path !== '')) : text;
}

/** The commits that HEAD, the branches (the remotes' too) and the tags name. */
export async function tips(place: GitPlace): Promise<Result<readonly Oid[], GitError>> {
  const head = await resolveCommit(place, 'HEAD');
  if (!head.ok && head.error.reason !== 'unknown-revision') return head;
  const args = ['rev-list', '--no-walk=unsorted', '--branches', '--remotes', '--tags'];
  return oids(await gitText(place, [...args, ...(head.ok ? [head.value] : []), '--']));
}

export async function hasPath(place: GitPlace, commit: Oid, path: string): Promise<Result<boolean, GitError>> {
  const text = await gitText(place, ['ls-tree', '--name-only', '--full-tree', commit, '--', path]);
  return text.ok ? ok(text.value !== '') : text;
}

function oids(text: Result<string, GitError>): Result<readonly Oid[], GitError> {
  return text.ok ? ok(text.value.split('\n').filter(Boolean).map(asOid)) : text;
}

/** Undefined for histories with nothing in common. */
export async function mergeBase(place: GitPlace, a: Oid, b: Oid): Promise<Result<Oid | undefined, GitError>> {
  const text = await gitText(place, ['merge-base', a, b], { okCodes: [1] });
  if (!text.ok) return text;
  return ok(text.value === '' ? undefined : asOid(text.value));
}

/** A commit is its own ancestor. */
export async function isAncestor(place: GitPlace, ancestor: Oid, descendant: Oid): Promise<Result<boolean, GitError>> {
  if (ancestor === descendant) return ok(true);
  const output = await git(place, ['merge-base', '--is-ancestor', ancestor, descendant], { okCodes: [1] });
  return output.ok ? ok(output.value.code === 0) : output;
}

export async function commitInfo(place: GitPlace, commit: Oid): Promise<Result<CommitInfo, GitError>> {
  const infos = await commitInfos(place, [commit]);
  if (!infos.ok) return infos;
  const info = infos.value.get(commit);
  if (info === undefined) throw new Error(`git log without ${commit}`);
  return ok(info);
}

/** The same for many with one process. `skip`: those that are not in this clone are left out, and else an error. */
export async function commitInfos(
  place: GitPlace,
  commits: readonly Oid[],
  missing: 'error' | 'skip' = 'error',
): Promise<Result<ReadonlyMap<Oid, CommitInfo>, GitError>> {
  const infos = new Map<Oid, CommitInfo>();
  if (commits.length === 0) return ok(infos);
  const format = '--format=tformat:%H%x00%T%x00%P%x00%at%x00%an%x00%ae%x00%s';
  // log.showSignature would print gpg's words among the fields.
  const args = [
    '-c',
    'log.showSignature=false',
    'log',
    '--no-walk=unsorted',
    // Before --stdin: git reads its input when it comes to that option.
    ...(missing === 'skip' ? ['--ignore-missing'] : []),
    '--stdin',
    '-z',
    '--encoding=UTF-8',
    '--no-notes',
    '--no-color',
    format,
  ];
  const text = await gitText(place, args, { stdin: `${commits.join('\n')}\n` });
  if (!text.ok) return text;
  const fields = text.value.split('\0');
  for (let at = 0; at + 6 < fields.length; at += 7) {
    const [oid = '', tree = '', parents = '', time = '', authorName = '', authorEmail = '', subject = ''] =
      fields.slice(at, at + 7);
    infos.set(asOid(oid), {
      oid: asOid(oid),
      tree: asOid(tree),
      parents: parents.split(' ').filter(Boolean).map(asOid),
      authorTime: Number(time),
      authorName,
      authorEmail,
      subject,
    });
  }
  return ok(infos);
}

/** The branch that HEAD is on, without refs/heads/, also before its first commit; undefined when detached. */
export async function currentBranch(place: GitPlace): Promise<Result<string | undefined, GitError>> {
  const text = await gitText(place, ['symbolic-ref', '--quiet', 'HEAD'], { okCodes: [1] });
  if (!text.ok) return text;
  return ok(text.value.startsWith('refs/heads/') ? text.value.slice('refs/heads/'.length) : undefined);
}

/**
 * The remote's default branch as this clone knows it, without asking the network: its HEAD if `git clone` or
 * `git remote set-head` recorded it, else main or master if fetched. Undefined for a bare URL and an unfetched remote.
 */
export async function remoteDefaultBranch(
  place: GitPlace,
  remote: string,
): Promise<Result<string | undefined, GitError>> {
  const prefix = `refs/remotes/${remote}/`;
  const refs = await listRefs(
    place,
    ['HEAD', 'main', 'master'].map((name) => prefix + name),
  );
  if (!refs.ok) return refs;
  const target = refs.value.find((ref) => ref.name === `${prefix}HEAD`)?.target;
  if (target?.startsWith(prefix)) return ok(target.slice(prefix.length));
  return ok(['main', 'master'].find((name) => refs.value.some((ref) => ref.name === prefix + name)));
}

export interface Identity {
  readonly name: string;
  readonly email: string;
}

/** Who commits here by configuration or environment; undefined where git could only guess from the machine's accounts. */
export async function identity(place: GitPlace): Promise<Result<Identity | undefined, GitError>> {
  const text = await gitText(place, ['-c', 'user.useConfigOnly=true', 'var', 'GIT_COMMITTER_IDENT'], {
    okCodes: [128],
  });
  if (!text.ok) return text;
  const [, name, email] = /^(.*) <(.*)> \d+ [+-]\d+$/.exec(text.value) ?? [];
  return ok(name === undefined || email === undefined ? undefined : { name, email });
}
