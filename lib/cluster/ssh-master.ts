import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { err, ok, type Result } from '../base/result.ts';
import { shellQuote } from '../base/shell-quote.ts';
import type { HostError } from './host.ts';
import { OutputTail } from './output-tail.ts';
import { runProgram } from './run-program.ts';
import type { SshConfig } from './ssh-config.ts';
import { optionArguments, overrides } from './ssh-options.ts';
import { loginFailure, readSshWords } from './ssh-words.ts';

/** An ssh that holds the connection (ControlMaster), and lets others onto it through a socket. */
export interface Master {
  readonly socket: string;
  /** Aborted when the connection has gone. */
  readonly gone: AbortSignal;
  why(): string;
  /** Ends a connection of ours; the user's own is only let go. */
  close(): Promise<void>;
}

// ssh binds `PATH.` and 16 random letters first; a Unix socket's path has 104 bytes on macOS, 108 on Linux, with a NUL.
const LONGEST_SOCKET = 104 - 1 - 17;
/** From the first packet to the login. Nobody types, but a security key may wait for a touch, and an agent for a click. */
const LOGIN_SECONDS = 120;
const CLOSE_SECONDS = 5;

/** ssh expands tokens in a ControlPath. */
export const controlPathArgument = (path: string): string => path.replaceAll('%', '%%');

/** The connection that the user's ssh keeps open for this host, if it does. */
export async function findMaster(config: SshConfig, env: NodeJS.ProcessEnv): Promise<Master | undefined> {
  const { controlPath } = config;
  if (controlPath === undefined || !existsSync(controlPath)) return undefined;
  if (!(await answers(controlPath, env))) return undefined;
  const held = await hold(controlPath);
  if (held === undefined) return undefined;
  return {
    socket: controlPath,
    gone: held.gone,
    why: () => 'the shared connection was closed',
    async close() {
      held.socket.destroy();
    },
  };
}

/** Whether a master listens there and still has its connection. */
export async function answers(socket: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const check = ['-F', '/dev/null', '-S', controlPathArgument(socket), '-O', 'check', '--', 'mlops'];
  const asked = await runProgram('ssh', check, env);
  return asked.ok && asked.value.code === 0;
}

/** What to type where there is none. */
export function masterCommand(config: SshConfig, host: string): string {
  const shares = ['auto', 'autoask', 'true', 'yes', 'ask'].includes(config.values.get('controlmaster')?.[0] ?? '');
  return ['ssh', ...config.configArgs.map(shellQuoteIfNeeded), shares ? '-fN' : '-fNM', host].join(' ');
}
const shellQuoteIfNeeded = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : shellQuote(word));

