import { isUtf8 } from 'node:buffer';
import { basename, dirname, join } from 'node:path';
import { err, ok, type Result } from '../base/result.ts';
import { scrubEnvironment } from './environment.ts';
import type { GitError } from './errors.ts';
import { gitFrom } from './spawn.ts';

export interface Repository {
  /** The worktree's root, without a trailing slash; undefined in a bare repository. */
  readonly top: string | undefined;
  readonly gitDir: string;
  /** Shared by all linked worktrees. */
  readonly commonDir: string;
  /** What we keep for this clone: shared by its worktrees, never in one. */
  readonly stateDir: string;
  readonly isShallow: boolean;
  readonly objectFormat: 'sha1' | 'sha256';
  readonly linkedWorktree: boolean;
  /** The user's environment without what git exports to hooks. */
  readonly env: NodeJS.ProcessEnv;
}

export type OpenError =
  | GitError
  /** githooks(5): a server's pre-receive hook; refs must not be written, and objects may yet vanish. */
  | { readonly reason: 'quarantine'; readonly path: string }
  /** Git older than 2.31 does not know an option that we need. */
  | { readonly reason: 'git-too-old'; readonly needs: string }
  | { readonly reason: 'path-not-utf8'; readonly path: string };

// rev-parse repeats an option that it does not know in its place: that parts paths that may contain newlines.
const separator = '--mlops-separator-5f0c';
const questions = [
  '--path-format=absolute',
  '--is-bare-repository',
  '--is-inside-work-tree',
  '--is-shallow-repository',
  '--show-object-format',
  separator,
  '--absolute-git-dir',
  separator,
  '--git-common-dir',
  separator,
  // Last: it is the one that fails outside a worktree, after the others have been answered.
  '--show-toplevel',
];

/** Finds the repository as git itself would from here (GIT_DIR of a hook included), with one process. */
export async function openRepository(cwd: string, env: NodeJS.ProcessEnv): Promise<Result<Repository, OpenError>> {
  if (env.GIT_QUARANTINE_PATH) return err({ reason: 'quarantine', path: env.GIT_QUARANTINE_PATH });
  const output = await gitFrom(cwd, env, ['rev-parse', ...questions]);
  const bytes = output.ok ? output.value.stdout : output.error.stdout;
  const [facts = '', gitDir, commonDir, top] = bytes.toString().split(`${separator}\n`);
  if (gitDir === undefined || commonDir === undefined || top === undefined) {
    // Without the facts there is no output at all; an old git repeats what it does not know.
    if (output.ok) return err({ reason: 'git-too-old', needs: '2.31' });
    const { stdout: _, ...error } = output.error;
    return err(error);
  }
  if (!isUtf8(bytes)) return err({ reason: 'path-not-utf8', path: bytes.toString('latin1') });
  const lines = facts.trimEnd().split('\n');
  const [bare, insideWorktree, shallow, format] = lines;
  if (lines.length !== 4 || facts.startsWith('--path-format') || (format !== 'sha1' && format !== 'sha256')) {
    return err({ reason: 'git-too-old', needs: '2.31' });
  }
  const found = { gitDir: gitDir.slice(0, -1), commonDir: commonDir.slice(0, -1) };
  // Called from within .git: the worktree is beside it.
  if (bare === 'false' && insideWorktree === 'false' && basename(found.gitDir) === '.git' && !env.GIT_WORK_TREE) {
    const { GIT_DIR: _, ...rest } = env;
    return openRepository(dirname(found.gitDir), rest);
  }
  return ok({
    ...found,
    top: insideWorktree === 'true' ? top.slice(0, -1) : undefined,
    stateDir: join(found.commonDir, 'mlops'),
    isShallow: shallow === 'true',
    objectFormat: format,
    linkedWorktree: found.gitDir !== found.commonDir,
    env: scrubEnvironment(env),
  });
}
