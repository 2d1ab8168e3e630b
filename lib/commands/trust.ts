import type { Result } from '../base/result.ts';
import { err, ok } from '../base/result.ts';
import { ownSettings, setGitConfig } from '../git/config-values.ts';
import type { GitError } from '../git/errors.ts';
import type { Repository } from '../git/repository.ts';

const key = 'mlops.trusted';

/**
 * A cloned repository must not contact hosts or run steps by itself: a hook goes on only where the user has agreed once in this clone,
 * by `mlops init`, by `mlops trust`, or by answering yes.
 */
export async function isTrusted(repo: Repository): Promise<Result<boolean, GitError>> {
  const values = await ownSettings(repo);
  return values.ok ? ok(values.value.get(key) === 'true') : values;
}

export async function trust(repo: Repository): Promise<Result<void, GitError>> {
  const set = await setGitConfig(repo, key, 'true');
  return set.ok ? ok(undefined) : err(set.error);
}
