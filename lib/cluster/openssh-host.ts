import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { err, ok, type Result } from '../base/result.ts';
import { ChannelGate } from './channel-gate.ts';
import { collect, type FramedProcess, frame, type RawEnd, type RawProcess } from './framed-process.ts';
import type { Host, HostError, SpawnOptions } from './host.ts';
import { learnLoginEnvironment } from './login-environment.ts';
import { endGroupScript, remoteCommand } from './remote-script.ts';
import { readSshConfig, type SshConfig } from './ssh-config.ts';
import { answers, controlPathArgument, findMaster, type Master, masterCommand, openMaster } from './ssh-master.ts';
import { optionArguments, overrides } from './ssh-options.ts';
import { isSessionRefused } from './ssh-words.ts';

export interface OpensshOptions {
  readonly env: NodeJS.ProcessEnv;
  /** See SshConfigOptions. */
  readonly sshConfigFile?: string | undefined;
  /** True: only a connection that the user's ssh holds open already; never log in. */
  readonly requireMaster?: boolean | undefined;
  /** Default true: scripts see the environment of a login shell, see login-environment.ts. */
  readonly loginEnvironment?: boolean | undefined;
  /** Sessions at once, 8 by default. */
  readonly channels?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What `ssh -G` says about the destination, if it has been asked already. */
  readonly config?: SshConfig | undefined;
  /** A connection of the user's that has been found already; it is let go by close(). */
  readonly master?: Master | undefined;
}

/** The system's ssh: whatever it can log in to without asking, over one connection that is the user's own or ours. */
export async function openOpensshHost(destination: string, options: OpensshOptions): Promise<Result<Host, HostError>> {
  const read =
    options.config === undefined
      ? await readSshConfig(destination, { ...options, interactive: false })
      : ok(options.config);
  if (!read.ok) return read;
  const config = read.value;
  const found = options.master ?? (await findMaster(config, options.env));
  if (found === undefined && options.requireMaster === true) {
    const { controlPath } = config;
    return err({ reason: 'no-master', host: destination, command: masterCommand(config, destination), controlPath });
  }
  const opened = found === undefined ? await openMaster(config, destination, options.env, options.signal) : ok(found);
  if (!opened.ok) return opened;
  const connection = new SharedConnection(opened.value, config, destination, options);
  if (options.loginEnvironment ?? true) {
    const useless = await connection.learnLoginEnvironment();
    if (useless !== undefined) {
      await connection.close();
      return err(useless);
    }
  }
  return ok(connection.host(found !== undefined));
}

/** One ssh per script, all on the master's connection. */
class SharedConnection {
  readonly #master: Master;
  readonly #args: readonly string[];
  readonly #env: NodeJS.ProcessEnv;
  readonly #name: string;
  readonly #gate: ChannelGate;
  readonly #sessions = new Set<ChildProcess>();
  #environment = '';

