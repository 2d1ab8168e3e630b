import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Run, run } from './repository.ts';
import { program, type Requirement } from './requirements.ts';
import { slurmConf, slurmdbdConf } from './slurm-conf.ts';

export interface SlurmClusterOptions {
  /** False: AccountingStorageType=accounting_storage/none, as on many small clusters. Default true. */
  readonly accounting?: boolean;
  /** Seconds until slurmctld forgets an ended job. Default 300, as Slurm's own. */
  readonly minJobAge?: number;
  /** Further lines of slurm.conf. */
  readonly conf?: readonly string[];
  /** Users known to the accounting, beside root, in the account `proj`. */
  readonly users?: readonly string[];
}

export type Daemon = 'munged' | 'mariadbd' | 'slurmdbd' | 'slurmctld' | 'c1' | 'c2';

export const slurmNeeds: readonly Requirement[] = [
  { name: 'root', missing: () => (process.getuid?.() === 0 ? undefined : 'only root can start a Slurm') },
  program('slurmctld', 'slurm-wlm'),
  program('slurmdbd', 'slurmdbd'),
  program('munged', 'munge'),
  program('mariadbd', 'mariadb-server'),
];

/** A real Slurm on this machine: two nodes c1 and c2 (4 CPUs, 10000 MB each), partitions main (default), short (10 minutes) and down. */
export interface SlurmCluster extends AsyncDisposable {
  readonly dir: string;
  /** What a process needs to use it: SLURM_CONF. */
  readonly env: { readonly SLURM_CONF: string };
  /** Runs one of Slurm's commands (or anything else) with that environment. */
  run(file: string, ...args: string[]): Promise<Run>;
  stop(daemon: Daemon): Promise<void>;
  start(daemon: Daemon): Promise<void>;
}

const startSeconds = 60;
// A node that has not registered yet is idle too, but with a `*`.
const up = 'case "$(sinfo -h -n "$1" -p main -o %T)" in idle | mixed | allocated) ;; *) exit 1 ;; esac';

