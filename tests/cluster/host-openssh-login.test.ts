import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openOpensshHost } from '../../lib/cluster/openssh-host.ts';
import { describeWith } from '../rig/requirements.ts';
import { startSshd } from '../rig/sshd.ts';
import { describeLogin, keygen, knownHosts } from './login-contract.ts';

describeLogin('openssh', openOpensshHost);

describeWith('sshd', 'what only ssh knows of host keys', () => {
  test('a key that a file of revoked keys names is revoked, and that file is blamed', async () => {
    const revoked = (client: string) => join(client, 'revoked_keys');
    await using sshd = await startSshd();
    await writeFile(revoked(sshd.client), `${sshd.hostKey}\n`);
    const config = await readFile(sshd.sshConfig, 'utf8');
    await writeFile(sshd.sshConfig, `${config}  RevokedHostKeys ${revoked(sshd.client)}\n`);
    expect(await openOpensshHost('cluster', { env: sshd.env })).toMatchObject({
      ok: false,
      error: {
        reason: 'host-key-revoked',
        keyFingerprint: sshd.hostKeyFingerprint,
        knownHosts: revoked(sshd.client),
      },
    });
  });

  test('a certificate that has expired does not count, and ssh says that it has expired', async () => {
    await using sshd = await startSshd({
      known: false,
      async prepare({ server, client }) {
        keygen('-t', 'ed25519', '-N', '', '-f', join(server, 'ca'));
        const past = ['-V', '20200101:20200102'];
        keygen('-s', join(server, 'ca'), '-I', 'cluster', '-h', ...past, join(server, 'host_ed25519.pub'));
        await writeFile(join(client, 'ca'), `@cert-authority * ${await readFile(join(server, 'ca.pub'), 'utf8')}`);
        return [`HostCertificate ${join(server, 'host_ed25519-cert.pub')}`];
      },
    });
    await writeFile(knownHosts(sshd), await readFile(join(sshd.client, 'ca')));
    expect(await openOpensshHost('cluster', { env: sshd.env })).toMatchObject({
      ok: false,
      error: { reason: 'host-key-unknown', detail: expect.stringMatching(/expired/) },
    });
  });
});
