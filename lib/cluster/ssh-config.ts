import { existsSync } from 'node:fs';
import { hostname as localHostname, userInfo } from 'node:os';
import { err, ok, type Result } from '../base/result.ts';
import type { HostError } from './host.ts';
import { runProgram } from './run-program.ts';

/** What OpenSSH would do for a destination: ssh_config(5) with Include, Match and the rest has one correct reader, `ssh -G`. */
export interface SshConfig {
  readonly hostname: string;
  readonly port: number;
  readonly user: string;
  readonly identityFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** A socket; undefined: no agent. */
  readonly agent: string | undefined;
  /** A program and its arguments whose standard input and output are the connection. */
  readonly proxy: { readonly file: string; readonly args: readonly string[] } | undefined;
  readonly userKnownHosts: readonly string[];
  readonly globalKnownHosts: readonly string[];
  readonly hostKeyAlgorithms: readonly string[];
  /** What known_hosts is searched for: `host`, `[host]:port`, or HostKeyAlias. */
  readonly knownAs: string;
  readonly aliased: boolean;
  readonly family: 0 | 4 | 6;
  readonly connectSeconds: number;
  /** Between two signs of life on an idle connection. */
  readonly aliveSeconds: number;
  /** Where connections are shared (ControlPath), if they are; expanded. */
  readonly controlPath: string | undefined;
  /** What makes ssh read the same configuration: `-F FILE`, or nothing. */
  readonly configArgs: readonly string[];
  /** Everything as `ssh -G` says it, keywords in lower case. */
  readonly values: ReadonlyMap<string, readonly string[]>;
}

export interface SshConfigOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Instead of ~/.ssh/config and the system's; MLOPS_SSH_CONFIG in `env` if absent. (ssh does not look at $HOME.) */
  readonly sshConfigFile?: string | undefined;
  /** False: nobody can answer a jump host's questions. */
  readonly interactive: boolean;
}

const ALIVE_SECONDS = 15;

/** A leading dash would be an option, anything but one printable word is no host. */
export const isDestination = (text: string): boolean =>
  /^[^\s\u0000-\u0020\u007f-][^\s\u0000-\u0020\u007f]*$/.test(text);

export async function readSshConfig(host: string, options: SshConfigOptions): Promise<Result<SshConfig, HostError>> {
  if (!isDestination(host)) return err({ reason: 'unknown-host', host, detail: 'not a host name' });
  const file = options.sshConfigFile ?? options.env.MLOPS_SSH_CONFIG;
  const configArgs = file === undefined || file === '' ? [] : ['-F', file];
  const asked = await runProgram('ssh', [...configArgs, '-T', '-G', '--', host], options.env);
  if (!asked.ok) return err({ reason: 'unreachable', host, detail: `cannot run ssh: ${asked.error}` });
  if (asked.value.code !== 0) {
    return err({ reason: 'unknown-host', host, detail: `ssh -G: ${asked.value.stderr.trim()}` });
  }
  return ok(parseSshConfig(asked.value.stdout, host, { ...options, configArgs }));
}

interface ParseOptions extends SshConfigOptions {
  readonly configArgs: readonly string[];
}

