import { err, ok, type Result } from '../base/result.ts';
import { gitSettings } from './environment.ts';
import { classify, type GitError } from './errors.ts';
import type { Repository } from './repository.ts';

export interface WorktreeStatus {
  /** Changed against HEAD, at most as many as asked for, from the top. */
  readonly dirty: readonly string[];
  /** How many there are in all. */
  readonly count: number;
}

export interface StatusOptions {
  /** How many paths to name. */
  readonly max: number;
  /** Also files that git does not know: a walk over the whole worktree. */
  readonly untracked?: boolean;
}

// simple-git refuses to pass on what could run a program, even where it is the user's own; status needs none of it.
const notForStatus =
  /^(?:GIT_(?!CONFIG_(?:GLOBAL|SYSTEM|NOSYSTEM)$).*|(?:GIT_)?EDITOR|VISUAL|PAGER|PREFIX|SSH_ASKPASS)$/i;

/** What the worktree has that its commit has not. A bare repository is always clean. */
export async function worktreeStatus(
  repository: Repository,
  options: StatusOptions,
): Promise<Result<WorktreeStatus, GitError>> {
  if (repository.top === undefined) return ok({ dirty: [], count: 0 });
  // Loaded here: it takes about 50 ms, and a commit hook never asks.
  const { simpleGit } = await import('simple-git');
  const inherited = Object.entries(repository.env).filter(([name]) => !notForStatus.test(name));
  const own = { ...gitSettings, GIT_DIR: repository.gitDir, GIT_WORK_TREE: repository.top };
  const client = simpleGit({
    baseDir: repository.top,
    allowEnvironment: [...inherited.map(([name]) => name), ...Object.keys(own)],
    unsafe: { allowUnsafeConfigPaths: true },
  }).env(Object.fromEntries([...inherited, ...Object.entries(own)]));
  const args = [`--untracked-files=${options.untracked ? 'all' : 'no'}`];
  try {
    const { files } = await client.status(args);
    return ok({ dirty: files.slice(0, options.max).map(({ path }) => path), count: files.length });
  } catch (error) {
    const stderr = error instanceof Error ? error.message : String(error);
    return err({ reason: classify(stderr), args: ['status', ...args], code: null, stderr });
  }
}