export async function slurmCluster(options: SlurmClusterOptions = {}): Promise<SlurmCluster> {
  // Short, because a socket's path has at most 107 bytes; readable by all, because ordinary users submit too.
  const dir = await mkdtemp(join(tmpdir(), 'slurm-'));
  await chmod(dir, 0o755);
  const guard = guardian(dir);
  const accounting = options.accounting ?? true;
  const ports = await freePorts(5);
  const env = { SLURM_CONF: join(dir, 'slurm.conf') };
  const all = { ...process.env, ...env, PATH: `${process.env.PATH ?? '/usr/bin:/bin'}:/usr/sbin:/sbin` };
  const files = {
    dir,
    host: hostname().split('.')[0] ?? 'localhost',
    ports: { ctld: ports[0], c1: ports[1], c2: ports[2], dbd: ports[3], sql: ports[4] },
    accounting,
    minJobAge: options.minJobAge ?? 300,
    extra: options.conf ?? [],
  };
  for (const folder of ['ctld', 'c1', 'c2', 'munge', 'log']) await mkdir(join(dir, folder), { mode: 0o755 });
  await writeFile(join(dir, 'munge/key'), randomBytes(1024), { mode: 0o600 });
  await writeFile(env.SLURM_CONF, slurmConf(files), { mode: 0o644 });

  const children = new Map<Daemon, { readonly pid: number; readonly ended: Promise<void> }>();
  const commands: Record<Daemon, readonly [string, ...string[]]> = {
    munged: [
      'munged',
      '--foreground',
      '--force',
      ...['key', 'pid', 'log', 'seed'].map((it) => `--${it}-file=${join(dir, 'munge', it)}`),
      `--socket=${join(dir, 'munge/socket')}`,
    ],
    mariadbd: [
      'mariadbd',
      '--no-defaults',
      '--user=root',
      `--datadir=${join(dir, 'sql')}`,
      // At its start it removes every temporary table that it finds, those of another test's in /tmp too.
      `--tmpdir=${dir}`,
      `--socket=${join(dir, 'sql.socket')}`,
      `--pid-file=${join(dir, 'sql.pid')}`,
      '--bind-address=127.0.0.1',
      `--port=${files.ports.sql}`,
      '--innodb-log-file-size=16M',
      // Nothing here outlives the tests.
      '--innodb-flush-log-at-trx-commit=0',
    ],
    slurmdbd: ['slurmdbd', '-D'],
    slurmctld: ['slurmctld', '-D'],
    c1: ['slurmd', '-D', '-N', 'c1'],
    c2: ['slurmd', '-D', '-N', 'c2'],
  };
  const ready: Record<Daemon, readonly [string, ...string[]]> = {
    munged: ['munge', '-n', '-S', join(dir, 'munge/socket')],
    mariadbd: ['mariadb', '--no-defaults', '-u', 'root', '-S', join(dir, 'sql.socket'), '-e', 'select 1'],
    slurmdbd: ['sacctmgr', '-n', 'list', 'cluster'],
    slurmctld: ['scontrol', '-o', 'show', 'partition', 'main'],
    c1: ['sh', '-c', up, 'sh', 'c1'],
    c2: ['sh', '-c', up, 'sh', 'c2'],
  };

  const command = (file: string, ...args: string[]) => run(file, args, { env: all });
  const succeed = async (file: string, ...args: string[]) => {
    const done = await command(file, ...args);
    if (done.code !== 0) throw new Error(`${file} ${args.join(' ')}: exit ${done.code}\n${done.stdout}${done.stderr}`);
    return done;
  };
  const launch = async (daemon: Daemon) => {
    const [file, ...args] = commands[daemon];
    // Output goes to a file through sh: a pipe that nobody reads would stop the daemon.
    const child = spawn('sh', ['-c', 'exec "$@" >>"$0" 2>&1', join(dir, 'log', `${daemon}.out`), file, ...args], {
      env: all,
      stdio: 'ignore',
      detached: true,
    });
    const { pid } = child;
    if (pid === undefined) throw new Error(`cannot start ${file}`);
    children.set(daemon, { pid, ended: new Promise((resolve) => child.once('exit', () => resolve())) });
  };
  const isReady = async (daemon: Daemon) => {
    const [file, ...args] = ready[daemon];
    for (let waited = 0; waited < startSeconds * 10; waited++) {
      if ((await command(file, ...args)).code === 0) return;
      await sleep(100);
    }
    const log = await readFile(join(dir, 'log', `${daemon}.out`), 'utf8').catch((error: Error) => error.message);
    throw new Error(`${daemon} is not ready after ${startSeconds} s:\n${log.slice(-4000)}`);
  };
  const start = async (daemon: Daemon) => {
    await launch(daemon);
    await isReady(daemon);
  };
  const stop = async (daemon: Daemon) => {
    const child = children.get(daemon);
    if (child === undefined) return;
    children.delete(daemon);
    kill(child.pid, 'SIGTERM');
    const late = setTimeout(() => kill(child.pid, 'SIGKILL'), 8000);
    await child.ended;
    clearTimeout(late);
  };
  const dispose = async () => {
    // Only what carries our SLURM_CONF is ours: job steps outlive slurmd, which starts them in sessions of their own.
    for (const daemon of ['slurmctld', 'c1', 'c2', 'slurmdbd', 'mariadbd', 'munged'] as const) await stop(daemon);
    for (const pid of await ours(env.SLURM_CONF)) kill(pid, 'SIGKILL');
    await rm(dir, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    guard.release();
  };

  try {
    await start('munged');
    if (accounting) {
      await writeFile(join(dir, 'slurmdbd.conf'), slurmdbdConf(files), { mode: 0o600 });
      await succeed(
        'mariadb-install-db',
        '--no-defaults',
        '--user=root',
        '--skip-test-db',
        '--auth-root-authentication-method=normal',
        '--innodb-log-file-size=16M',
        `--tmpdir=${dir}`,
        `--datadir=${join(dir, 'sql')}`,
      );
      await start('mariadbd');
      const grant =
        "create database acct; create user slurm@'127.0.0.1' identified by 'slurm'; grant all on acct.* to slurm@'127.0.0.1'";
      await succeed('mariadb', '--no-defaults', '-u', 'root', '-S', join(dir, 'sql.socket'), '-e', grant);
      await start('slurmdbd');
      await succeed('sacctmgr', '-i', 'add', 'cluster', 'rig');
      await succeed('sacctmgr', '-i', 'add', 'account', 'proj', 'cluster=rig');
      await succeed('sacctmgr', '-i', 'add', 'user', ['root', ...(options.users ?? [])].join(','), 'account=proj');
    }
    await launch('c1');
    await launch('c2');
    await start('slurmctld');
    await isReady('c1');
    await isReady('c2');
  } catch (error) {
    await dispose();
    throw error;
  }
  return { dir, env, run: command, start, stop, [Symbol.asyncDispose]: dispose };
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function ours(conf: string): Promise<number[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 1 && pid !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      // A process may end while it is looked at.
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '');
      return environment.split('\0').includes(`SLURM_CONF=${conf}`) ? [pid] : [];
    }),
  );
  return found.flat();
}

/** Ports that were free a moment ago, all different. */
async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<Server>((resolve, reject) => {
          const server = createServer();
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    return address.port;
  });
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

/** If this process is killed, nobody calls dispose: a shell that reads from us ends the daemons when we are gone. */
function guardian(dir: string): { release(): void } {
  const script = `cat >/dev/null
test -d "$1" || exit 0
for environ in /proc/[0-9]*/environ; do
  pid=\${environ#/proc/}; pid=\${pid%/environ}
  test "$pid" != $$ && tr '\\0' '\\n' <"$environ" 2>/dev/null | grep -qxF "SLURM_CONF=$1/slurm.conf" && kill -KILL "$pid"
done
rm -rf "$1"`;
  const child = spawn('sh', ['-c', script, 'sh', dir], { stdio: ['pipe', 'ignore', 'ignore'], detached: true });
  child.unref();
  return { release: () => child.stdin.end() };
}
