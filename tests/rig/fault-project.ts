import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type FakeCommands, fakeCommands } from '../cluster/fake-commands.ts';
import { type CliProject, cliProject, type Started } from './cli.ts';
import type { SlurmCluster } from './slurm.ts';
import { type Sshd, startSshd } from './sshd.ts';
import { until } from './until.ts';

export type FaultProjectOptions = NonNullable<Parameters<typeof cliProject>[0]> & {
  /** Lines of `cluster.slurm`. */
  readonly slurm?: string;
  /** Not a folder of this test's, but this one. */
  readonly workdir?: string;
};

/** The tiny project with a login node, commands and a folder on the cluster of its own: what is done to it, nobody else sees. */
export interface FaultProject extends CliProject {
  readonly sshd: Sshd;
  readonly commands: FakeCommands;
  readonly workdir: string;
  /** States of all jobs that were ever submitted from here, oldest first: `COMPLETED`. */
  jobs(): Promise<readonly string[]>;
  /** Id of the newest job, once there is one. */
  job(): Promise<string>;
  /** The newest attempt's folder. */
  attempt(): Promise<string>;
  push(...args: readonly string[]): Started;
  /** The login node's command stops, where `when` is true of its arguments: before it does its work, or after. */
  pause(command: string, options?: { readonly when?: string; readonly after?: boolean }): Promise<Pause>;
  /** How often the login node's command was called. */
  counted(command: string): Promise<() => Promise<number>>;
}

export interface Pause {
  reached(): Promise<void>;
  go(): Promise<void>;
}

export async function faultProject(
  slurm: SlurmCluster,
  folder: string,
  options: FaultProjectOptions = {},
): Promise<FaultProject> {
  const closers: (() => Promise<unknown>)[] = [];
  const dispose = async () => {
    for (const close of closers.reverse()) await close();
  };
  try {
    const workdir = options.workdir ?? (await mkdtemp(join(folder, 'work-')));
    const commands = await fakeCommands();
    closers.push(async () => commands[Symbol.asyncDispose]());
    // What a site's login shell sets; /etc/profile would take any PATH of sshd's own away again.
    const home = await mkdtemp(join(folder, 'home-'));
    await writeFile(join(home, '.bash_profile'), `export PATH=${commands.folder}:$PATH:/usr/sbin:/sbin\n`);
    const sshd = await startSshd({ config: [`SetEnv SLURM_CONF=${slurm.env.SLURM_CONF} HOME=${home}`] });
    closers.push(async () => sshd[Symbol.asyncDispose]());
    const cluster = `cluster: { host: cluster, workdir: ${JSON.stringify(workdir)}, slurm: { ${options.slurm ?? ''} } }\n`;
    const project = await cliProject({
      ...options,
      config: cluster + (options.config ?? ''),
      env: { MLOPS_SSH_CONFIG: sshd.sshConfig, ...options.env },
    });
    closers.push(async () => project[Symbol.asyncDispose]());
    closers.push(async () => {
      const { stdout } = await slurm.run('squeue', '-h', '-o', '%A %Z');
      const mine = stdout.split('\n').filter((line) => line.includes(`${workdir}/`));
      if (mine.length > 0) await slurm.run('scancel', ...mine.map((line) => line.split(' ')[0] ?? ''));
    });
    const queue = async (format: string): Promise<string[]> => {
      const { stdout } = await slurm.run('squeue', '-h', '-a', '-t', 'all', '-S', 'i', '-o', `${format} %Z`);
      return stdout.split('\n').flatMap((line) => (line.includes(` ${workdir}/`) ? [line.split(' ')[0] ?? ''] : []));
    };
    return {
      ...project,
      sshd,
      commands,
      workdir,
      jobs: () => queue('%T'),
      async job() {
        await until(async () => (await queue('%A')).length > 0);
        return (await queue('%A')).at(-1) ?? '';
      },
      async attempt() {
        const [run = ''] = await readdir(join(workdir, 'runs'));
        const attempts = (await readdir(join(workdir, 'runs', run))).filter((name) => /^\d+$/.test(name)).sort();
        return join(workdir, 'runs', run, attempts.at(-1) ?? '');
      },
      push: (...args) => project.start('git', ['push', 'origin', ...(args.length === 0 ? ['main'] : args)]),
      async pause(command, { when = 'true', after = false } = {}) {
        const at = await mkdtemp(join(folder, 'pause-'));
        const wait = [`: >${at}/reached`, `while [ ! -e ${at}/go ]; do sleep 0.05; done`];
        await commands.put(
          command,
          // A job has the login node's PATH, and is not what shall stop.
          `{ [ -z "$SLURM_JOB_ID" ] && [ ! -e ${at}/reached ] && ${when}; } || exec "$real" "$@"`,
          ...(after ? ['"$real" "$@"', 'code=$?', ...wait, 'exit $code'] : [...wait, 'exec "$real" "$@"']),
        );
        return {
          reached: () => until(() => existsSync(join(at, 'reached')), 30),
          go: () => writeFile(join(at, 'go'), ''),
        };
      },
      async counted(command) {
        const at = await mkdtemp(join(folder, 'count-'));
        await commands.put(command, `echo "$(date +%s.%N) $*" >>${at}/calls`, 'exec "$real" "$@"');
        return async () => {
          const text = await readFile(join(at, 'calls'), 'utf8').catch(() => '');
          return text.split('\n').length - 1;
        };
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** As a power cut does it: git, the hook and the program at once. */
export async function killClient({ child, done }: Started): Promise<void> {
  if (child.pid === undefined) throw new Error('it did not start');
  process.kill(-child.pid, 'SIGKILL');
  await done;
}
