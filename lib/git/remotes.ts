import { ok, type Result } from '../base/result.ts';
import { readGitConfig } from './config-values.ts';
import type { GitError } from './errors.ts';
import { type GitPlace, gitText } from './spawn.ts';

/** The names of the configured remotes. */
export async function listRemotes(place: GitPlace): Promise<Result<readonly string[], GitError>> {
  const text = await gitText(place, ['remote']);
  return text.ok ? ok(text.value.split('\n').filter(Boolean)) : text;
}

/**
 * Where a plain `git push` of this branch goes (git-config(1), branch.NAME.pushRemote): a remote's name or a URL.
 * Undefined where git would not know either.
 */
export async function pushRemote(
  place: GitPlace,
  branch: string | undefined,
): Promise<Result<string | undefined, GitError>> {
  const branches =
    branch === undefined ? ok(new Map<string, string>()) : await readGitConfig(place, `branch.${branch}.`);
  if (!branches.ok) return branches;
  const fallback = await readGitConfig(place, 'remote.pushdefault');
  if (!fallback.ok) return fallback;
  const configured =
    branches.value.get(`branch.${branch}.pushremote`) ??
    fallback.value.get('remote.pushdefault') ??
    branches.value.get(`branch.${branch}.remote`);
  if (configured !== undefined) return ok(configured);
  const remotes = await listRemotes(place);
  if (!remotes.ok) return remotes;
  // remote.c: origin, or the only one there is.
  return ok(
    remotes.value.includes('origin') || remotes.value.length !== 1
      ? remotes.value.find((name) => name === 'origin')
      : remotes.value[0],
  );
}
