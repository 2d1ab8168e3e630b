import { spawn } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { asOid, type Oid } from '../../lib/base/ids.ts';

export interface RepositoryOptions {
  readonly objectFormat?: 'sha1' | 'sha256';
  /** The folder's name: may have spaces, quotes, newlines, unicode. */
  readonly name?: string;
  readonly bare?: boolean;
  /** False: no user.name and user.email anywhere. */
  readonly identity?: boolean;
}

export interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}
export interface RunOptions {
  readonly stdin?: string | Uint8Array;
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** Runs a program to its end and gives everything it said; a signal counts as 128 + 9, as a shell would say of a kill. */
export function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { cwd: options.cwd, env: options.env, stdio: 'pipe' });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (code) =>
      resolve({
        code: code ?? 137,
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      }),
    );
    // A program may end without reading its input (a hook that refuses): the exit status tells, not the pipe.
    child.stdin.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE' && error.code !== 'ECONNRESET') reject(error);
    });
    child.stdin.end(options.stdin ?? '');
  });
}

/** A real repository in a temporary folder with a home of its own; `await using` takes everything away, clones too. */
export interface TestRepository extends AsyncDisposable {
  /** Holds the repository, its home, its remotes and clones; deleted at the end. */
  readonly root: string;
  /** The repository itself. */
  readonly dir: string;
  readonly home: string;
  /** The whole environment for anything run here: nothing of the tester's own git configuration comes in. */
  readonly env: NodeJS.ProcessEnv;
  /** Standard output without its last newline; throws with git's words if git fails. */
  git(...args: string[]): Promise<string>;
  /** The same without throwing, with input and more environment. */
  tryGit(args: readonly string[], options?: RunOptions): Promise<Run>;
  /** Writes a file of the worktree, and its folders. */
  write(path: string, content: string | Uint8Array, mode?: number): Promise<void>;
  read(path: string): Promise<string>;
  remove(path: string): Promise<void>;
  /** Adds everything and commits (hooks run as usual); an empty commit is one too. */
  commit(message?: string): Promise<Oid>;
  /** A new bare repository, added as this remote. Gives its folder. */
  remote(name?: string): Promise<string>;
  /** A clone of `from` (this repository if left out) in the same sandbox, with the same home. */
  clone(from?: string, args?: readonly string[]): Promise<TestRepository>;
  /** A linked worktree on a new branch of that name. */
  worktree(branch: string): Promise<TestRepository>;
}

/** Exactly what git, hooks and programs need: `npm test` may itself run inside a hook, with GIT_DIR set. */
function sandboxEnv(home: string): NodeJS.ProcessEnv {
  return {
    PATH: process.env.PATH,
    // Where pyenv serves python3, its shims look for the versions here or in the home, which is another one now.
    ...(process.env.PYENV_ROOT === undefined ? {} : { PYENV_ROOT: process.env.PYENV_ROOT }),
    TMPDIR: tmpdir(),
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    XDG_CACHE_HOME: join(home, '.cache'),
    XDG_DATA_HOME: join(home, '.local/share'),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: join(home, '.gitconfig'),
    GIT_TERMINAL_PROMPT: '0',
    LC_ALL: 'C.UTF-8',
    TZ: 'UTC',
  };
}

// gc.auto and maintenance.auto: git would leave a background process that outlives the folder.
const gitconfig = (identity: boolean) =>
  `${identity ? '[user]\n\tname = Ada Tester\n\temail = ada@example.org\n' : '[user]\n\tuseConfigOnly = true\n'}` +
  '[init]\n\tdefaultBranch = main\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n' +
  '[receive]\n\tautogc = false\n[advice]\n\tdetachedHead = false\n[protocol "file"]\n\tallow = always\n';

export async function temporaryRepository(options: RepositoryOptions = {}): Promise<TestRepository> {
  const root = await realpath(await mkdtemp(join(tmpdir(), 'mlops-repository-')));
  const home = join(root, 'home');
  await mkdir(home);
  await writeFile(join(home, '.gitconfig'), gitconfig(options.identity ?? true));
  const dir = join(root, options.name ?? 'work');
  const repository = at(root, home, dir, () => removeTree(root));
  const format = `--object-format=${options.objectFormat ?? 'sha1'}`;
  await mkdir(dir);
  await repository.git('init', '--quiet', format, ...(options.bare ? ['--bare'] : []));
  return repository;
}

/** Folders that a test has made read-only must not outlive it. */
async function removeTree(root: string): Promise<void> {
  await run('chmod', ['-R', 'u+rwX', root]);
  await rm(root, { recursive: true, force: true, maxRetries: 5 });
}

function at(root: string, home: string, dir: string, dispose: () => Promise<void>): TestRepository {
  const env = sandboxEnv(home);
  const tryGit = (args: readonly string[], options: RunOptions = {}) =>
    run('git', args, { cwd: dir, ...options, env: { ...env, ...options.env } });
  const git = async (...args: string[]) => {
    const { code, stdout, stderr } = await tryGit(args);
    if (code !== 0) throw new Error(`git ${args.join(' ')} exited ${code} in ${dir}: ${stderr}`);
    return stdout.replace(/\n$/, '');
  };
  const fresh = async (name: string) => mkdtemp(join(root, `${name}-`));
  return {
    root,
    dir,
    home,
    env,
    git,
    tryGit,
    async write(path, content, mode) {
      await mkdir(dirname(join(dir, path)), { recursive: true });
      await writeFile(join(dir, path), content);
      if (mode !== undefined) await chmod(join(dir, path), mode);
    },
    read: (path) => readFile(join(dir, path), 'utf8'),
    remove: (path) => rm(join(dir, path), { recursive: true, force: true }),
    async commit(message = 'A commit') {
      await git('add', '--all');
      await git('commit', '--quiet', '--allow-empty', '--message', message);
      return asOid(await git('rev-parse', 'HEAD'));
    },
    async remote(name = 'origin') {
      const bare = await fresh(`${name}.git`);
      const format = await git('rev-parse', '--show-object-format');
      await git('init', '--quiet', '--bare', `--object-format=${format}`, bare);
      await git('remote', 'add', name, bare);
      return bare;
    },
    async clone(from = dir, args = []) {
      const target = await fresh('clone');
      await git('clone', '--quiet', ...args, from, target);
      return at(root, home, target, async () => {});
    },
    async worktree(branch) {
      const target = join(await fresh('worktree'), 'tree');
      await git('worktree', 'add', '--quiet', '-b', branch, target);
      return at(root, home, target, async () => {});
    },
    [Symbol.asyncDispose]: dispose,
  };
}
