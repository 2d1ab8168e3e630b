import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { statSync } from 'node:fs';
import { PassThrough, Readable, type Writable } from 'node:stream';
import { err, ok, type Result } from '../base/result.ts';
import { gitSettings } from './environment.ts';
import { classify, type GitError } from './errors.ts';

/** Where a git process runs. A Repository is one. */
export interface GitPlace {
  readonly gitDir: string;
  /** The worktree's root; undefined in a bare repository. */
  readonly top: string | undefined;
  /** Already scrubbed. */
  readonly env: NodeJS.ProcessEnv;
}

export interface GitOptions {
  readonly stdin?: string | Uint8Array;
  readonly signal?: AbortSignal;
  /** Exit codes that are answers, besides 0: 1 of `merge-base` says "none". */
  readonly okCodes?: readonly number[];
  readonly env?: NodeJS.ProcessEnv;
}

export interface GitOutput {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface GitProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Settles after the process has ended and its output has been read. */
  readonly done: Promise<Result<{ readonly code: number; readonly stderr: string }, GitError>>;
}

/** Runs git to its end and gives what it said. */
export async function git(
  place: GitPlace,
  args: readonly string[],
  options: GitOptions = {},
): Promise<Result<GitOutput, GitError>> {
  const process = gitStream(place, args, options);
  const stdout: Buffer[] = [];
  process.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
  process.stdin.end(options.stdin ?? '');
  const done = await process.done;
  return done.ok ? ok({ ...done.value, stdout: Buffer.concat(stdout) }) : done;
}

/** The same for output that is one line or a short text: without the last newline. */
export async function gitText(
  place: GitPlace,
  args: readonly string[],
  options: GitOptions = {},
): Promise<Result<string, GitError>> {
  const output = await git(place, args, options);
  return output.ok ? ok(output.value.stdout.toString().replace(/\n$/, '')) : output;
}

/** Input open until it is ended, output as it comes. The reader must read to the end, or `done` never settles. */
export function gitStream(
  place: GitPlace,
  args: readonly string[],
  options: Omit<GitOptions, 'stdin'> = {},
): GitProcess {
  // Named by the environment, not found from the folder: the two differ in a hook, with GIT_DIR, and with core.worktree.
  const where: NodeJS.ProcessEnv = {
    GIT_DIR: place.gitDir,
    ...(place.top === undefined ? {} : { GIT_WORK_TREE: place.top }),
  };
  return start(place.top ?? place.gitDir, args, { ...place.env, ...gitSettings, ...where, ...options.env }, options);
}

/** Before the repository is known: git looks for it, from this folder and this environment. */
export async function gitFrom(
  cwd: string,
  env: NodeJS.ProcessEnv,
  args: readonly string[],
): Promise<Result<GitOutput, GitError & { readonly stdout: Buffer }>> {
  const process = start(cwd, args, { ...env, ...gitSettings }, {});
  const chunks: Buffer[] = [];
  process.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  process.stdin.end();
  const done = await process.done;
  const stdout = Buffer.concat(chunks);
  return done.ok ? ok({ ...done.value, stdout }) : err({ ...done.error, stdout });
}

/** Enough of standard error for any message; a server's hook may say megabytes. */
const stderrLimit = 64 * 1024;

function start(
  cwd: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
  options: Omit<GitOptions, 'stdin'>,
): GitProcess {
  // ENOENT is said of the program and of the working directory alike; ENOTDIR where either leads through a file.
  const notStarted = ({ code, message }: NodeJS.ErrnoException): Result<never, GitError> => {
    const isThere = statSync(cwd, { throwIfNoEntry: false })?.isDirectory() === true;
    const reason = code !== 'ENOENT' && code !== 'ENOTDIR' ? 'other' : isThere ? 'no-git' : 'not-a-repository';
    return err({ reason, args, code: null, stderr: message });
  };
  let child: ChildProcessWithoutNullStreams;
  try {
    child = spawn('git', args, { cwd, env, stdio: 'pipe', windowsHide: true });
  } catch (error) {
    // Of some errors (ENOTDIR, E2BIG) node tells by throwing.
    const failure = error as NodeJS.ErrnoException;
    if (failure.code === undefined) throw error;
    return { stdin: new PassThrough().resume(), stdout: Readable.from([]), done: Promise.resolve(notStarted(failure)) };
  }
  let stderr = '';
  let aborted = false;
  const abort = () => {
    aborted = true;
    child.kill();
  };
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-stderrLimit);
  });
  // git may end before it has read everything (a bad option, a full disk): its exit code and words tell why.
  child.stdin.on('error', () => {});
  if (options.signal?.aborted) abort();
  options.signal?.addEventListener('abort', abort, { once: true });

  const done = new Promise<Result<{ code: number; stderr: string }, GitError>>((resolve) => {
    const failed = (reason: GitError['reason'], code: number | null, words: string) =>
      resolve(err({ reason, args, code, stderr: words }));
    child.on('error', (error: NodeJS.ErrnoException) => resolve(notStarted(error)));
    child.on('close', (code) => {
      options.signal?.removeEventListener('abort', abort);
      if (aborted) failed('aborted', code, stderr);
      else if (code !== null && (code === 0 || options.okCodes?.includes(code))) resolve(ok({ code, stderr }));
      else failed(classify(stderr), code, stderr);
    });
  });
  return { stdin: child.stdin, stdout: child.stdout, done };
}
