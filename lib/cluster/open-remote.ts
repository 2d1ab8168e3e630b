import type { Result } from '../base/result.ts';
import { err } from '../base/result.ts';
import type { Host, HostError } from './host.ts';
import { openOpensshHost } from './openssh-host.ts';
import type { Prompt } from './ssh-auth.ts';
import { readSshConfig } from './ssh-config.ts';
import { findMaster, type Master } from './ssh-master.ts';
import { onlyOpenSsh } from './ssh2-limits.ts';

export interface RemoteOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Default `auto`: ssh2, or the system's ssh where that is the better or the only one. */
  readonly transport?: 'auto' | 'ssh2' | 'openssh' | undefined;
  /** True: only a connection that the user's ssh keeps open already; nobody is asked and nothing is logged in to. */
  readonly requireMaster?: boolean | undefined;
  /** Passphrases, passwords and codes. Absent: nobody can be asked. */
  readonly prompt?: Prompt | undefined;
  /** See SshConfigOptions. */
  readonly sshConfigFile?: string | undefined;
  readonly loginEnvironment?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The one door to a cluster: any destination that `ssh DESTINATION` reaches. */
export async function openRemoteHost(destination: string, options: RemoteOptions): Promise<Result<Host, HostError>> {
  const { transport = 'auto', requireMaster = false, prompt, env } = options;
  const read = await readSshConfig(destination, { ...options, interactive: prompt !== undefined });
  if (!read.ok) return read;
  const config = read.value;
  const openssh = (master?: Master) => openOpensshHost(destination, { ...options, config, master });
  const ssh2 = async () => {
    // Loaded where it is used: it takes 80 ms.
    const { openSsh2Host } = await import('./ssh2-host.ts');
    return openSsh2Host(destination, { ...options, config });
  };
  if (requireMaster || transport === 'openssh') return openssh();
  if (transport === 'ssh2') return ssh2();
  const master = await findMaster(config, env);
  if (master !== undefined) return openssh(master);
  const sshFirst = (await onlyOpenSsh(config, env)) !== undefined;
  const [first, second] = sshFirst ? [() => openssh(), ssh2] : [ssh2, () => openssh()];
  const opened = await first();
  if (opened.ok || options.signal?.aborted || !mayDoBetter(opened.error)) return opened;
  const again = await second();
  return again.ok ? again : err(both(opened.error, again.error));
}

/**
 * Where the other implementation may have what this one lacks (a way to log in, an algorithm, a certificate authority), and how
 * far a login has come that ends so: of two failures the later one is told.
 */
const progress: Partial<Record<HostError['reason'], number>> = {
  'no-common-algorithm': 1,
  'host-key-unknown': 2,
  'host-key-changed': 2,
  'host-key-revoked': 2,
  'auth-refused': 3,
};
const mayDoBetter = (error: HostError): boolean => error.reason in progress && error.reason !== 'host-key-revoked';

function both(first: HostError, second: HostError): HostError {
  if (first.reason === 'auth-refused' && second.reason === 'auth-refused')
    return { ...first, tried: [...new Set([...first.tried, ...second.tried])] };
  return (progress[second.reason] ?? 0) > (progress[first.reason] ?? 0) ? second : first;
}
