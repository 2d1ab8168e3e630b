import { type OpensshOptions, openOpensshHost } from '../../lib/cluster/openssh-host.ts';
import { describeWith, type KnownRequirement } from '../rig/requirements.ts';
import { type SshdOptions, startSshd } from '../rig/sshd.ts';
import { describeHost } from './host-contract.ts';

async function open(server: SshdOptions, client: Partial<OpensshOptions> = {}) {
  const sshd = await startSshd(server);
  const opened = await openOpensshHost('cluster', { env: sshd.env, ...client });
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

describeWith('sshd', "over the system's ssh", () => {
  describeHost('openssh', () => open({}));
  describeHost('openssh where the server allows two sessions', () => open({ maxSessions: 2 }));
});

const noise = 'echo "Welcome to the cluster"; echo "quota: 98 %" >&2\n';
const shells: readonly (readonly [KnownRequirement, Readonly<Record<string, string>>])[] = [
  ['bash', { '.bashrc': noise, '.bash_profile': `. ~/.bashrc\n${noise}`, '.profile': noise }],
  ['tcsh', { '.tcshrc': noise.replace('>&2', ''), '.login': 'echo login\n' }],
  ['fish', {}],
];
for (const [shell, home] of shells) {
  describeWith(['sshd', 'root', shell], `over the system's ssh to a user of ${shell}`, () => {
    describeHost(`openssh, ${shell} with startup files that print`, () =>
      open({ account: { shell, home }, banner: 'Authorised users only\n' }),
    );
  });
}
