import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { oneTimeCodes } from './one-time-codes.ts';
import { run } from './repository.ts';
import { findProgram } from './requirements.ts';

export interface SshdOptions {
  /** Shown before authentication. */
  readonly banner?: string;
  /** An ordinary user made for this rig, with a home of its own (needs root). Absent: whoever runs the tests logs in. */
  readonly account?: {
    readonly shell?: string;
    readonly home?: Readonly<Record<string, string>>;
    /** Unix groups beside its own. */
    readonly groups?: readonly string[];
  };
  readonly maxSessions?: number;
  /** More lines of sshd_config. */
  readonly config?: readonly string[];
  /** Called with the keys made and the server not started yet; gives lines of sshd_config that go before all others, and win. */
  readonly prepare?: (folders: { readonly server: string; readonly client: string }) => Promise<readonly string[]>;
  /** A second factor besides the key: each of these codes works once (PAM; needs root). */
  readonly oneTimeCodes?: readonly string[];
  /** More lines of the client's ssh_config, inside `Host cluster`. */
  readonly clientConfig?: readonly string[];
  /** A passphrase on the client's key. */
  readonly passphrase?: string;
  /** False: the server's key is not in the client's known_hosts. */
  readonly known?: boolean;
}

/** A real sshd on a free loopback port, with a client side of its own; `await using` ends it. */
export interface Sshd extends AsyncDisposable {
  readonly port: number;
  /** What a user would write as `host:`. It is defined in `sshConfig`. */
  readonly destination: 'cluster';
  readonly user: string;
  /** The home of the user on the server. */
  readonly home: string;
  /** The client's folder: key `id`, `id.pub`, `known_hosts`, `config`. */
  readonly client: string;
  readonly sshConfig: string;
  /** An environment for the client: no agent, and MLOPS_SSH_CONFIG naming `sshConfig`. */
  readonly env: NodeJS.ProcessEnv;
  /** `type base64` of the server's ed25519 key, and its SHA256 fingerprint. */
  readonly hostKey: string;
  readonly hostKeyFingerprint: string;
  /** Cuts every connection before it returns, as a killed server process does; gives how many there were. */
  killConnections(): Promise<number>;
  /** Stops the server's side of every connection without closing it, as a network that swallows packets does. */
  freezeConnections(): Promise<number>;
  /** Stops the server itself: the kernel accepts new connections, and nobody answers. */
  freezeListener(): Promise<void>;
  /** It answers again. */
  thawListener(): Promise<void>;
  /** How many connections there are now. */
  connections(): Promise<number>;
  log(): Promise<string>;
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function must(file: string, args: readonly string[]): Promise<string> {
  const done = await run(file, args, { env: { ...process.env, LC_ALL: 'C' } });
  if (done.code !== 0) throw new Error(`${file} ${args.join(' ')}: ${done.stderr}`);
  return done.stdout.trim();
}

/**
 * The sshd processes below one listener: what serves its connections. The users' own commands are left alone. At once, so that a
 * test can cut a connection at an exact moment.
 */
function connectionProcesses(listener: number): readonly number[] {
  const table = spawnSync('ps', ['-A', '-o', 'pid=,ppid=,comm='], { encoding: 'utf8' });
  const rows = table.stdout.split('\n').map((line) => line.trim().split(/\s+/));
  const below = (parent: number): number[] =>
    rows
      .filter(([, ppid, name]) => Number(ppid) === parent && name?.startsWith('sshd'))
      .flatMap(([pid]) => [Number(pid), ...below(Number(pid))]);
  return below(listener);
}

function signalAll(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

let accounts = 0;

/** Two suites may add users at once, and useradd refuses while another one holds the lock of /etc/passwd. */
export async function retryLocked(file: string, args: readonly string[]): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const done = await run(file, args, { env: process.env });
    if (done.code === 0) return;
    if (attempt === 20 || !/lock/.test(done.stderr)) throw new Error(`${file}: ${done.stderr}`);
    await new Promise((resolve) => setTimeout(resolve, 100 + Math.random() * 200));
  }
}

async function addAccount(root: string, account: NonNullable<SshdOptions['account']>): Promise<string> {
  accounts += 1;
  const name = `mlops${process.pid}n${accounts}`;
  const home = join(root, 'home');
  await mkdir(home);
  for (const [file, content] of Object.entries(account.home ?? {})) await writeFile(join(home, file), content);
  // A locked account (`!`) is refused with `UsePAM no`; `*` has no password either, but may log in by key.
  const shell = findProgram(account.shell ?? 'bash') ?? '/bin/sh';
  const groups = account.groups === undefined ? [] : ['-G', account.groups.join(',')];
  await retryLocked('useradd', ['-M', '-d', home, '-s', shell, '-p', '*', ...groups, name]);
  await must('chown', ['-R', name, home]);
  return name;
}

async function waitUntilListening(port: number, child: ChildProcess, log: string): Promise<void> {
  const until = Date.now() + 15_000;
  while (Date.now() < until) {
    if (child.exitCode !== null) throw new Error(`sshd ended: ${await readFile(log, 'utf8')}`);
    if (/Server listening/.test(await readFile(log, 'utf8').catch(() => ''))) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`sshd does not listen on ${port}: ${await readFile(log, 'utf8')}`);
}

