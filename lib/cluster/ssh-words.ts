import type { HostError } from './host.ts';
import type { SshConfig } from './ssh-config.ts';

type LoginReason =
  | 'unknown-host'
  | 'unreachable'
  | 'no-common-algorithm'
  | 'host-key-unknown'
  | 'host-key-changed'
  | 'host-key-revoked'
  | 'auth-refused';

/** What ssh says when it cannot log in; it exits 255 for all of it. The first row that matches counts. */
const rows: readonly (readonly [LoginReason, RegExp])[] = [
  ['host-key-revoked', /REVOKED HOST KEY DETECTED|is marked as revoked|revoked by file/],
  ['host-key-changed', /REMOTE HOST IDENTIFICATION HAS CHANGED/],
  ['host-key-unknown', /No \S+ host key is known for|Host key verification failed/],
  ['no-common-algorithm', /Unable to negotiate with .*: no matching/],
  ['auth-refused', /Permission denied|Too many authentication failures|[Nn]o supported authentication methods/],
  // The address family's other answers (EAI_AGAIN: "Temporary failure") say nothing about the name.
  ['unknown-host', /Could not resolve hostname .*: (?:Name or service|nodename nor|No address|Unknown host)/],
];

export interface SshWords {
  /** What a user sees of it, without the debug lines. */
  readonly said: string;
  /** How far ssh itself came; what a proxy program says about its own way is not counted. */
  readonly stage: 'connecting' | 'host-key' | 'authenticating';
  readonly key: { readonly type: string; readonly fingerprint: string } | undefined;
  readonly tried: readonly string[];
  /** The known_hosts file that ssh blames. */
  readonly file: string | undefined;
}

/** Takes the standard error of an ssh with `LogLevel DEBUG1` apart. */
export function readSshWords(stderr: string, agent = ''): SshWords {
  const lines = stderr.split(/\r?\n/);
  const debug = lines.flatMap((line) => (/^debug\d: /.test(line) ? [line.replace(/^debug\d: /, '')] : []));
  const said = lines.filter((line) => !/^debug\d: /.test(line)).join('\n');
  const find = (pattern: RegExp) => debug.map((line) => pattern.exec(line)).find((match) => match !== null);
  const [, type, fingerprint] = find(/^Server host (?:key|certificate): (\S+) (SHA256:[^\s,]+)/) ?? [];
  const authenticating = find(/^(?:Authentications that can continue|Next authentication method):/) !== undefined;
  return {
    said: said.trim(),
    stage: authenticating ? 'authenticating' : type === undefined ? 'connecting' : 'host-key',
    key: type === undefined || fingerprint === undefined ? undefined : { type, fingerprint },
    tried: triedIn(debug, agent),
    file:
      /^Offending \S+ key in (.+?)(?::\d+)?$/m.exec(said)?.[1] ?? /revoked by file (.+)$/m.exec(said)?.[1] ?? undefined,
  };
}

/** In the words of ssh-auth.ts: keys by their file (or the agent's comment), other methods by their name. */
function triedIn(debug: readonly string[], agent: string): readonly string[] {
  const tried = new Set<string>();
  let accepted: string | undefined;
  for (const line of debug) {
    const [, silence] = /ssh_get_authentication_socket: (.+)$/.exec(line) ?? [];
    if (silence !== undefined && agent !== '') tried.add(`agent ${agent} (${silence})`);
    const [, key] = /^(?:Offering public key: |Trying private key: )(.+?)(?: \S+ SHA256:.*)?$/.exec(line) ?? [];
    if (key !== undefined) tried.add(`key ${key}`);
    const [, method] = /^Next authentication method: (\S+)/.exec(line) ?? [];
    if (method !== undefined && method !== 'publickey') tried.add(method);
    if (/^Authentications that can continue:/.test(line)) accepted = undefined;
    accepted = /^Server accepts key: (.+?)(?: \S+ SHA256:.*)?$/.exec(line)?.[1] ?? accepted;
  }
  // The server wanted a signature, and ssh could not give it: nobody was there to type the passphrase.
  return [...tried].map((what) => (what === `key ${accepted}` ? `${what} (accepted, but locked)` : what));
}

/** Why an ssh that ended with 255 did not log in. */
export function loginFailure(stderr: string, config: SshConfig, host: string): HostError {
  const { said, stage, key, tried, file } = readSshWords(stderr, config.agent);
  const detail = said === '' ? 'ssh ended without a word' : said;
  const [reason] = rows.find(([, pattern]) => pattern.test(said)) ?? ['unreachable' as const];
  switch (reason) {
    case 'host-key-unknown':
    case 'host-key-changed':
    case 'host-key-revoked':
      // A jump host's key: ssh-keygen's advice for it is in the words of its own ssh.
      if (key === undefined) return { reason: 'unreachable', host, detail };
      return {
        reason,
        host,
        port: config.port,
        keyType: key.type,
        keyFingerprint: key.fingerprint,
        knownHosts: file ?? config.userKnownHosts[0] ?? config.globalKnownHosts[0] ?? '',
        detail,
      };
    case 'auth-refused':
      if (stage !== 'authenticating') return { reason: 'unreachable', host, detail };
      return { reason, host, user: config.user, tried, detail };
    case 'unknown-host':
    case 'no-common-algorithm':
    case 'unreachable':
      return { reason, host, detail };
  }
}

/** The far side allows no more sessions on this connection (MaxSessions): an ssh beside it has to wait. */
export const isSessionRefused = (words: string): boolean => /session request failed|open refused by peer/.test(words);
