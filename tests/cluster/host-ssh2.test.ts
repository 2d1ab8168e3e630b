import { openSsh2Host, type Ssh2Options } from '../../lib/cluster/ssh2-host.ts';
import { describeWith, type KnownRequirement } from '../rig/requirements.ts';
import { type SshdOptions, startSshd } from '../rig/sshd.ts';
import { describeHost } from './host-contract.ts';

async function open(server: SshdOptions, client: Partial<Ssh2Options> = {}) {
  const sshd = await startSshd(server);
  const opened = await openSsh2Host('cluster', { env: sshd.env, ...client });
  if (!opened.ok) {
    const log = await sshd.log();
    await sshd[Symbol.asyncDispose]();
    throw new Error(`${JSON.stringify(opened.error)}\n${log}`);
  }
  const host = opened.value;
  return {
    host,
    async [Symbol.asyncDispose]() {
      await host.close();
      await sshd[Symbol.asyncDispose]();
    },
  };
}

describeWith('sshd', 'over ssh2', () => {
  describeHost('ssh2', () => open({}));
  describeHost('ssh2 where the server allows two sessions', () => open({ maxSessions: 2 }));
});

const noise = 'echo "Welcome to the cluster"; echo "quota: 98 %" >&2\n';
const shells: readonly (readonly [KnownRequirement, Readonly<Record<string, string>>])[] = [
  ['bash', { '.bashrc': noise, '.bash_profile': `. ~/.bashrc\n${noise}`, '.profile': noise }],
  ['tcsh', { '.tcshrc': noise.replace('>&2', ''), '.login': 'echo login\n' }],
  ['fish', {}],
];
for (const [shell, home] of shells) {
  describeWith(['sshd', 'root', shell], `over ssh2 to a user of ${shell}`, () => {
    describeHost(`ssh2, ${shell} with startup files that print`, () =>
      open({ account: { shell, home }, banner: 'Authorised users only\n' }),
    );
  });
}
