import { readFile, stat } from 'node:fs/promises';
import { isAbsolute, join, relative, resolve } from 'node:path';
import { err, ok, type Result } from '../base/result.ts';
import type { GitError } from './errors.ts';
import type { Repository } from './repository.ts';
import { git } from './spawn.ts';

/** Where this repository's hooks belong: one place, never two. */
export type HookPlace =
  /** Tracked files that husky starts. */
  | { readonly kind: 'husky'; readonly dir: string }
  /** Lefthook's own config, tracked too. */
  | { readonly kind: 'lefthook'; readonly file: string }
  /** A folder that core.hooksPath names: of this repository, or of this user for all repositories. */
  | { readonly kind: 'hooks-path'; readonly dir: string; readonly of: 'repository' | 'user' }
  | { readonly kind: 'git'; readonly dir: string };

export type HookPlaceError =
  | GitError
  /** core.hooksPath of the whole machine, or outside of what is this user's: not ours to change. */
  | { readonly reason: 'hooks-path-foreign'; readonly path: string; readonly scope: string };

export async function findHookPlace(
  repository: Repository,
  home: string | undefined,
): Promise<Result<HookPlace, HookPlaceError>> {
  const configured = await hooksPath(repository);
  if (!configured.ok) return configured;
  const { top } = repository;
  const setting = configured.value;
  if (top !== undefined && (await usesHusky(top, setting?.dir))) return ok({ kind: 'husky', dir: join(top, '.husky') });
  if (top !== undefined && setting === undefined) {
    const file = await lefthookConfig(top);
    if (file !== undefined) return ok({ kind: 'lefthook', file });
  }
  if (setting === undefined) {
    return ok({ kind: 'git', dir: gitHooks(repository) });
  }
  const { dir, scope } = setting;
  if (inside(repository.commonDir, dir)) return ok({ kind: 'git', dir });
  if (top !== undefined && inside(top, dir)) return ok({ kind: 'hooks-path', dir, of: 'repository' });
  if (scope !== 'system' && home !== undefined && inside(home, dir)) return ok({ kind: 'hooks-path', dir, of: 'user' });
  return err({ reason: 'hooks-path-foreign', path: dir, scope });
}

/** `.git/hooks`, shared by linked worktrees, whatever core.hooksPath says. */
export const gitHooks = (repository: Repository): string => join(repository.commonDir, 'hooks');

async function hooksPath(
  repository: Repository,
): Promise<Result<{ readonly dir: string; readonly scope: string } | undefined, GitError>> {
  // --type=path expands ~ (git-config(1)). NUL-separated: the scope, then the value.
  const args = ['config', '--show-scope', '--null', '--type=path', '--get', 'core.hooksPath'];
  const output = await git(repository, args, { okCodes: [1] });
  if (!output.ok) return output;
  const [scope = '', path = ''] = output.value.stdout.toString().split('\0');
  if (path === '') return ok(undefined);
  // githooks(5): relative to the folder where hooks run, which is the worktree's root, or the bare repository.
  const dir = isAbsolute(path) ? path : resolve(repository.top ?? repository.gitDir, path);
  return ok({ dir, scope });
}

/** husky 9 sets core.hooksPath to .husky/_, older ones to .husky; in a fresh clone it may not have run yet. */
async function usesHusky(top: string, dir: string | undefined): Promise<boolean> {
  const husky = join(top, '.husky');
  if (dir === husky || dir === join(husky, '_')) return true;
  if (dir !== undefined || !(await isDirectory(husky))) return false;
  const text = await readFile(join(top, 'package.json'), 'utf8').catch(() => '');
  return /"husky(?:"|\s)/.test(text);
}

const lefthookNames = ['lefthook', '.lefthook', '.config/lefthook'].flatMap((name) =>
  ['yml', 'yaml', 'json', 'toml'].map((ending) => `${name}.${ending}`),
);
export async function lefthookConfig(top: string): Promise<string | undefined> {
  for (const name of lefthookNames) {
    const file = join(top, name);
    if (
      await stat(file).then(
        (found) => found.isFile(),
        () => false,
      )
    )
      return file;
  }
  return undefined;
}

const isDirectory = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );

export function inside(parent: string, path: string): boolean {
  const way = relative(parent, path);
  return way === '' || (!way.startsWith('../') && way !== '..' && !isAbsolute(way));
}
