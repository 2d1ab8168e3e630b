import { execFileSync, spawn } from 'node:child_process';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Host } from '../../lib/cluster/host.ts';
import { openSsh2Host } from '../../lib/cluster/ssh2-host.ts';
import { run } from '../rig/repository.ts';
import { describeWith } from '../rig/requirements.ts';
import { freePort, type Sshd, startSshd } from '../rig/sshd.ts';

const open = (sshd: Sshd, options = {}, destination = 'cluster') =>
  openSsh2Host(destination, { env: sshd.env, ...options });

async function hello(opened: Awaited<ReturnType<typeof openSsh2Host>>): Promise<string> {
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  await using host: Host & AsyncDisposable = Object.assign(opened.value, {
    [Symbol.asyncDispose]: () => opened.value.close(),
  });
  const said = await host.exec('echo hello');
  if (!said.ok) throw new Error(JSON.stringify(said.error));
  return said.value.stdout;
}

const keygen = (...args: string[]) => execFileSync('ssh-keygen', ['-q', ...args]);
const knownHosts = (sshd: Sshd) => join(sshd.client, 'known_hosts');

describeWith('sshd', 'the host key', () => {
  test('that is unknown is refused with its fingerprint, and nobody logs in', async () => {
    await using sshd = await startSshd({ known: false });
    expect(await open(sshd)).toEqual({
      ok: false,
      error: {
        reason: 'host-key-unknown',
        host: 'cluster',
        port: sshd.port,
        keyType: 'ssh-ed25519',
        keyFingerprint: sshd.hostKeyFingerprint,
        knownHosts: knownHosts(sshd),
      },
    });
    expect(await sshd.log()).not.toMatch(/Accepted|Postponed|Failed publickey|user root/);
    expect(await readFile(knownHosts(sshd), 'utf8')).toBe('');
  });

  test('is not accepted because the configuration does not look: StrictHostKeyChecking no', async () => {
    await using sshd = await startSshd({ known: false, clientConfig: ['StrictHostKeyChecking no'] });
    expect(await open(sshd)).toMatchObject({ ok: false, error: { reason: 'host-key-unknown' } });
  });

  test('that has changed is refused, and is called changed', async () => {
    await using sshd = await startSshd();
    keygen('-t', 'ed25519', '-N', '', '-f', join(sshd.client, 'other'));
    const other = await readFile(join(sshd.client, 'other.pub'), 'utf8');
    await writeFile(knownHosts(sshd), `[127.0.0.1]:${sshd.port} ${other}`);
    expect(await open(sshd)).toMatchObject({
      ok: false,
      error: { reason: 'host-key-changed', keyFingerprint: sshd.hostKeyFingerprint, knownHosts: knownHosts(sshd) },
    });
  });

  test('that is revoked is refused, also where another line knows it', async () => {
    await using sshd = await startSshd();
    await appendFile(knownHosts(sshd), `@revoked * ${sshd.hostKey}\n`);
    expect(await open(sshd)).toMatchObject({ ok: false, error: { reason: 'host-key-revoked' } });
  });

  test('is found in a hashed file', async () => {
    await using sshd = await startSshd();
    keygen('-H', '-f', knownHosts(sshd));
    expect(await readFile(knownHosts(sshd), 'utf8')).toMatch(/^\|1\|/);
    expect(await hello(await open(sshd))).toBe('hello\n');
  });

  test('is found by a wildcard, and by an alias', async () => {
    await using sshd = await startSshd({ clientConfig: ['HostKeyAlias the-cluster'] });
    expect(await open(sshd)).toMatchObject({ ok: false, error: { reason: 'host-key-unknown' } });
    await writeFile(knownHosts(sshd), `the-* ${sshd.hostKey}\n`);
    expect(await hello(await open(sshd))).toBe('hello\n');
  });

  test('of a type that the server prefers less is asked for when that one is known', async () => {
    await using sshd = await startSshd();
    const ecdsa = await readFile(join(sshd.client, '..', 'server', 'host_ecdsa.pub'), 'utf8');
    await writeFile(knownHosts(sshd), `[127.0.0.1]:${sshd.port} ${ecdsa}`);
    expect(await hello(await open(sshd))).toBe('hello\n');
  });

  test('of a certificate authority is not a key of the host', async () => {
    await using sshd = await startSshd();
    await writeFile(knownHosts(sshd), `@cert-authority * ${sshd.hostKey}\n`);
    expect(await open(sshd)).toMatchObject({ ok: false, error: { reason: 'host-key-unknown' } });
  });
});

