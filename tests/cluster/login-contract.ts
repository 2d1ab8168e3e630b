import { execFileSync } from 'node:child_process';
import { appendFile, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Result } from '../../lib/base/result.ts';
import type { Host, HostError } from '../../lib/cluster/host.ts';
import { run } from '../rig/repository.ts';
import { describeWith } from '../rig/requirements.ts';
import { startAgent } from '../rig/ssh-agent.ts';
import { freePort, type Sshd, startSshd } from '../rig/sshd.ts';
import { until } from '../rig/until.ts';

export interface LoginOptions {
  readonly env: NodeJS.ProcessEnv;
}
export type OpenRemote = (destination: string, options: LoginOptions) => Promise<Result<Host, HostError>>;

export const keygen = (...args: string[]) => execFileSync('ssh-keygen', ['-q', ...args], { stdio: 'pipe' });
export const knownHosts = (sshd: Sshd) => join(sshd.client, 'known_hosts');

export function must(opened: Result<Host, HostError>): Host & AsyncDisposable {
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  return Object.assign(opened.value, { [Symbol.asyncDispose]: () => opened.value.close() });
}

export async function hello(opened: Result<Host, HostError>): Promise<string> {
  await using host = must(opened);
  const said = await host.exec('echo hello');
  if (!said.ok) throw new Error(JSON.stringify(said.error));
  return said.value.stdout;
}

/** The key that the client offers is one that the server has never seen. */
async function becomeStranger(sshd: Sshd): Promise<void> {
  keygen('-t', 'ed25519', '-N', '', '-f', join(sshd.client, 'stranger'));
  await rename(join(sshd.client, 'stranger'), join(sshd.client, 'id'));
  await rename(join(sshd.client, 'stranger.pub'), join(sshd.client, 'id.pub'));
}