/** Logs in without asking anybody, in a folder of its own, and ends with us: also when we are killed. */
export async function openMaster(
  config: SshConfig,
  host: string,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal | undefined,
): Promise<Result<Master, HostError>> {
  if (signal?.aborted) return err({ reason: 'aborted', host });
  const folder = await mkdtemp(join(socketFolder(env), 'mlops-'));
  const socket = join(folder, 's');
  const keeper = startKeeper(folder, socket, env);
  const child = spawn('ssh', [...config.configArgs, ...masterArguments(socket, config), '--', host], {
    // No terminal (detached) and no window: a jump host's ssh does not inherit BatchMode. `never` is known since OpenSSH 8.4.
    env: { ...env, SSH_ASKPASS_REQUIRE: 'never', SSH_ASKPASS: 'false' },
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const tail = new OutputTail();
  child.stderr.on('data', (chunk: Buffer) => tail.push(chunk));
  const failure = await login(child, tail, config, host, signal);
  const held = failure === undefined ? await hold(socket) : undefined;
  if (held === undefined) {
    await keeper.end();
    child.kill();
    return err(failure ?? loginFailure(tail.toString(), config, host));
  }
  return ok({
    socket,
    gone: held.gone,
    why() {
      // What it says of a login that worked is no reason.
      const said = readSshWords(tail.toString()).said.replace(/^Authenticated to .*\n?/m, '');
      return said === '' ? 'the connection was closed' : said;
    },
    async close() {
      held.socket.destroy();
      await keeper.end();
    },
  });
}

function masterArguments(socket: string, config: SshConfig): readonly string[] {
  const options = {
    BatchMode: 'yes',
    // As over ssh2: nothing is accepted because it is new.
    StrictHostKeyChecking: 'yes',
    ConnectTimeout: String(config.connectSeconds),
    ServerAliveInterval: String(config.aliveSeconds),
    ServerAliveCountMax: '3',
    ControlMaster: 'yes',
    // In the foreground: it stays our child, and a jump host's words are not sent to /dev/null.
    ControlPersist: 'no',
    // Fingerprints and tried keys are told nowhere else.
    LogLevel: 'DEBUG1',
    // It runs when the socket is there: ssh's own way to say "ready".
    PermitLocalCommand: 'yes',
    LocalCommand: 'echo ready',
    ClearAllForwardings: 'yes',
    ...overrides(config),
  };
  return ['-N', '-T', '-a', '-x', '-S', controlPathArgument(socket), ...optionArguments(options)];
}

function socketFolder(env: NodeJS.ProcessEnv): string {
  const usual = env.TMPDIR ?? '/tmp';
  const fits = Buffer.byteLength(join(usual, 'mlops-123456', 's')) <= LONGEST_SOCKET && /^\/[\w/.-]*$/.test(usual);
  return fits ? usual : '/tmp';
}

/** Undefined: logged in, and the socket is there. */
function login(
  child: ChildProcess,
  tail: OutputTail,
  config: SshConfig,
  host: string,
  signal: AbortSignal | undefined,
): Promise<HostError | undefined> {
  return new Promise((resolve) => {
    const finish = (error: HostError | undefined) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      resolve(error);
    };
    const abort = () => finish({ reason: 'aborted', host });
    const late = () => {
      const { said, stage } = readSshWords(tail.toString());
      const detail = `no login within ${LOGIN_SECONDS} s (${stage})${said === '' ? '' : `: ${said}`}`;
      finish({ reason: 'timeout', host, detail });
    };
    const timer = setTimeout(late, LOGIN_SECONDS * 1000);
    signal?.addEventListener('abort', abort, { once: true });
    child.once('error', (error) => finish({ reason: 'unreachable', host, detail: `cannot run ssh: ${error.message}` }));
    child.stdout?.once('data', () => finish(undefined));
    child.once('close', () => finish(loginFailure(tail.toString(), config, host)));
  });
}

/**
 * A client of the master that asks for nothing: its end is the end of the connection, told at once. (It also keeps a master that
 * would leave after some idle time.)
 */
function hold(path: string): Promise<{ readonly socket: Socket; readonly gone: AbortSignal } | undefined> {
  return new Promise((resolve) => {
    const gone = new AbortController();
    const socket = connect(path);
    socket.once('connect', () => resolve({ socket, gone: gone.signal }));
    // The reason of an error is told by `close`.
    socket.on('error', () => resolve(undefined));
    socket.on('close', () => gone.abort());
    socket.resume();
  });
}

/** A shell that waits for the end of its input, and ends the master then: nothing that kills us can keep us from that. */
function startKeeper(folder: string, socket: string, env: NodeJS.ProcessEnv) {
  const script = 'read -r _; ssh -F /dev/null -S "$1" -O exit -- mlops; rm -rf -- "$0"';
  const child = spawn('/bin/sh', ['-c', script, folder, controlPathArgument(socket)], {
    env,
    // Out of reach of a Ctrl-C, which ends us first.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  child.stdin.on('error', () => undefined);
  return {
    async end() {
      child.stdin.end();
      const timer = setTimeout(() => child.kill(), CLOSE_SECONDS * 1000);
      await ended;
      clearTimeout(timer);
    },
  };
}