describeWith('sshd', 'logging in', () => {
  test('with a key that the server does not know names the user and what was tried', async () => {
    await using sshd = await startSshd();
    keygen('-t', 'ed25519', '-N', '', '-f', join(sshd.client, 'stranger'));
    await writeFile(join(sshd.client, 'id'), await readFile(join(sshd.client, 'stranger')));
    await writeFile(join(sshd.client, 'id.pub'), await readFile(join(sshd.client, 'stranger.pub')));
    expect(await open(sshd)).toMatchObject({
      ok: false,
      error: { reason: 'auth-refused', host: 'cluster', user: sshd.user, tried: [`key ${join(sshd.client, 'id')}`] },
    });
  });

  test('with an encrypted key asks for its passphrase, and asks again after a wrong one', async () => {
    await using sshd = await startSshd({ passphrase: 'correct horse' });
    const answers = ['wrong', 'correct horse'];
    const questions: [string, boolean][] = [];
    const prompt = async (question: string, hidden: boolean) => {
      questions.push([question, hidden]);
      return answers.shift();
    };
    expect(await hello(await open(sshd, { prompt }))).toBe('hello\n');
    const question = [`Passphrase for ${join(sshd.client, 'id')}: `, true];
    expect(questions).toEqual([question, question]);
  });

  test('with an encrypted key and nobody to ask says so', async () => {
    await using sshd = await startSshd({ passphrase: 'correct horse' });
    const refused = await open(sshd);
    expect(refused).toMatchObject({ ok: false, error: { reason: 'auth-refused' } });
    expect(JSON.stringify(refused)).toMatch(/key .*client\/id \(.*passphrase/i);
  });

  test('takes the agent first, so that an encrypted key needs no passphrase', async () => {
    await using sshd = await startSshd({ passphrase: 'correct horse' });
    await using agent = await startAgent(sshd, 'correct horse');
    expect(await hello(await open(sshd, { env: agent.env }))).toBe('hello\n');
  });

  test('works with the agent alone, and not with a dead one', async () => {
    await using sshd = await startSshd({ clientConfig: ['IdentitiesOnly no', 'IdentityFile none'] });
    await using agent = await startAgent(sshd, '');
    expect(await hello(await open(sshd, { env: agent.env }))).toBe('hello\n');
    await agent[Symbol.asyncDispose]();
    const refused = await open(sshd, { env: { ...sshd.env, SSH_AUTH_SOCK: join(sshd.client, 'no-agent') } });
    expect(refused).toMatchObject({ ok: false, error: { reason: 'auth-refused' } });
    expect(JSON.stringify(refused)).toContain('no-agent');
  });

  test('works through a jump host', async () => {
    await using sshd = await startSshd();
    await appendFile(sshd.sshConfig, `Host inner\n  ProxyJump cluster\n  HostName 127.0.0.1\n  Port ${sshd.port}\n`);
    await appendFile(sshd.sshConfig, `Host *\n  IdentityFile ${join(sshd.client, 'id')}\n  User ${sshd.user}\n`);
    await appendFile(sshd.sshConfig, `  UserKnownHostsFile ${knownHosts(sshd)}\n`);
    expect(await hello(await open(sshd, {}, 'inner'))).toBe('hello\n');
    expect((await sshd.log()).match(/Accepted publickey/g)).toHaveLength(2);
  });

  test('works through a proxy command, and shows the words of one that fails', async () => {
    await using sshd = await startSshd();
    await appendFile(sshd.sshConfig, `Host proxied\n  ProxyCommand ssh -F ${sshd.sshConfig} -W %h:%p cluster\n`);
    await appendFile(sshd.sshConfig, 'Host broken\n  ProxyCommand echo "no route for %n" >&2; exit 1\n');
    await appendFile(sshd.sshConfig, `Host proxied broken\n  HostName 127.0.0.1\n  Port ${sshd.port}\n`);
    await appendFile(sshd.sshConfig, `  IdentityFile ${join(sshd.client, 'id')}\n  User ${sshd.user}\n`);
    await appendFile(sshd.sshConfig, `  UserKnownHostsFile ${knownHosts(sshd)}\n`);
    expect(await hello(await open(sshd, {}, 'proxied'))).toBe('hello\n');
    const broken = await open(sshd, {}, 'broken');
    expect(broken).toMatchObject({ ok: false, error: { reason: 'unreachable', host: 'broken' } });
    expect(JSON.stringify(broken)).toContain('no route for broken');
  });
});

describeWith('sshd', 'the connection', () => {
  test('that is cut in the middle of a script is lost at once, and everything after it too', async () => {
    await using sshd = await startSshd();
    const opened = await open(sshd);
    if (!opened.ok) throw new Error(JSON.stringify(opened.error));
    const host = opened.value;
    const running = await host.spawn('echo begun; sleep 30');
    if (!running.ok) throw new Error(JSON.stringify(running.error));
    await new Promise((resolve) => running.value.stdout.once('data', resolve));
    const waiting = host.exec('sleep 30');
    const cut = performance.now();
    expect(await sshd.killConnections()).toBeGreaterThan(0);
    expect(await running.value.exit).toMatchObject({ ok: false, error: { reason: 'lost', host: 'cluster' } });
    expect(await waiting).toMatchObject({ ok: false, error: { reason: 'lost' } });
    expect(performance.now() - cut).toBeLessThan(2000);
    expect(await host.exec('echo again')).toMatchObject({ ok: false, error: { reason: 'lost' } });
    await host.close();
  });

  test('that swallows everything leaves a script with its time limit', async () => {
    await using sshd = await startSshd();
    const opened = await open(sshd);
    if (!opened.ok) throw new Error(JSON.stringify(opened.error));
    expect(await sshd.freezeConnections()).toBeGreaterThan(0);
    expect(await opened.value.exec('echo', { timeoutSeconds: 1 })).toMatchObject({ error: { reason: 'timeout' } });
    await opened.value.close();
  });

  test('is one for any number of scripts', async () => {
    await using sshd = await startSshd();
    const opened = await open(sshd);
    if (!opened.ok) throw new Error(JSON.stringify(opened.error));
    await Promise.all(Array.from({ length: 12 }, () => opened.value.exec('true')));
    await opened.value.close();
    expect((await sshd.log()).match(/Connection from/g)).toHaveLength(1);
  });

  test('to nothing is unreachable, and to no name is an unknown host', async () => {
    await using sshd = await startSshd();
    await appendFile(sshd.sshConfig, `Host nothing\n  HostName 127.0.0.1\n  Port ${await freePort()}\n`);
    const nothing = await open(sshd, {}, 'nothing');
    expect(nothing).toMatchObject({ ok: false, error: { reason: 'unreachable', host: 'nothing' } });
    expect(JSON.stringify(nothing)).toContain('ECONNREFUSED');
    const nobody = await open(sshd, {}, 'no-such-host.invalid');
    expect(nobody).toMatchObject({ ok: false, error: { host: 'no-such-host.invalid' } });
    expect(['unknown-host', 'unreachable']).toContain(nobody.ok ? '' : nobody.error.reason);
  });

  test('to a server that is not SSH or says nothing is unreachable', async () => {
    await using sshd = await startSshd({ clientConfig: ['ConnectTimeout 1'] });
    await sshd.freezeListener();
    expect(await open(sshd)).toMatchObject({ ok: false, error: { reason: 'unreachable' } });
  });
});

describe('a destination', () => {
  test.each(['-oProxyCommand=touch pwned', '-v', 'two words', 'tab\there', 'line\nbreak', ''])(
    'like %j is refused',
    async (name) => {
      const opened = await openSsh2Host(name, { env: process.env });
      expect(opened).toMatchObject({ ok: false, error: { reason: 'unknown-host', host: name } });
    },
  );

  test('needs the ssh program, and its absence is named', async () => {
    const opened = await openSsh2Host('cluster', { env: { PATH: '/nonexistent' } });
    expect(opened).toMatchObject({ ok: false, error: { reason: 'unreachable' } });
    expect(JSON.stringify(opened)).toMatch(/cannot run ssh/);
  });
});

describeWith(['sshd', 'root', 'bash'], 'the login environment', () => {
  test('is there for every script, with one login shell for the connection', async () => {
    const home = {
      '.bash_profile':
        'echo noise; echo x >>~/logins; export SCRATCH="/scratch/it\'s mine" PATH="$PATH:/opt/site/bin"\n',
    };
    await using sshd = await startSshd({ account: { shell: 'bash', home } });
    const opened = await open(sshd);
    if (!opened.ok) throw new Error(JSON.stringify(opened.error));
    for (let again = 0; again < 3; again += 1) {
      const done = await opened.value.exec('echo "$SCRATCH"; case $PATH in *:/opt/site/bin) echo path;; esac');
      expect(done).toMatchObject({ ok: true, value: { stdout: "/scratch/it's mine\npath\n" } });
    }
    await opened.value.close();
    expect(await readFile(join(sshd.home, 'logins'), 'utf8')).toBe('x\n');
  });

  test('that cannot be had costs its variables, not the connection', async () => {
    await using sshd = await startSshd({ account: { shell: 'bash', home: { '.bash_profile': 'exit 3\n' } } });
    expect(await hello(await open(sshd))).toBe('hello\n');
  });
});

describeWith(['sshd', 'root'], 'an account whose shell lets nobody in', () => {
  test('is named as that, with the words of the server', async () => {
    await using sshd = await startSshd({ account: { shell: 'nologin' } });
    const opened = await open(sshd);
    expect(opened).toMatchObject({ ok: false, error: { reason: 'no-shell' } });
    expect(JSON.stringify(opened)).toMatch(/not available/);
  });
});

/** A real ssh-agent that holds the client's key. */
async function startAgent(sshd: Sshd, passphrase: string) {
  const socket = join(sshd.client, `agent-${Math.random().toString(36).slice(2)}`);
  const child = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  // It prints its variables once it listens.
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const askpass = join(sshd.client, 'askpass');
  await writeFile(askpass, `#!/bin/sh\necho '${passphrase}'\n`, { mode: 0o755 });
  const env = { ...sshd.env, SSH_AUTH_SOCK: socket };
  const asking = { ...env, SSH_ASKPASS: askpass, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: ':0' };
  const added = await run('ssh-add', [join(sshd.client, 'id')], { env: asking });
  if (added.code !== 0) throw new Error(added.stderr);
  return {
    env,
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}