/** A way to the server that forgets connections on which nothing has moved for some time, as firewalls do. */
async function forgetfulLink(port: number, idleMs: number) {
  let dropped = 0;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    let timer: NodeJS.Timeout | undefined;
    const alive = () => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        dropped += 1;
        near.resetAndDestroy();
        far.destroy();
      }, idleMs);
    };
    alive();
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', alive);
      from.on('error', () => undefined);
      from.on('close', () => {
        clearTimeout(timer);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    port: address.port,
    dropped: () => dropped,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** What logging in promises, whichever program does it. */
export function describeLogin(name: string, openRemote: OpenRemote): void {
  const open = (sshd: Sshd, options: Partial<LoginOptions> = {}, destination = 'cluster') =>
    openRemote(destination, { env: sshd.env, ...options });

  describeWith('sshd', `the host key, ${name}`, () => {
    test('that is unknown is refused with its fingerprint, and nobody logs in', async () => {
      await using sshd = await startSshd({ known: false });
      expect(await open(sshd)).toMatchObject({
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
      expect(await open(sshd)).toMatchObject({
        ok: false,
        error: {
          reason: 'host-key-revoked',
          keyFingerprint: sshd.hostKeyFingerprint,
          knownHosts: knownHosts(sshd),
        },
      });
    });

    test('is found in a hashed file', async () => {
      await using sshd = await startSshd();
      keygen('-H', '-f', knownHosts(sshd));
      await rm(`${knownHosts(sshd)}.old`);
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

  describeWith('sshd', `logging in, ${name}`, () => {
    test('with a key that the server does not know names the user and what was tried', async () => {
      await using sshd = await startSshd();
      await becomeStranger(sshd);
      expect(await open(sshd)).toMatchObject({
        ok: false,
        error: { reason: 'auth-refused', host: 'cluster', user: sshd.user, tried: [`key ${join(sshd.client, 'id')}`] },
      });
    });

    test('with an encrypted key and nobody to ask says so', async () => {
      await using sshd = await startSshd({ passphrase: 'correct horse' });
      const refused = await open(sshd);
      expect(refused).toMatchObject({ ok: false, error: { reason: 'auth-refused' } });
      expect(JSON.stringify(refused)).toMatch(/key .*client\/id \(.*(?:passphrase|locked)/i);
    });

    test('takes the agent, so that an encrypted key needs no passphrase', async () => {
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

    test('takes the agent that the configuration names, which goes before SSH_AUTH_SOCK', async () => {
      await using sshd = await startSshd({ clientConfig: ['IdentitiesOnly no', 'IdentityFile none'] });
      await using agent = await startAgent(sshd, '');
      await appendFile(sshd.sshConfig, `  IdentityAgent ${agent.env.SSH_AUTH_SOCK}\n`);
      const env = { ...sshd.env, SSH_AUTH_SOCK: join(sshd.client, 'no-agent') };
      expect(await hello(await open(sshd, { env }))).toBe('hello\n');
    });

    test('offers of a full agent the named key only: IdentitiesOnly, where a server allows few tries', async () => {
      // The first try is `none` or the key itself; three strangers before it are too many.
      await using sshd = await startSshd({ config: ['MaxAuthTries 3'] });
      const strangers = ['a', 'b', 'c', 'd'];
      for (const stranger of strangers) keygen('-t', 'ed25519', '-N', '', '-f', join(sshd.client, stranger));
      await using agent = await startAgent(sshd, '', [...strangers, 'id']);
      expect(await hello(await open(sshd, { env: agent.env }))).toBe('hello\n');
      expect(await sshd.log()).not.toMatch(/Failed publickey/);
      const config = await readFile(sshd.sshConfig, 'utf8');
      const without = config.replace('IdentitiesOnly yes', 'IdentitiesOnly no').replace(/ +IdentityFile .*\n/, '');
      await writeFile(sshd.sshConfig, without);
      expect(await open(sshd, { env: agent.env })).toMatchObject({ ok: false, error: { reason: 'auth-refused' } });
    });

    test('reads the configuration as ssh does: Include, Match and patterns', async () => {
      await using sshd = await startSshd();
      const folder = join(sshd.client, 'conf.d');
      await mkdir(folder);
      const lines = [
        'HostName 127.0.0.1',
        `Port ${sshd.port}`,
        `UserKnownHostsFile ${knownHosts(sshd)}`,
        'GlobalKnownHostsFile /dev/null',
      ];
      await writeFile(join(folder, '10-site.conf'), `Host login?.site !login3.site\n${lines.join('\n')}\n`);
      const key = `IdentityFile ${join(sshd.client, 'id')}`;
      const match = `Match originalhost login*.site exec "test %n = login1.site"\n  User ${sshd.user}\n  ${key}\n`;
      await writeFile(sshd.sshConfig, `Include ${folder}/*.conf\n${match}Match all\n  ConnectTimeout 7\n`);
      expect(await hello(await open(sshd, {}, 'login1.site'))).toBe('hello\n');
      expect(await open(sshd, {}, 'login3.site')).toMatchObject({ ok: false, error: { host: 'login3.site' } });
    });

    test('works through a second server as jump host, and tells the words of a jump that fails', async () => {
      await using sshd = await startSshd();
      await using bastion = await startSshd();
      const jump = `Host bastion\n  HostName 127.0.0.1\n  Port ${bastion.port}\n  User ${bastion.user}\n  IdentityFile ${join(bastion.client, 'id')}\n  UserKnownHostsFile ${knownHosts(bastion)}\n`;
      const config = await readFile(sshd.sshConfig, 'utf8');
      await writeFile(sshd.sshConfig, config.replace('Host cluster\n', 'Host cluster\n  ProxyJump bastion\n') + jump);
      expect(await hello(await open(sshd))).toBe('hello\n');
      expect((await bastion.log()).match(/Accepted publickey/g)).toHaveLength(1);
      expect((await sshd.log()).match(/Accepted publickey/g)).toHaveLength(1);
      await writeFile(knownHosts(bastion), '');
      const refused = await open(sshd);
      expect(refused).toMatchObject({ ok: false, error: { reason: 'unreachable', host: 'cluster' } });
      expect(JSON.stringify(refused)).toMatch(/Host key verification failed/);
    });

    test('works through a proxy command, and shows the words of one that fails', async () => {
      await using sshd = await startSshd();
      await appendFile(sshd.sshConfig, `Host proxied\n  ProxyCommand ssh -F ${sshd.sshConfig} -W %h:%p cluster\n`);
      await appendFile(sshd.sshConfig, 'Host broken\n  ProxyCommand sh -c "echo no route for %n >&2; exit 1"\n');
      await appendFile(sshd.sshConfig, `Host proxied broken\n  HostName 127.0.0.1\n  Port ${sshd.port}\n`);
      await appendFile(sshd.sshConfig, `  IdentityFile ${join(sshd.client, 'id')}\n  User ${sshd.user}\n`);
      await appendFile(sshd.sshConfig, `  UserKnownHostsFile ${knownHosts(sshd)}\n`);
      expect(await hello(await open(sshd, {}, 'proxied'))).toBe('hello\n');
      const broken = await open(sshd, {}, 'broken');
      expect(broken).toMatchObject({ ok: false, error: { reason: 'unreachable', host: 'broken' } });
      expect(JSON.stringify(broken)).toContain('no route for broken');
    });

    test('needs no SFTP', async () => {
      await using sshd = await startSshd();
      const sftp = await run('sftp', ['-F', sshd.sshConfig, '-b', '/dev/null', 'cluster'], { env: sshd.env });
      expect(sftp.stderr).toMatch(/subsystem request failed/);
      expect(await hello(await open(sshd))).toBe('hello\n');
    });

    test('is not disturbed by what a user sets for their own sessions', async () => {
      const clientConfig = [
        'RemoteCommand tmux attach',
        'RequestTTY yes',
        'SessionType none',
        'StdinNull yes',
        'ForkAfterAuthentication yes',
        'LocalForward 1 127.0.0.1:1',
        'ExitOnForwardFailure yes',
        'LogLevel QUIET',
      ];
      await using sshd = await startSshd({ clientConfig });
      expect(await hello(await open(sshd))).toBe('hello\n');
    });

    test('at a server with other algorithms is told from a dead link, with what ssh says about it', async () => {
      await using sshd = await startSshd({ config: ['Ciphers 3des-cbc'], clientConfig: ['Ciphers aes128-ctr'] });
      const refused = await open(sshd);
      if (refused.ok) await refused.value.close();
      expect(refused).toMatchObject({ ok: false, error: { reason: 'no-common-algorithm', host: 'cluster' } });
      expect(JSON.stringify(refused)).toMatch(/no matching/);
    });
  });

  describeWith('sshd', `the connection, ${name}`, () => {
    test('that is cut in the middle of a script is lost at once, and everything after it too', async () => {
      await using sshd = await startSshd();
      await using host = must(await open(sshd));
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
    });

    test('that swallows everything leaves a script with its time limit', async () => {
      await using sshd = await startSshd();
      await using host = must(await open(sshd));
      expect(await sshd.freezeConnections()).toBeGreaterThan(0);
      expect(await host.exec('echo', { timeoutSeconds: 1 })).toMatchObject({ error: { reason: 'timeout' } });
    });

    test('that a firewall forgets after five idle seconds is lost, and the next one works', async () => {
      await using sshd = await startSshd();
      await using link = await forgetfulLink(sshd.port, 5000);
      const config = await readFile(sshd.sshConfig, 'utf8');
      await writeFile(sshd.sshConfig, config.replace(`Port ${sshd.port}`, `Port ${link.port}`));
      await writeFile(knownHosts(sshd), `[127.0.0.1]:${link.port} ${sshd.hostKey}\n`);
      await using host = must(await open(sshd));
      await until(() => link.dropped() === 1);
      expect(await host.exec('echo', { timeoutSeconds: 10 })).toMatchObject({ ok: false, error: { reason: 'lost' } });
      expect(await hello(await open(sshd))).toBe('hello\n');
    });

    test('stays where the configuration asks for signs of life: ServerAliveInterval', async () => {
      await using sshd = await startSshd({ clientConfig: ['ServerAliveInterval 1'] });
      await using link = await forgetfulLink(sshd.port, 2500);
      const config = await readFile(sshd.sshConfig, 'utf8');
      await writeFile(sshd.sshConfig, config.replace(`Port ${sshd.port}`, `Port ${link.port}`));
      await writeFile(knownHosts(sshd), `[127.0.0.1]:${link.port} ${sshd.hostKey}\n`);
      await using host = must(await open(sshd));
      const began = performance.now();
      await until(() => performance.now() - began > 6000);
      expect(link.dropped()).toBe(0);
      expect(await host.exec('echo still here')).toMatchObject({ ok: true, value: { stdout: 'still here\n' } });
    });

    test('is one for any number of scripts', async () => {
      await using sshd = await startSshd();
      {
        await using host = must(await open(sshd));
        await Promise.all(Array.from({ length: 12 }, () => host.exec('true')));
      }
      expect((await sshd.log()).match(/Connection from/g)).toHaveLength(1);
    });

    test('to nothing is unreachable, and to no name is an unknown host', async () => {
      await using sshd = await startSshd();
      await appendFile(sshd.sshConfig, `Host nothing\n  HostName 127.0.0.1\n  Port ${await freePort()}\n`);
      const nothing = await open(sshd, {}, 'nothing');
      expect(nothing).toMatchObject({ ok: false, error: { reason: 'unreachable', host: 'nothing' } });
      expect(JSON.stringify(nothing)).toMatch(/ECONNREFUSED|Connection refused/);
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

  describe(`a destination, ${name}`, () => {
    test.each(['-oProxyCommand=touch pwned', '-v', 'two words', 'tab\there', 'line\nbreak', ''])(
      'like %j is refused',
      async (destination) => {
        const opened = await openRemote(destination, { env: process.env });
        expect(opened).toMatchObject({ ok: false, error: { reason: 'unknown-host', host: destination } });
      },
    );

    test('needs the ssh program, and its absence is named', async () => {
      const opened = await openRemote('cluster', { env: { PATH: '/nonexistent' } });
      expect(opened).toMatchObject({ ok: false, error: { reason: 'unreachable' } });
      expect(JSON.stringify(opened)).toMatch(/cannot run ssh/);
    });
  });

  describeWith(['sshd', 'root', 'bash'], `the login environment, ${name}`, () => {
    test('is there for every script, with one login shell for the connection', async () => {
      const home = {
        '.bash_profile':
          'echo noise; echo x >>~/logins; export SCRATCH="/scratch/it\'s mine" PATH="$PATH:/opt/site/bin"\n',
      };
      await using sshd = await startSshd({ account: { shell: 'bash', home } });
      {
        await using host = must(await open(sshd));
        for (let again = 0; again < 3; again += 1) {
          const done = await host.exec('echo "$SCRATCH"; case $PATH in *:/opt/site/bin) echo path;; esac');
          expect(done).toMatchObject({ ok: true, value: { stdout: "/scratch/it's mine\npath\n" } });
        }
      }
      expect(await readFile(join(sshd.home, 'logins'), 'utf8')).toBe('x\n');
    });

    test('that cannot be had costs its variables, not the connection', async () => {
      await using sshd = await startSshd({ account: { shell: 'bash', home: { '.bash_profile': 'exit 3\n' } } });
      expect(await hello(await open(sshd))).toBe('hello\n');
    });
  });

  describeWith(['sshd', 'root'], `an account whose shell lets nobody in, ${name}`, () => {
    test('is named as that, with the words of the server', async () => {
      await using sshd = await startSshd({ account: { shell: 'nologin' } });
      const opened = await open(sshd);
      expect(opened).toMatchObject({ ok: false, error: { reason: 'no-shell' } });
      expect(JSON.stringify(opened)).toMatch(/not available/);
    });
  });
}
