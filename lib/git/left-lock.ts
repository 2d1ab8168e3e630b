import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { GitError } from './errors.ts';
import type { Repository } from './repository.ts';

/** Git holds the lock of a ref for milliseconds, a hook of the user's included for seconds. */
const leftAfterSeconds = 10;

/**
 * The lock file that git could not make because it is there, if it has been there for long: a git that was killed leaves it, and no later
 * one takes it away. Neither do we, since nobody can tell it from that of a git which is only slow.
 */
export async function leftLock({ top, gitDir }: Repository, { stderr }: GitError): Promise<string | undefined> {
  const named = /Unable to create '([\s\S]*?\.lock)': File exists/.exec(stderr)?.[1];
  if (named === undefined) return undefined;
  const lock = resolve(top ?? gitDir, named);
  try {
    const { mtimeMs } = await stat(lock);
    return Date.now() - mtimeMs > leftAfterSeconds * 1000 ? lock : undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined; // Its owner has just ended.
    throw error;
  }
}