  constructor(master: Master, config: SshConfig, name: string, options: OpensshOptions) {
    this.#master = master;
    this.#env = options.env;
    this.#name = name;
    this.#gate = new ChannelGate(options.channels ?? 8);
    // Every script that runs or waits listens for the loss.
    setMaxListeners(0, master.gone);
    const settings = {
      BatchMode: 'yes',
      ControlMaster: 'no',
      // Where the master does not answer, ssh would log in by itself: past the limits, and past require_master.
      ProxyCommand: 'false',
      ProxyUseFdpass: 'no',
      LogLevel: 'ERROR',
    };
    this.#args = [
      ...config.configArgs,
      '-T',
      '-a',
      '-x',
      '-S',
      controlPathArgument(master.socket),
      ...optionArguments({ ...settings, ...overrides(config) }),
      '--',
      name,
    ];
  }

  host(shared: boolean): Host {
    return {
      kind: 'openssh',
      name: this.#name,
      login: { shared },
      exec: (script, options = {}) =>
        collect((spawnOptions) => this.#start(this.#environment + script, spawnOptions), options, this.#name),
      spawn: async (script, options = {}) => {
        const started = await this.#start(this.#environment + script, options);
        if (started.ok) started.value.stderr.resume();
        return started;
      },
      close: () => this.close(),
    };
  }

  async learnLoginEnvironment(): Promise<HostError | undefined> {
    const learnt = await learnLoginEnvironment((options, script) => this.#start(script, options), this.#name);
    if (!learnt.ok) return learnt.error;
    this.#environment = learnt.value;
    return undefined;
  }

  async close(): Promise<void> {
    await this.#master.close();
    for (const session of this.#sessions) session.kill();
  }

  #lostError(): { readonly ok: false; readonly error: HostError } {
    return err({ reason: 'lost', host: this.#name, detail: this.#master.why() });
  }

  async #start(script: string, options: SpawnOptions): Promise<Result<FramedProcess, HostError>> {
    const aborted = () => options.signal?.aborted === true;
    const stop =
      options.signal === undefined ? this.#master.gone : AbortSignal.any([options.signal, this.#master.gone]);
    for (let refusals = 0; ; refusals += 1) {
      const entered = await this.#gate.enter(stop);
      if (!entered) return aborted() ? err({ reason: 'aborted', host: this.#name }) : this.#lostError();
      const session = this.#session(script, options);
      const early = await session.endedBeforeBegin;
      if (early === undefined) {
        void session.ended.then(() => this.#gate.leave());
        return ok(session.framed);
      }
      const words = early.reason === 'no-shell' ? early.detail : '';
      if (!isSessionRefused(words)) {
        void session.ended.then(() => this.#gate.leave());
        // Its ssh ends with 255 like a login shell may; the connection itself is asked which it was.
        const lost = early.reason === 'no-shell' && !(await answers(this.#master.socket, this.#env));
        return lost ? this.#lostError() : err(early);
      }
      this.#gate.refused();
      // A session that was just closed may live on at the server for a moment.
      if (refusals === 50) return err({ reason: 'unreachable', host: this.#name, detail: words });
      if (this.#gate.open === 0) await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  #session(script: string, options: SpawnOptions) {
    const token = randomBytes(12).toString('hex');
    const { command, preamble } = remoteCommand(script, token);
    const child = spawn('ssh', [...this.#args, command], {
      env: this.#env,
      stdio: 'pipe',
      // A Ctrl-C is for us; what becomes of the scripts is our decision.
      detached: true,
    });
    this.#sessions.add(child);
    let pid: number | undefined;
    let begin: () => void = () => undefined;
    const begun = new Promise<undefined>((resolve) => {
      begin = () => resolve(undefined);
    });
    const ended = new Promise<RawEnd>((resolve) => {
      child.on('error', (error) => resolve({ kind: 'lost', detail: `cannot run ssh: ${error.message}` }));
      child.on('exit', () => this.#sessions.delete(child));
      child.on('close', (code) => {
        // 255 is ssh's own: of a script we would have had the end mark, and of a shell that ends before it begins the words.
        const ours = code === 255 || code === null;
        if (ours && (pid !== undefined || this.#master.gone.aborted))
          resolve({ kind: 'lost', detail: this.#master.why() });
        else resolve({ kind: 'code', code: code ?? 255 });
      });
    });
    const raw: RawProcess = {
      stdin: child.stdin,
      stdout: child.stdout,
      stderr: child.stderr,
      ended,
      begun(leader) {
        pid = leader;
        begin();
      },
      release: () => void child.kill(),
      // ssh passes no signals on. The process that leads the group is known a moment after the session has begun.
      kill: () => {
        const soon = new Promise<void>((resolve) => setTimeout(resolve, 2000).unref());
        void Promise.race([begun, ended, soon]).then(() => {
          child.kill();
          if (pid !== undefined) void this.#endGroup(pid);
        });
      },
    };
    const framed = frame(raw, token, preamble, this.#name, options);
    const endedBeforeBegin = Promise.race([begun, framed.exit.then((exit) => (exit.ok ? undefined : exit.error))]);
    return { framed, ended, endedBeforeBegin };
  }

  async #endGroup(pid: number): Promise<void> {
    await collect((options) => this.#start(endGroupScript(pid), options), { timeoutSeconds: 10 }, this.#name);
  }
}
