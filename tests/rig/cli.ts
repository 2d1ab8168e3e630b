import { type ChildProcess, spawn } from 'node:child_process';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { shellQuote } from '../../lib/base/shell-quote.ts';
import { pythonEnvironment } from './python.ts';
import {
  type RepositoryOptions,
  type Run,
  type RunOptions,
  run,
  type TestRepository,
  temporaryRepository,
} from './repository.ts';
import { type TinyOptions, tinyNotebook, writeTinyProject } from './tiny-project.ts';

export interface CliProjectOptions extends RepositoryOptions, Partial<Omit<TinyOptions, 'tally'>> {
  /** More environment for everything that is run here: SLURM_CONF, MLOPS_SSH_CONFIG. */
  readonly env?: NodeJS.ProcessEnv;
  /** False: the program is on PATH, `mlops init` has not been called, nothing is committed. */
  readonly init?: boolean;
}

/** A repository with the tiny project, a bare remote, and the installed program on PATH; `await using` ends everything. */
export interface CliProject extends AsyncDisposable {
  readonly repository: TestRepository;
  readonly remote: string;
  readonly env: NodeJS.ProcessEnv;
  mlops(args: readonly string[], options?: RunOptions): Promise<Run>;
  git(args: readonly string[], options?: RunOptions): Promise<Run>;
  /** Starts a program and does not wait: to be killed, or to run beside another. */
  start(file: string, args: readonly string[], options?: RunOptions): Started;
  /** Writes the notebook anew, so that its score is this. */
  quality(quality: number): Promise<void>;
  /** Adds everything and commits with hooks; a failing commit throws. */
  commit(message: string): Promise<Run>;
  /** How often the notebook has really been run, whoever asked for it. */
  trainings(): Promise<number>;
  /** Until `release`, trainings wait in the middle. */
  hold(): Promise<void>;
  release(): Promise<void>;
  /** Settles when that many trainings have begun. */
  training(count: number): Promise<void>;
  /** A clone of the remote with the verdicts' refspecs as `mlops init` sets them. */
  secondClone(): Promise<TestRepository>;
}

export interface Started {
  readonly child: ChildProcess;
  readonly done: Promise<Run>;
  output(): string;
}

/** Set by tests/rig/install-program.js, once for all suites: where `npm install -g` has put the packed program. */
function programFolder(): string {
  const folder = process.env.MLOPS_TEST_BIN;
  if (folder === undefined) throw new Error('MLOPS_TEST_BIN is not set: the suite needs tests/rig/install-program.js');
  return folder;
}

export async function cliProject(options: CliProjectOptions = {}): Promise<CliProject> {
  const repository = await temporaryRepository(options);
  const tally = join(repository.root, 'tally');
  const bin = join(repository.root, 'bin');
  await writeFile(tally, '');
  await mkdir(bin);
  await writeFile(join(bin, 'mlops'), `#!/bin/sh\nexec ${shellQuote(join(programFolder(), 'mlops'))} "$@"\n`);
  await chmod(join(bin, 'mlops'), 0o755);
  const env = { ...repository.env, NO_COLOR: '1', ...options.env, PATH: `${bin}:${repository.env.PATH}` };
  const prefix = options.prefix ?? (await pythonEnvironment());
  const tiny = { ...options, prefix, tally };
  await writeTinyProject(repository, tiny);
  const remote = await repository.remote();
  const at =
    (file: string) =>
    (args: readonly string[], more: RunOptions = {}) =>
      run(file, args, { cwd: repository.dir, ...more, env: { ...env, ...more.env } });
  const mlops = at(join(bin, 'mlops'));
  const git = at('git');
  const trainings = async () => (await readFile(tally, 'utf8')).split('\n').length - 1;
  const project: CliProject = {
    repository,
    remote,
    env,
    mlops,
    git,
    start(file, args, more = {}) {
      const child = spawn(file, args, {
        cwd: more.cwd ?? repository.dir,
        env: { ...env, ...more.env },
        stdio: ['ignore', 'pipe', 'pipe'],
        // A group of its own, so that the test can kill it as a closed terminal does: git, the hook and the program together.
        detached: true,
      });
      return { child, ...gather(child) };
    },
    quality: (quality) => repository.write('train.ipynb', tinyNotebook({ quality, tally })),
    async commit(message) {
      const added = await git(['add', '--all']);
      const made = await git(['commit', '--quiet', '--message', message]);
      if (added.code !== 0 || made.code !== 0) throw new Error(`git commit: ${added.stderr}${made.stderr}`);
      return made;
    },
    trainings,
    hold: () => writeFile(`${tally}.hold`, ''),
    release: () => rm(`${tally}.hold`, { force: true }),
    async training(count) {
      const until = Date.now() + 120_000;
      while ((await trainings()) < count) {
        if (Date.now() > until) throw new Error(`no ${count} trainings after two minutes`);
        await sleep(50);
      }
    },
    async secondClone() {
      const clone = await repository.clone(remote);
      // The init of the colleague, by hand: config and hooks come with the repository's own init.
      const done = await run(join(bin, 'mlops'), ['init', '--yes'], { cwd: clone.dir, env });
      if (done.code !== 0) throw new Error(`mlops init: ${done.stderr}`);
      await clone.git('fetch', '--quiet');
      return clone;
    },
    async [Symbol.asyncDispose]() {
      await rm(`${tally}.hold`, { force: true });
      await endProcesses(repository.home);
      await repository[Symbol.asyncDispose]();
    },
  };
  if (options.init === false) return project;
  const init = await mlops(['init', '--yes']);
  if (init.code !== 0) throw new Error(`mlops init: ${init.stdout}${init.stderr}`);
  await project.commit('A tiny project');
  return project;
}

function gather(child: ChildProcess): Pick<Started, 'done' | 'output'> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const done = new Promise<Run>((resolve, reject) => {
    child.once('error', reject);
    // Not `close`: what the program left behind must not keep the pipe, and so the test, waiting.
    child.once('exit', (code) => resolve({ code: code ?? 137, stdout, stderr }));
  });
  return { done, output: () => stdout + stderr };
}

/** What still runs with this test's home is this test's: a job on this machine outlives the push that started it. */
async function endProcesses(home: string): Promise<void> {
  const pids = (await readdir('/proc').catch(() => [])).map(Number).filter((pid) => pid > 1 && pid !== process.pid);
  for (const pid of pids) {
    // A process may end while it is looked at.
    const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
    if (!environment.split('\0').includes(`HOME=${home}`)) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
