import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { runProgram } from './run-program.ts';
import type { SshConfig } from './ssh-config.ts';

/** What a configuration may ask for, and only OpenSSH can do. */
export type OnlyOpenSsh = 'certificate' | 'security-key' | 'pkcs11' | 'gssapi' | 'fd-passing';

/** The first of these, if there is one. What an agent holds is not looked into: a login that fails is tried by ssh after all. */
export async function onlyOpenSsh(config: SshConfig, env: NodeJS.ProcessEnv): Promise<OnlyOpenSsh | undefined> {
  const value = (keyword: string) => config.values.get(keyword)?.[0] ?? 'none';
  if (value('certificatefile') !== 'none') return 'certificate';
  // ssh offers FILE-cert.pub beside FILE without being told.
  if (config.identityFiles.some((file) => existsSync(`${file}-cert.pub`))) return 'certificate';
  if (value('pkcs11provider') !== 'none') return 'pkcs11';
  if (value('proxyusefdpass') === 'yes') return 'fd-passing';
  const types = await Promise.all(config.identityFiles.map(publicKeyType));
  if (types.some((type) => type?.startsWith('sk-'))) return 'security-key';
  // Distributions switch it on for every host; it counts where there is a ticket.
  if (value('gssapiauthentication') === 'yes' && (await hasTicket(env))) return 'gssapi';
  return undefined;
}

async function publicKeyType(file: string): Promise<string | undefined> {
  const line = await readFile(`${file}.pub`, 'utf8').catch(() => undefined);
  return line?.split(' ')[0];
}

async function hasTicket(env: NodeJS.ProcessEnv): Promise<boolean> {
  const asked = await runProgram('klist', ['-s'], env);
  return asked.ok && asked.value.code === 0;
}
