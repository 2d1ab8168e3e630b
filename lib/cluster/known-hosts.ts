import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { HostError } from './host.ts';
import { runProgram } from './run-program.ts';
import type { SshConfig } from './ssh-config.ts';

/** One line of a known_hosts file that is about the host. */
export interface KnownKey {
  readonly marker: 'plain' | 'revoked' | 'cert-authority';
  readonly type: string;
  readonly blob: Buffer;
  readonly file: string;
}
export interface KnownKeys {
  readonly keys: readonly KnownKey[];
  /** Lines for the same host without a port: ssh accepts a match there, and does not call another key a change. */
  readonly withoutPort: readonly KnownKey[];
}

/** `ssh-keygen -F` understands plain, hashed, wildcard and negated names; its answer is the lines as they are in the file. */
async function search(name: string, files: readonly string[], env: NodeJS.ProcessEnv): Promise<readonly KnownKey[]> {
  const perFile = files
    .filter((file) => existsSync(file))
    .map(async (file) => {
      const found = await runProgram('ssh-keygen', ['-F', name, '-f', file], env);
      // It exits 1 when nothing is found, and 0 with lines otherwise.
      return found.ok ? parseKnownKeys(found.value.stdout, file) : [];
    });
  return (await Promise.all(perFile)).flat();
}

export function parseKnownKeys(text: string, file: string): readonly KnownKey[] {
  return text.split('\n').flatMap((line) => {
    if (line.startsWith('#') || line.trim() === '') return [];
    const words = line.trim().split(/\s+/);
    const marker = words[0]?.startsWith('@') ? words.shift() : undefined;
    const [, type, base64] = words;
    if (type === undefined || base64 === undefined) return [];
    const kind = marker === '@revoked' ? 'revoked' : marker === '@cert-authority' ? 'cert-authority' : 'plain';
    return [{ marker: kind, type, blob: Buffer.from(base64, 'base64'), file }];
  });
}

export async function findKnownKeys(config: SshConfig, env: NodeJS.ProcessEnv): Promise<KnownKeys> {
  const files = [...config.userKnownHosts, ...config.globalKnownHosts];
  const [keys, withoutPort] = await Promise.all([
    search(config.knownAs, files, env),
    config.aliased || config.port === 22 ? [] : search(config.hostname, files, env),
  ]);
  return { keys, withoutPort };
}

export const keyType = (blob: Buffer): string => blob.subarray(4, 4 + blob.readUInt32BE(0)).toString('latin1');
export const keyFingerprint = (blob: Buffer): string =>
  `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;

/** Undefined: the key is known. Nothing is ever accepted because it is new. */
export function judgeHostKey(blob: Buffer, known: KnownKeys, host: string, config: SshConfig): HostError | undefined {
  const all = [...known.keys, ...known.withoutPort];
  const refuse = (reason: 'host-key-unknown' | 'host-key-changed' | 'host-key-revoked', file: string): HostError => ({
    reason,
    host,
    port: config.port,
    keyType: keyType(blob),
    keyFingerprint: keyFingerprint(blob),
    knownHosts: file,
  });
  const revoked = all.find((key) => key.marker === 'revoked' && key.blob.equals(blob));
  if (revoked !== undefined) return refuse('host-key-revoked', revoked.file);
  if (all.some((key) => key.marker === 'plain' && key.blob.equals(blob))) return undefined;
  // Any other plain key of this host is a change, also one of another type: we asked for the known types first.
  const other = known.keys.find((key) => key.marker === 'plain');
  if (other !== undefined) return refuse('host-key-changed', other.file);
  return refuse('host-key-unknown', config.userKnownHosts[0] ?? config.globalKnownHosts[0] ?? '');
}

/** Signature algorithms for host keys: those whose type is known come first, so that the server shows a key we can check. */
export function orderHostKeyAlgorithms<Name extends string>(
  wanted: readonly string[],
  supported: readonly Name[],
  known: KnownKeys,
): readonly Name[] {
  const types = new Set(
    [...known.keys, ...known.withoutPort].filter((key) => key.marker === 'plain').map((key) => key.type),
  );
  const isKnown = (name: string) => types.has(/^(?:rsa-sha2-|ssh-rsa)/.test(name) ? 'ssh-rsa' : name);
  const usable = wanted.flatMap((name) => supported.filter((other) => other === name));
  const list = usable.length === 0 ? supported : usable;
  return [...list.filter(isKnown), ...list.filter((name) => !isKnown(name))];
}
