import { spawn } from 'node:child_process';
import { appendFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { openRemoteHost, type RemoteOptions } from '../../lib/cluster/open-remote.ts';
import { run } from '../rig/repository.ts';
import { describeWith } from '../rig/requirements.ts';
import { askpass, startAgent } from '../rig/ssh-agent.ts';
import { type Sshd, type SshdOptions, startSshd } from '../rig/sshd.ts';
import { until } from '../rig/until.ts';
import { hello, keygen, knownHosts, must } from './login-contract.ts';

const open = (sshd: Sshd, options: Partial<RemoteOptions> = {}) =>
  openRemoteHost('cluster', { env: sshd.env, ...options });

async function kind(opened: Awaited<ReturnType<typeof openRemoteHost>>): Promise<string> {
  const { kind } = must(opened);
  expect(await hello(opened)).toBe('hello\n');
  return kind;
}

const ssh = (sshd: Sshd, args: readonly string[], env = sshd.env) =>
  run('ssh', ['-F', sshd.sshConfig, ...args], { env });

/** As `ssh -fN cluster` typed in a terminal by somebody who knows the answer; `await using` ends it. */
async function typeCommand(sshd: Sshd, command: string, answer = '') {
  // It goes into the background with our pipes: what it says is of no interest, that it is there is.
  const child = spawn('/bin/sh', ['-c', command], { env: await askpass(sshd, answer), stdio: 'ignore' });
  const code = await new Promise((resolve) => child.once('exit', resolve));
  if (code !== 0) throw new Error(`${command}: ${code}`);
  return { [Symbol.asyncDispose]: async () => void (await ssh(sshd, ['-O', 'exit', 'cluster'])) };
}

const sharing = (options: SshdOptions = {}): SshdOptions => ({
  ...options,
  clientConfig: [...(options.clientConfig ?? []), 'ControlMaster auto', 'ControlPath /tmp/mlops-test-%C'],
});
const logins = async (sshd: Sshd) => (await sshd.log()).match(/Connection from/g)?.length ?? 0;

describeWith('sshd', 'the transport', () => {
  test('is ssh2 where nothing speaks against it, and what is asked for', async () => {
    await using sshd = await startSshd();
    expect(await kind(await open(sshd))).toBe('ssh2');
    expect(await kind(await open(sshd, { transport: 'ssh2' }))).toBe('ssh2');
    expect(await kind(await open(sshd, { transport: 'openssh' }))).toBe('openssh');
  });

  test('is openssh for certificates of users, which ssh2 cannot show', async () => {
    await using sshd = await startSshd({
      async prepare({ server, client }) {
        keygen('-t', 'ed25519', '-N', '', '-f', join(server, 'user_ca'));
        keygen('-s', join(server, 'user_ca'), '-I', 'someone', '-n', 'root,cluster', join(client, 'id.pub'));
        await writeFile(join(server, 'authorized_keys'), '');
        await writeFile(join(server, 'principals'), 'cluster\n');
        return [
          `TrustedUserCAKeys ${join(server, 'user_ca.pub')}`,
          `AuthorizedPrincipalsFile ${join(server, 'principals')}`,
        ];
      },
    });
    expect(await kind(await open(sshd))).toBe('openssh');
    expect(await sshd.log()).toMatch(/Accepted (?:certificate|publickey).*someone/);
    expect(await open(sshd, { transport: 'ssh2' })).toMatchObject({ ok: false, error: { reason: 'auth-refused' } });
    // Named by CertificateFile, it need not stand beside its key.
    await rename(join(sshd.client, 'id-cert.pub'), join(sshd.client, 'pass'));
    await appendFile(sshd.sshConfig, `  CertificateFile ${join(sshd.client, 'pass')}\n`);
    expect(await kind(await open(sshd))).toBe('openssh');
  });

  test('is openssh for a host that a certificate authority vouches for', async () => {
    await using sshd = await startSshd({
      known: false,
      async prepare({ server, client }) {
        keygen('-t', 'ed25519', '-N', '', '-f', join(server, 'host_ca'));
        const names = ['-n', '127.0.0.1,[127.0.0.1]'];
        keygen('-s', join(server, 'host_ca'), '-I', 'cluster', '-h', ...names, join(server, 'host_ed25519.pub'));
        await writeFile(join(client, 'ca'), `@cert-authority * ${await readFile(join(server, 'host_ca.pub'), 'utf8')}`);
        return [`HostCertificate ${join(server, 'host_ed25519-cert.pub')}`];
      },
    });
    expect(await open(sshd)).toMatchObject({ ok: false, error: { reason: 'host-key-unknown' } });
    await rename(join(sshd.client, 'ca'), knownHosts(sshd));
    expect(await kind(await open(sshd))).toBe('openssh');
    expect(await open(sshd, { transport: 'ssh2' })).toMatchObject({ ok: false, error: { reason: 'host-key-unknown' } });
  });

  test('is openssh where a site allows post-quantum key exchange alone', async () => {
    await using sshd = await startSshd({ config: ['KexAlgorithms sntrup761x25519-sha512@openssh.com'] });
    expect(await open(sshd, { transport: 'ssh2' })).toMatchObject({
      ok: false,
      error: { reason: 'no-common-algorithm' },
    });
    expect(await kind(await open(sshd))).toBe('openssh');
  });

  test.each(['sk-ssh-ed25519@openssh.com', 'sk-ecdsa-sha2-nistp256@openssh.com'])(
    'is openssh where a key is a security key: %s',
    async (type) => {
      await using sshd = await startSshd();
      await writeFile(join(sshd.client, 'token.pub'), `${type} AAAA someone\n`);
      await appendFile(sshd.sshConfig, `  IdentityFile ${join(sshd.client, 'token')}\n`);
      expect(await kind(await open(sshd))).toBe('openssh');
    },
  );

  test('is openssh where keys are on a card: PKCS11Provider', async () => {
    await using sshd = await startSshd({ clientConfig: ['PKCS11Provider /usr/lib/no-such-card.so'] });
    expect(await kind(await open(sshd))).toBe('openssh');
  });

  test('is openssh for somebody with a Kerberos ticket, where GSSAPI may be used', async () => {
    await using sshd = await startSshd({ clientConfig: ['GSSAPIAuthentication yes'] });
    const klist = (code: number) => writeFile(join(sshd.client, 'klist'), `#!/bin/sh\nexit ${code}\n`, { mode: 0o755 });
    const env = { ...sshd.env, PATH: `${sshd.client}:${sshd.env.PATH}` };
    await klist(0);
    expect(await kind(await open(sshd, { env }))).toBe('openssh');
    await klist(1);
    expect(await kind(await open(sshd, { env }))).toBe('ssh2');
  });

  test('is ssh2 after all where a question has to be answered', async () => {
    await using sshd = await startSshd({ passphrase: 'correct horse' });
    await writeFile(join(sshd.client, 'token.pub'), 'sk-ssh-ed25519@openssh.com AAAA someone\n');
    await appendFile(sshd.sshConfig, `  IdentityFile ${join(sshd.client, 'token')}\n`);
    expect(await kind(await open(sshd, { prompt: async () => 'correct horse' }))).toBe('ssh2');
  });

  test('that was refused twice tells once what both have tried', async () => {
    await using sshd = await startSshd();
    await writeFile(join(sshd.client, '..', 'server', 'authorized_keys'), '');
    const refused = await open(sshd);
    const tried = [`key ${join(sshd.client, 'id')}`];
    expect(refused).toMatchObject({ ok: false, error: { reason: 'auth-refused', tried } });
  });

  test('is not tried twice after an abort', async () => {
    await using sshd = await startSshd();
    expect(await open(sshd, { signal: AbortSignal.abort() })).toMatchObject({ error: { reason: 'aborted' } });
    const abort = new AbortController();
    await sshd.freezeListener();
    const opening = open(sshd, { transport: 'openssh', signal: abort.signal });
    abort.abort();
    expect(await opening).toMatchObject({ ok: false, error: { reason: 'aborted' } });
  });
});

describeWith(['sshd', 'root'], 'an open connection of the user', () => {
  test('is required, and its absence names what to type; typed, it serves and is left alone', async () => {
    await using sshd = await startSshd(sharing({ oneTimeCodes: ['492817'] }));
    const prompt = async () => {
      throw new Error('nobody is asked');
    };
    const missing = await open(sshd, { requireMaster: true, prompt });
    expect(missing).toEqual({
      ok: false,
      error: {
        reason: 'no-master',
        host: 'cluster',
        command: `ssh -F ${sshd.sshConfig} -fN cluster`,
        controlPath: expect.stringMatching(/^\/tmp\/mlops-test-[0-9a-f]{40}$/),
      },
    });
    expect(await logins(sshd)).toBe(0);
    if (missing.ok || missing.error.reason !== 'no-master') throw new Error('unreachable');
    await using _ = await typeCommand(sshd, missing.error.command, '492817');
    for (const requireMaster of [true, true, false]) {
      expect(await kind(await open(sshd, { requireMaster, prompt }))).toBe('openssh');
    }
    expect((await ssh(sshd, ['-O', 'check', 'cluster'])).stderr).toMatch(/Master running/);
    expect(await logins(sshd)).toBe(1);
  });

  test('that ends meanwhile is lost, and nothing logs in in its place', async () => {
    await using sshd = await startSshd(sharing());
    await using _ = await typeCommand(sshd, `ssh -F ${sshd.sshConfig} -fN cluster`);
    await using host = must(await open(sshd, { requireMaster: true }));
    const running = await host.spawn('echo begun; sleep 30');
    if (!running.ok) throw new Error(JSON.stringify(running.error));
    await new Promise((resolve) => running.value.stdout.once('data', resolve));
    await ssh(sshd, ['-O', 'exit', 'cluster']);
    expect(await running.value.exit).toMatchObject({ ok: false, error: { reason: 'lost' } });
    expect(await host.exec('echo again')).toMatchObject({ ok: false, error: { reason: 'lost' } });
    expect(await open(sshd, { requireMaster: true })).toMatchObject({ ok: false, error: { reason: 'no-master' } });
    expect(await logins(sshd)).toBe(1);
  });

  test('that has died and left its socket behind is none', async () => {
    await using sshd = await startSshd(sharing());
    {
      await using _ = await typeCommand(sshd, `ssh -F ${sshd.sshConfig} -fN cluster`);
      const { stderr } = await ssh(sshd, ['-O', 'check', 'cluster']);
      process.kill(Number(/pid=(\d+)/.exec(stderr)?.[1]), 'SIGKILL');
      await until(async () => (await ssh(sshd, ['-O', 'check', 'cluster'])).code !== 0);
      expect(await open(sshd, { requireMaster: true })).toMatchObject({ ok: false, error: { reason: 'no-master' } });
      expect(await kind(await open(sshd))).toBe('ssh2');
    }
    const path = (await ssh(sshd, ['-G', 'cluster'])).stdout.match(/^controlpath (.*)$/m)?.[1];
    await rm(path ?? '', { force: true });
  });

  test('that is shared with the user has room for both: MaxSessions 2', async () => {
    await using sshd = await startSshd(sharing({ maxSessions: 2 }));
    await using _ = await typeCommand(sshd, `ssh -F ${sshd.sshConfig} -fN cluster`);
    const theirs = spawn('ssh', ['-F', sshd.sshConfig, 'cluster', 'echo there; cat'], { env: sshd.env });
    await new Promise((resolve) => theirs.stdout.once('data', resolve));
    {
      await using host = must(await open(sshd));
      const all = await Promise.all([1, 2, 3, 4].map((number) => host.exec(`echo ${number}`)));
      expect(all.map((done) => done.ok && done.value.stdout)).toEqual(['1\n', '2\n', '3\n', '4\n']);
    }
    const ended = new Promise((resolve) => theirs.once('exit', resolve));
    theirs.stdin.end();
    expect(await ended).toBe(0);
    expect(await logins(sshd)).toBe(1);
  });

  test('cannot be had where the configuration shares none, and that is said', async () => {
    await using sshd = await startSshd();
    expect(await open(sshd, { requireMaster: true })).toMatchObject({
      ok: false,
      error: { reason: 'no-master', command: `ssh -F ${sshd.sshConfig} -fNM cluster`, controlPath: undefined },
    });
  });

  test('a second factor without one is refused by ssh, which asks nobody', async () => {
    await using sshd = await startSshd({ oneTimeCodes: ['492817'] });
    const env = await askpass(sshd, '492817');
    expect(await open(sshd, { transport: 'openssh', env })).toMatchObject({
      ok: false,
      error: { reason: 'auth-refused', tried: [`key ${join(sshd.client, 'id')}`] },
    });
  });

  test('is not needed with an agent', async () => {
    await using sshd = await startSshd({ passphrase: 'correct horse' });
    await using agent = await startAgent(sshd, 'correct horse');
    expect(await kind(await open(sshd, { env: agent.env, transport: 'openssh' }))).toBe('openssh');
  });
});

/** A temporary folder of the client's own, so that nobody else writes there. */
async function withFolder(sshd: Sshd, name: string) {
  const folder = join(sshd.client, name);
  await mkdir(folder);
  return { folder, env: { ...sshd.env, TMPDIR: folder }, list: () => readdir(folder) };
}

describeWith('sshd', 'a connection of ours', () => {
  test('is private, and gone with everything of it when it is closed', async () => {
    await using sshd = await startSshd();
    const { env, folder, list } = await withFolder(sshd, 'tmp');
    await using host = must(await open(sshd, { transport: 'openssh', env }));
    const [own = ''] = await list();
    const { stdout } = await run('stat', ['-c', '%a %F', join(folder, own), join(folder, own, 's')]);
    expect(stdout).toBe('700 directory\n600 socket\n');
    const idle = await host.spawn('sleep 30');
    await host.close();
    expect(idle.ok && (await idle.value.exit)).toMatchObject({ ok: false, error: { reason: 'lost' } });
    expect(await list()).toEqual([]);
    await until(async () => (await sshd.connections()) === 0, 5);
  });

  test('leaves nothing behind when a login fails', async () => {
    await using sshd = await startSshd({ known: false });
    const { env, list } = await withFolder(sshd, 'tmp');
    expect(await open(sshd, { transport: 'openssh', env })).toMatchObject({ ok: false });
    expect(await list()).toEqual([]);
  });

  test('has a socket that fits where the temporary folder has a long name', async () => {
    await using sshd = await startSshd();
    const { env, list } = await withFolder(sshd, 'a-long-name-'.repeat(8));
    await using host = must(await open(sshd, { transport: 'openssh', env }));
    expect(await host.exec('echo fits')).toMatchObject({ ok: true, value: { stdout: 'fits\n' } });
    expect(await list()).toEqual([]);
  });

  test('ends with us when we are killed, scripts that run included', async () => {
    await using sshd = await startSshd();
    const { env, folder, list } = await withFolder(sshd, 'tmp');
    const program = join(sshd.client, 'client.mjs');
    await build({
      stdin: {
        contents: `
          import { openOpensshHost } from './openssh-host.ts';
          const opened = await openOpensshHost('cluster', { env: process.env });
          const running = await opened.value.spawn('echo begun; exec sleep 63');
          running.value.stdout.pipe(process.stdout);
        `,
        resolveDir: join(import.meta.dirname, '../../lib/cluster'),
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: program,
    });
    const client = spawn(process.execPath, [program], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise((resolve) => client.stdout.once('data', resolve));
    expect(await list()).toHaveLength(1);
    client.kill('SIGKILL');
    await until(async () => (await list()).length === 0, 5);
    await until(async () => (await sshd.connections()) === 0, 5);
    // Every ssh of it names the folder.
    await until(async () => !(await run('ps', ['-A', '-o', 'args='])).stdout.includes(folder), 5);
  });
});