export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const binary = findProgram('sshd');
  if (binary === undefined) throw new Error('sshd is not installed: guard the suite with describeWith');
  const root = await mkdtemp(join(tmpdir(), 'mlops-sshd-'));
  await chmod(root, 0o755);
  const server = join(root, 'server');
  const client = join(root, 'client');
  await mkdir(server);
  await mkdir(client, { mode: 0o700 });
  // sshd's privilege separation wants this folder, which only an init system makes.
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const hostKeyFile = join(server, 'host_ed25519');
  await must('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'server', '-f', hostKeyFile]);
  await must('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-C', 'server', '-f', join(server, 'host_ecdsa')]);
  await must('ssh-keygen', [
    '-q',
    '-t',
    'ed25519',
    '-N',
    options.passphrase ?? '',
    '-C',
    'client',
    '-f',
    join(client, 'id'),
  ]);
  await writeFile(join(server, 'authorized_keys'), await readFile(join(client, 'id.pub')));
  const user = options.account === undefined ? userInfo().username : await addAccount(root, options.account);
  const home = options.account === undefined ? userInfo().homedir : join(root, 'home');
  const port = await freePort();
  const log = join(server, 'log');
  const codes =
    options.oneTimeCodes === undefined ? undefined : await oneTimeCodes(server, binary, options.oneTimeCodes);
  const serverConfig = [
    ...(codes?.config ?? []),
    ...((await options.prepare?.({ server, client })) ?? []),
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${hostKeyFile}`,
    `HostKey ${join(server, 'host_ecdsa')}`,
    `PidFile ${join(server, 'pid')}`,
    `AuthorizedKeysFile ${join(server, 'authorized_keys')}`,
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UseDNS no',
    'PrintMotd no',
    'MaxStartups 100',
    'LogLevel VERBOSE',
    `MaxSessions ${options.maxSessions ?? 10}`,
    ...(options.banner === undefined ? [] : [`Banner ${join(server, 'banner')}`]),
    ...(options.config ?? []),
  ];
  if (options.banner !== undefined) await writeFile(join(server, 'banner'), options.banner);
  await writeFile(join(server, 'sshd_config'), `${serverConfig.join('\n')}\n`);
  const hostKey = (await readFile(`${hostKeyFile}.pub`, 'utf8')).split(' ').slice(0, 2).join(' ');
  const hostKeyFingerprint =
    (await must('ssh-keygen', ['-l', '-E', 'sha256', '-f', `${hostKeyFile}.pub`])).split(' ')[1] ?? '';
  await writeFile(join(client, 'known_hosts'), options.known === false ? '' : `[127.0.0.1]:${port} ${hostKey}\n`);
  const sshConfig = join(client, 'config');
  const clientConfig = [
    'Host cluster',
    '  HostName 127.0.0.1',
    `  Port ${port}`,
    `  User ${user}`,
    // The first value of a keyword counts, and identity files add up.
    ...(options.clientConfig ?? []).map((line) => `  ${line}`),
    ...(options.clientConfig?.some((line) => line.startsWith('IdentityFile '))
      ? []
      : [`  IdentityFile ${join(client, 'id')}`]),
    '  IdentitiesOnly yes',
    `  UserKnownHostsFile ${join(client, 'known_hosts')}`,
    '  GlobalKnownHostsFile /dev/null',
  ];
  await writeFile(sshConfig, `${clientConfig.join('\n')}\n`);

  const child = spawn(codes?.program ?? binary, ['-D', '-E', log, '-f', join(server, 'sshd_config')], {
    stdio: 'ignore',
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const listener = child.pid;
  if (listener === undefined) throw new Error(`${binary} could not be started`);
  const dispose = async () => {
    signalAll(connectionProcesses(listener), 'SIGKILL');
    child.kill('SIGTERM');
    child.kill('SIGCONT');
    await ended;
    // userdel refuses while one of the user's processes lives; they were started by this server alone.
    if (options.account !== undefined) {
      const theirs = await run('ps', ['-u', user, '-o', 'pid='], { env: process.env });
      signalAll(
        theirs.stdout.split('\n').flatMap((pid) => (pid.trim() === '' ? [] : [Number(pid)])),
        'SIGKILL',
      );
      await retryLocked('userdel', ['-f', user]);
    }
    await codes?.remove();
    await rm(root, { recursive: true, force: true });
  };
  try {
    await waitUntilListening(port, child, log);
  } catch (error) {
    await dispose();
    throw error;
  }
  const { SSH_AUTH_SOCK: _agent, ...outer } = process.env;
  return {
    port,
    destination: 'cluster',
    user,
    home,
    client,
    sshConfig,
    env: { ...outer, HOME: client, MLOPS_SSH_CONFIG: sshConfig },
    hostKey,
    hostKeyFingerprint,
    async killConnections() {
      const pids = connectionProcesses(listener);
      signalAll(pids, 'SIGKILL');
      return pids.length;
    },
    async freezeConnections() {
      const pids = connectionProcesses(listener);
      signalAll(pids, 'SIGSTOP');
      return pids.length;
    },
    async freezeListener() {
      child.kill('SIGSTOP');
    },
    async thawListener() {
      child.kill('SIGCONT');
    },
    connections: async () => connectionProcesses(listener).length,
    log: () => readFile(log, 'utf8'),
    [Symbol.asyncDispose]: dispose,
  };
}
