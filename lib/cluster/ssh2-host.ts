import { randomBytes } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { Writable } from 'node:stream';
import type { Client, ClientChannel, ParsedKey } from 'ssh2';
import { err, ok, type Result } from '../base/result.ts';
import { ChannelGate } from './channel-gate.ts';
import { collect, type FramedProcess, frame, type RawEnd, type RawProcess } from './framed-process.ts';
import type { Host, HostError, SpawnOptions } from './host.ts';
import { findKnownKeys, judgeHostKey, orderHostKeyAlgorithms } from './known-hosts.ts';
import { learnLoginEnvironment } from './login-environment.ts';
import { endGroupScript, remoteCommand } from './remote-script.ts';
import { type AuthTools, authenticator, type Prompt } from './ssh-auth.ts';
import { readSshConfig, type SshConfig } from './ssh-config.ts';
import { type Link, openLink } from './ssh-socket.ts';

export interface Ssh2Options {
  readonly env: NodeJS.ProcessEnv;
  /** Passphrases, passwords and codes. Absent: nobody can be asked. */
  readonly prompt?: Prompt | undefined;
  /** See SshConfigOptions. */
  readonly sshConfigFile?: string | undefined;
  /** Default true: scripts see the environment of a login shell, see login-environment.ts. */
  readonly loginEnvironment?: boolean | undefined;
  /** Channels at once, 8 by default. */
  readonly channels?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** What `ssh -G` says about the destination, if it has been asked already. */
  readonly config?: SshConfig | undefined;
}

const HOST_KEY_ALGORITHMS = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
] as const;

export async function openSsh2Host(destination: string, options: Ssh2Options): Promise<Result<Host, HostError>> {
  const interactive = options.prompt !== undefined;
  const read =
    options.config === undefined ? await readSshConfig(destination, { ...options, interactive }) : ok(options.config);
  if (!read.ok) return read;
  const config = read.value;
  const [link, known, ssh2] = await Promise.all([
    openLink(config, destination, options.env),
    findKnownKeys(config, options.env),
    import('ssh2'),
  ]);
  if (!link.ok) return link;
  const client = new ssh2.default.Client();
  const connection = new Connection(client, link.value, destination, options.channels ?? 8);
  const auth = authenticator(config, authTools(ssh2.default), options.prompt);
  let refusal: HostError | undefined;
  const ready = waitUntilReady(
    client,
    config,
    link.value,
    destination,
    () => refusal,
    () => auth.tried,
    options.signal,
  );
  client.connect({
    sock: link.value.stream,
    username: config.user,
    // Ours is in waitUntilReady: theirs would interrupt someone who types a code.
    readyTimeout: 0,
    keepaliveInterval: config.aliveSeconds * 1000,
    keepaliveCountMax: 3,
    hostVerifier: (key: Buffer) => {
      refusal = judgeHostKey(key, known, destination, config);
      return refusal === undefined;
    },
    algorithms: {
      serverHostKey: [...orderHostKeyAlgorithms(config.hostKeyAlgorithms, HOST_KEY_ALGORITHMS, known)],
      // The pure JavaScript chacha costs 2.3 times as much; GCM is OpenSSL's.
      cipher: { prepend: ['aes128-gcm@openssh.com'], append: [], remove: [] },
    },
    authHandler: (methodsLeft, _partial, next) => {
      auth.next(methodsLeft).then(
        (attempt) => {
          if (attempt !== false) next(attempt);
          else client.emit('error', new Error('all ways to log in were refused'));
        },
        (error: Error) => client.emit('error', error),
      );
    },
  });
  const failure = await ready;
  if (failure !== undefined) {
    connection.end();
    return err(failure);
  }
  if (options.loginEnvironment ?? true) {
    const useless = await connection.learnLoginEnvironment();
    if (useless !== undefined) {
      connection.end();
      return err(useless);
    }
  }
  return ok(connection.host(auth.tried.at(-1)));
}

type Ssh2 = typeof import('ssh2');