/** The output of `ssh -G`: a keyword in lower case and its value on each line, tokens and `~` not expanded in most. */
export function parseSshConfig(text: string, host: string, options: ParseOptions): SshConfig {
  const values = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const [, key, value] = /^(\S+) (.*)$/.exec(line.trimEnd()) ?? [];
    if (key !== undefined && value !== undefined) values.set(key, [...(values.get(key) ?? []), value]);
  }
  const first = (key: string): string | undefined => {
    const value = values.get(key)?.[0];
    return value === undefined || value === 'none' ? undefined : value;
  };
  const hostname = first('hostname') ?? host;
  const port = Number(first('port') ?? 22);
  const user = first('user') ?? userInfo().username;
  const alias = first('hostkeyalias');
  // OpenSSH takes the home from the password database, not from $HOME; so do we, or its files would not be ours.
  const home = userInfo().homedir;
  const tokens: Readonly<Record<string, string>> = {
    '%': '%',
    d: home,
    h: hostname,
    i: String(userInfo().uid),
    k: alias ?? hostname,
    L: localHostname().split('.')[0] ?? '',
    l: localHostname(),
    n: host,
    p: String(port),
    r: user,
    u: userInfo().username,
  };
  const expandTokens = (value: string) => value.replace(/%(.)/g, (whole, token: string) => tokens[token] ?? whole);
  const expandPath = (value: string) =>
    expandTokens(value)
      .replace(/^~(?=\/|$)/, home)
      .replace(/\$\{(\w+)\}/g, (_whole, name: string) => options.env[name] ?? '');
  const files = (key: string) => {
    const value = first(key);
    if (value === undefined) return [];
    // Printed without quotes: a path with a space cannot be told from two paths, except by looking.
    const whole = expandPath(value);
    return existsSync(whole) ? [whole] : value.split(/\s+/).map(expandPath);
  };
  const family = first('addressfamily');
  const seconds = Number(first('connecttimeout') ?? 20);
  const alive = Number(first('serveraliveinterval') ?? 0);
  return {
    hostname,
    port,
    user,
    identityFiles: (values.get('identityfile') ?? []).filter((value) => value !== 'none').map(expandPath),
    identitiesOnly: first('identitiesonly') === 'yes',
    agent: agentSocket(values.get('identityagent')?.[0], options.env, expandPath),
    proxy: proxyOf(first('proxyjump'), first('proxycommand'), { hostname, port, expandTokens, options }),
    userKnownHosts: files('userknownhostsfile'),
    globalKnownHosts: files('globalknownhostsfile'),
    hostKeyAlgorithms: (first('hostkeyalgorithms') ?? '').split(','),
    knownAs: alias ?? (port === 22 ? hostname : `[${hostname}]:${port}`),
    aliased: alias !== undefined,
    family: family === 'inet' ? 4 : family === 'inet6' ? 6 : 0,
    connectSeconds: Number.isFinite(seconds) && seconds > 0 ? seconds : 20,
    aliveSeconds: alive > 0 ? Math.min(alive, ALIVE_SECONDS) : ALIVE_SECONDS,
    controlPath: first('controlpath'),
    configArgs: options.configArgs,
    values,
  };
}

function agentSocket(
  value: string | undefined,
  env: NodeJS.ProcessEnv,
  expandPath: (value: string) => string,
): string | undefined {
  if (value === 'none') return undefined;
  if (value === undefined || value === 'SSH_AUTH_SOCK') return env.SSH_AUTH_SOCK;
  return value.startsWith('$') && !value.startsWith('${') ? env[value.slice(1)] : expandPath(value);
}

interface ProxyContext {
  readonly hostname: string;
  readonly port: number;
  readonly expandTokens: (value: string) => string;
  readonly options: ParseOptions;
}

/** What ssh itself does for ProxyJump: an `ssh -W` to the last jump host, through the ones before it. */
function proxyOf(jump: string | undefined, command: string | undefined, context: ProxyContext): SshConfig['proxy'] {
  const { hostname, port, options } = context;
  if (jump !== undefined) {
    const hops = jump.split(',');
    const last = hops.pop() ?? '';
    const [, address, jumpPort] = /^(?:ssh:\/\/)?(.*?)(?::(\d+))?\/?$/.exec(last) ?? [];
    const args = [
      ...options.configArgs,
      ...(options.interactive ? [] : ['-o', 'BatchMode=yes']),
      ...(hops.length === 0 ? [] : ['-J', hops.join(',')]),
      ...(jumpPort === undefined ? [] : ['-p', jumpPort]),
      '-W',
      `[${hostname}]:${port}`,
      '--',
      address ?? last,
    ];
    return { file: 'ssh', args };
  }
  // ssh_config(5): "executed using the user's shell exec directive".
  if (command !== undefined) return { file: '/bin/sh', args: ['-c', `exec ${context.expandTokens(command)}`] };
  return undefined;
}
