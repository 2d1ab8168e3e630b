import { ok, type Result } from '../base/result.ts';
import type { GitError } from './errors.ts';
import type { Repository } from './repository.ts';
import { type GitPlace, git } from './spawn.ts';

/**
 * All settings whose key begins with the prefix (`mlops.`), from every scope, the nearest last: all values of each key.
 * Keys as git gives them: section and name in lower case, what stands between as written.
 */
export async function readGitConfigAll(
  place: GitPlace,
  prefix: string,
): Promise<Result<ReadonlyMap<string, readonly string[]>, GitError>> {
  const pattern = `^${prefix.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}`;
  const output = await git(place, ['config', '-z', '--get-regexp', pattern], { okCodes: [1] });
  if (!output.ok) return output;
  const values = new Map<string, string[]>();
  for (const record of output.value.stdout.toString().split('\0')) {
    if (record === '') continue;
    const newline = record.indexOf('\n');
    const key = newline < 0 ? record : record.slice(0, newline);
    // A name without `=` is true (git-config(1), SYNTAX).
    const value = newline < 0 ? 'true' : record.slice(newline + 1);
    values.set(key, [...(values.get(key) ?? []), value]);
  }
  return ok(values);
}

/** The same with the one value that counts: the last. */
export async function readGitConfig(
  place: GitPlace,
  prefix: string,
): Promise<Result<ReadonlyMap<string, string>, GitError>> {
  const all = await readGitConfigAll(place, prefix);
  return all.ok ? ok(new Map([...all.value].map(([key, values]) => [key, values.at(-1) ?? '']))) : all;
}

type Settings = Promise<Result<ReadonlyMap<string, string>, GitError>>;
const asked = new WeakMap<Repository, Settings>();

/** All keys that are ours (`mlops.*`), asked once for a repository that is open: a hook looks at them in several places. */
export function ownSettings(repo: Repository): Settings {
  const known = asked.get(repo) ?? readGitConfig(repo, 'mlops.');
  asked.set(repo, known);
  return known;
}

/** Sets a key of this clone (all its worktrees), in place of any values it has. */
export async function setGitConfig(place: GitPlace, key: string, value: string): Promise<Result<void, GitError>> {
  return nothing(await git(place, ['config', '--local', '--replace-all', key, value]));
}

/** Adds one value to a key that may have several, unless it is there. */
export async function addGitConfig(place: GitPlace, key: string, value: string): Promise<Result<void, GitError>> {
  const there = await git(place, ['config', '--local', '--fixed-value', '--get-all', key, value], { okCodes: [1] });
  if (!there.ok || there.value.code === 0) return nothing(there);
  return nothing(await git(place, ['config', '--local', '--add', key, value]));
}

/** Takes away a key of this clone, or only one of its values. What is not there is no error (exit 5). */
export async function unsetGitConfig(place: GitPlace, key: string, value?: string): Promise<Result<void, GitError>> {
  const which = value === undefined ? ['--unset-all', key] : ['--fixed-value', '--unset-all', key, value];
  return nothing(await git(place, ['config', '--local', ...which], { okCodes: [5] }));
}

const nothing = <T>(result: Result<T, GitError>): Result<void, GitError> => (result.ok ? ok(undefined) : result);