function authTools(ssh2: Ssh2): AuthTools<ParsedKey, InstanceType<Ssh2['BaseAgent']>> {
  class ChosenKeys extends ssh2.OpenSSHAgent {
    readonly #keys: readonly ParsedKey[];
    constructor(socket: string, keys: readonly ParsedKey[]) {
      super(socket);
      this.#keys = keys;
    }
    override getIdentities(done: (error: Error | undefined, keys: ParsedKey[]) => void): void {
      done(undefined, [...this.#keys]);
    }
  }
  return {
    parseKey(data, passphrase) {
      const parsed: ParsedKey | ParsedKey[] | Error = ssh2.utils.parseKey(data, passphrase);
      const key = Array.isArray(parsed) ? parsed[0] : parsed;
      return key ?? new Error('no key in the file');
    },
    publicBlob: (key) => key.getPublicSSH(),
    agentWith: (socket, keys) => new ChosenKeys(socket, keys),
    agentKeys: (socket) =>
      new Promise((resolve) => {
        new ssh2.OpenSSHAgent(socket).getIdentities((error, keys) =>
          resolve(error ?? (keys ?? []).filter((key) => 'getPublicSSH' in key)),
        );
      }),
  };
}

/** Undefined: logged in. */
function waitUntilReady(
  client: Client,
  config: SshConfig,
  link: Link,
  host: string,
  refusal: () => HostError | undefined,
  tried: () => readonly string[],
  signal: AbortSignal | undefined,
): Promise<HostError | undefined> {
  return new Promise((resolve) => {
    let authenticating = false;
    const unreachable = (detail: string): HostError => {
      const complaint = link.complaint();
      return { reason: 'unreachable', host, detail: complaint === '' ? detail : `${detail}: ${complaint}` };
    };
    const finish = (error: HostError | undefined) => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', abort);
      resolve(error);
    };
    const abort = () => finish({ reason: 'aborted', host });
    const timer = setTimeout(
      () => finish(unreachable(`no SSH handshake within ${config.connectSeconds} s`)),
      config.connectSeconds * 1000,
    );
    if (signal?.aborted) abort();
    // It may have gone before anyone listened.
    if (link.stream.destroyed) finish(unreachable('the connection was closed'));
    signal?.addEventListener('abort', abort, { once: true });
    client.once('handshake', () => {
      authenticating = true;
      clearTimeout(timer);
    });
    client.once('ready', () => finish(undefined));
    const described = (detail: string, level?: string): HostError => {
      if (level === 'handshake' && /no matching/.test(detail)) return { reason: 'no-common-algorithm', host, detail };
      if (!authenticating || level === 'client-socket') return unreachable(detail);
      return { reason: 'auth-refused', host, user: config.user, tried: [...tried()], detail };
    };
    const failed = (detail: string, level?: string) => finish(refusal() ?? described(detail, level));
    client.on('error', (error) => {
      // A dead agent is one way less to log in, not the end.
      if (error.level !== 'agent') failed(error.message, error.level);
    });
    client.once('close', () => failed('the server closed the connection'));
  });
}

/** One connection that is shared by all scripts. */
class Connection {
  readonly #client: Client;
  readonly #link: Link;
  readonly #name: string;
  readonly #gate: ChannelGate;
  readonly #lost = new AbortController();
  #why = 'the connection was closed';
  #environment = '';

  constructor(client: Client, link: Link, name: string, channels: number) {
    this.#client = client;
    this.#link = link;
    this.#name = name;
    this.#gate = new ChannelGate(channels);
    // Every script that runs or waits listens for the loss.
    setMaxListeners(0, this.#lost.signal);
    client.on('error', (error) => {
      this.#why = error.message;
    });
    client.once('close', () => {
      this.#lost.abort();
      link.close();
    });
  }

  host(by: string | undefined): Host {
    return {
      kind: 'ssh2',
      name: this.#name,
      login: { shared: false, ...(by === undefined ? {} : { by }) },
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

  end(): void {
    this.#client.destroy();
    this.#link.close();
  }

  async close(): Promise<void> {
    if (this.#lost.signal.aborted) return this.#link.close();
    const closed = new Promise<void>((resolve) => this.#lost.signal.addEventListener('abort', () => resolve()));
    const timer = setTimeout(() => this.end(), 1000);
    this.#client.end();
    await closed;
    clearTimeout(timer);
    this.#link.close();
  }

  #lostError(): { readonly ok: false; readonly error: HostError } {
    return err({ reason: 'lost', host: this.#name, detail: this.#why });
  }

  async #start(script: string, options: SpawnOptions): Promise<Result<FramedProcess, HostError>> {
    const token = randomBytes(12).toString('hex');
    const { command, preamble } = remoteCommand(script, token);
    const aborted = () => options.signal?.aborted === true;
    const stop =
      options.signal === undefined ? this.#lost.signal : AbortSignal.any([options.signal, this.#lost.signal]);
    for (let refusals = 0; ; refusals += 1) {
      const entered = await this.#gate.enter(stop);
      if (aborted()) {
        if (entered) this.#gate.leave();
        return err({ reason: 'aborted', host: this.#name });
      }
      if (!entered) return this.#lostError();
      const channel = await this.#openChannel(command, stop);
      if (!(channel instanceof Error)) return ok(frame(this.#raw(channel), token, preamble, this.#name, options));
      if (stop.aborted) {
        this.#gate.leave();
        return aborted() ? err({ reason: 'aborted', host: this.#name }) : this.#lostError();
      }
      this.#gate.refused();
      // The session of a channel that was just closed may live on at the server for a moment.
      if (refusals === 50) return err({ reason: 'unreachable', host: this.#name, detail: channel.message });
      if (this.#gate.open === 0) await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  #openChannel(command: string, stop: AbortSignal): Promise<ClientChannel | Error> {
    return new Promise((resolve) => {
      const stopped = () => resolve(new Error('stopped'));
      stop.addEventListener('abort', stopped, { once: true });
      try {
        this.#client.exec(command, (error, channel) => {
          stop.removeEventListener('abort', stopped);
          // One that opens after an abort has nobody to listen to it.
          if (stop.aborted && error === undefined) channel.close();
          resolve(error ?? channel);
        });
      } catch (error) {
        // "Not connected": the library throws where the connection went down a moment ago.
        this.#lost.abort();
        resolve(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  #raw(channel: ClientChannel): RawProcess {
    let exit: RawEnd | undefined;
    // Writing to a channel whose connection is gone never calls back; a stream of our own can be destroyed.
    const stdin = new Writable({
      highWaterMark: 256 * 1024,
      write: (chunk, _encoding, done) => void channel.write(chunk, (error) => done(error)),
      final: (done) => void channel.end(done),
    });
    channel.on('error', () => stdin.destroy());
    channel.on('exit', (code: number | null, signal?: string) => {
      if (code !== null) exit = { kind: 'code', code };
      else if (signal !== undefined) exit = { kind: 'signal', signal };
    });
    const ended = new Promise<RawEnd>((resolve) => {
      const lost = () => resolve({ kind: 'lost', detail: this.#why });
      const done = () => {
        this.#lost.signal.removeEventListener('abort', first);
        stdin.destroy();
        // No status and no signal: the link went down, whatever the library calls it.
        if (exit === undefined) lost();
        else resolve(exit);
        this.#gate.leave();
      };
      let once = false;
      const first = () => {
        if (once) return;
        once = true;
        done();
      };
      channel.once('close', first);
      this.#lost.signal.addEventListener('abort', first, { once: true });
      if (this.#lost.signal.aborted) first();
    });
    const close = () => {
      channel.resume();
      channel.stderr.resume();
      channel.close();
    };
    return {
      stdin,
      stdout: channel,
      stderr: channel.stderr,
      ended,
      release: close,
      kill: (pid) => {
        // Newer servers pass signals on; the others end the group when asked by a script. Closing alone ends nothing.
        if (!this.#lost.signal.aborted) channel.signal('TERM');
        if (pid === undefined) setTimeout(close, 2000).unref();
        else {
          close();
          void this.#endGroup(pid);
        }
      },
    };
  }

  async #endGroup(pid: number): Promise<void> {
    await collect((options) => this.#start(endGroupScript(pid), options), { timeoutSeconds: 10 }, this.#name);
  }
}
