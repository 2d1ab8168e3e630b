import { ok, type Result } from '../base/result.ts';
import type { GitError } from './errors.ts';
import type { Repository } from './repository.ts';
import { git, gitText } from './spawn.ts';

/** Shows the line of a verdict in `git log`. The glob keeps git quiet where there are no notes yet (git-notes(1), notes.displayRef). */
export const displayRef = { key: 'notes.displayRef', value: 'refs/notes/mlop[s]' } as const;

/**
 * Fetched with every `git fetch`. Forced, for the ref is a picture of refs/mlops/notes and nothing more; with a star, for an exact
 * name makes a fetch fail where the remote has none.
 */
export const fetchNotes = '+refs/notes/mlops*:refs/notes/mlops*';

export interface Setting {
  readonly key: string;
  readonly value: string;
  readonly outcome: 'set' | 'unchanged' | 'removed';
}

/** Adds a value to the clone's own config, unless it is there. Linked worktrees share it. */
export async function addSetting(
  repository: Repository,
  key: string,
  value: string,
): Promise<Result<Setting, GitError>> {
  const values = await settings(repository, key);
  if (!values.ok) return values;
  if (values.value.includes(value)) return ok({ key, value, outcome: 'unchanged' });
  const added = await git(repository, ['config', '--local', '--add', key, value]);
  return added.ok ? ok({ key, value, outcome: 'set' }) : added;
}

/** Makes it the only value. */
export async function setSetting(
  repository: Repository,
  key: string,
  value: string,
): Promise<Result<Setting, GitError>> {
  const values = await settings(repository, key);
  if (!values.ok) return values;
  if (values.value.length === 1 && values.value[0] === value) return ok({ key, value, outcome: 'unchanged' });
  const set = await git(repository, ['config', '--local', '--replace-all', key, value]);
  return set.ok ? ok({ key, value, outcome: 'set' }) : set;
}

/** Takes this one value away, or all of them; others of the key stay. Undefined: there was none. */
export async function removeSetting(
  repository: Repository,
  key: string,
  value?: string,
): Promise<Result<Setting | undefined, GitError>> {
  const values = await settings(repository, key);
  if (!values.ok) return values;
  const found = value === undefined ? values.value[0] : values.value.find((item) => item === value);
  if (found === undefined) return ok(undefined);
  const which = value === undefined ? [key] : ['--fixed-value', key, value];
  const removed = await git(repository, ['config', '--local', '--unset-all', ...which]);
  return removed.ok ? ok({ key, value: found, outcome: 'removed' }) : removed;
}

async function settings(repository: Repository, key: string): Promise<Result<readonly string[], GitError>> {
  const output = await git(repository, ['config', '--local', '--null', '--get-all', key], { okCodes: [1] });
  return output.ok ? ok(output.value.stdout.toString().split('\0').slice(0, -1)) : output;
}

export async function remotes(repository: Repository): Promise<Result<readonly string[], GitError>> {
  const output = await gitText(repository, ['remote']);
  return output.ok ? ok(output.value.split('\n').filter((name) => name !== '')) : output;
}

/** Where this clone's verdicts most likely come from: the upstream of the branch, else origin, else the only remote. */
export async function mainRemote(repository: Repository): Promise<Result<string | undefined, GitError>> {
  const names = await remotes(repository);
  if (!names.ok) return names;
  const branch = await gitText(repository, ['symbolic-ref', '--quiet', '--short', 'HEAD'], { okCodes: [1] });
  if (!branch.ok) return branch;
  const upstream = branch.value === '' ? ok([]) : await settings(repository, `branch.${branch.value}.remote`);
  if (!upstream.ok) return upstream;
  const known = upstream.value.find((name) => names.value.includes(name));
  const only = names.value.length === 1 ? names.value[0] : undefined;
  return ok(known ?? (names.value.includes('origin') ? 'origin' : only));
}
