import { access, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ok } from '../../lib/base/result.ts';
import { listEnvironments, readEnvironment, removeEnvironment } from '../../lib/cluster/environments.ts';
import { openLocalHost } from '../../lib/cluster/local-host.ts';
import type { Scheduler } from '../../lib/cluster/scheduler.ts';
import { chooseEnvironment } from '../../lib/commands/env-show.ts';
import { environmentUsers } from '../../lib/commands/environment-users.ts';
import { exists } from '../rig/environment.ts';

const host = openLocalHost(process.env);
const key = (digit: string) => digit.repeat(24);
const run = `runs/${'5'.repeat(64)}`;
let workdir: string;
beforeEach(async () => {
  workdir = join(await mkdtemp(join(tmpdir(), 'mlops-envs-')), 'work dir');
  await mkdir(join(workdir, 'tmp'), { recursive: true });
});
afterEach(async () => rm(dirname(workdir), { recursive: true, force: true }));

const put = async (path: string, text = '') => {
  await mkdir(dirname(join(workdir, path)), { recursive: true });
  await writeFile(join(workdir, path), text);
};
const complete =
  'version=1\nkind=venv\nplatform=x86_64\nmanager=/usr/bin/python3\nmanager_version=Python 3.11.2\nseconds=12\nat=1795526000\n';
/** An attempt whose script names an environment. */
const attempt = async (number: number, of: string, state: Readonly<Record<string, string>> = {}) => {
  await put(`${run}/${number}/job.sh`, `#!/bin/sh\nworkdir=x\nenvironment=$workdir/envs/${of}\n`);
  for (const [name, text] of Object.entries(state)) await put(`${run}/${number}/state/${name}`, text);
};
const longAgo = async (...paths: string[]) => {
  const old = new Date(Date.now() - 3 * 86_400_000);
  for (const path of paths) await utimes(join(workdir, path), old, old);
};
const list = async () => {
  const listed = await listEnvironments(host, workdir);
  if (!listed.ok) throw new Error(JSON.stringify(listed.error));
  return listed.value;
};

describe('what is below WORKDIR/envs', () => {
  test('is told from its small files: ready, failed, being built, interrupted', async () => {
    await put(`envs/${key('a')}/complete`, complete);
    await put(`envs/${key('a')}/size`, '2048 3\n');
    await put(`envs/${key('a')}/specification.json`, '{"environment":{"kind":"venv"}}');
    await put(`envs/${key('b')}/failed.log`, 'no\n');
    await put(`envs/${key('b')}/progress`, 'conda installs numpy\n');
    await put(`envs/${key('c')}/lock/owner`, '0 node 1 none 1 pid:[1]\n');
    await put(`envs/${key('c')}/lock/beat`, '7\n');
    await put(`envs/${key('d')}/build.log`);
    // What the last run found in a given prefix; one that an older version has built; and nothing of ours.
    await put('envs/given-0123456789abcdef/packages.txt');
    await put(`envs/${key('e')}.aarch64/complete`, complete);
    await put(`envs/${key('e')}.aarch64/files`, 'a\0b');
    await put('envs/notes.txt');
    const { environments, users, now } = await list();
    expect(environments).toMatchObject([
      { key: key('a'), state: 'ready', kind: 'venv', buildSeconds: 12, builtAt: 1795526000, bytes: 2048, files: 3 },
      { key: key('b'), state: 'failed', progress: 'conda installs numpy' },
      { key: key('c'), state: 'building', builder: { owner: '0 node 1 none 1 pid:[1]' } },
      { key: key('d'), state: 'interrupted' },
      { key: `${key('e')}.aarch64`, state: 'ready' },
    ]);
    expect(environments[0]).toMatchObject({ specification: '{"environment":{"kind":"venv"}}' });
    expect(users).toEqual([]);
    expect(Math.abs(now - Date.now() / 1000)).toBeLessThan(60);
  });

  test('a builder without a sign of life for five minutes is none', async () => {
    await put(`envs/${key('c')}/lock/beat`, '7\n');
    await longAgo(`envs/${key('c')}/lock/beat`);
    expect((await list()).environments).toMatchObject([{ state: 'interrupted' }]);
  });

  test('an empty workdir has none', async () => {
    expect(await list()).toMatchObject({ environments: [], users: [] });
  });

  test('its packages and the end of its log are read as they are', async () => {
    await put(`envs/${key('b')}/packages.txt`, 'naïve==1\nsix==1\n');
    await put(`envs/${key('b')}/failed.log`, `${'x'.repeat(20_000)}\nthe end file a 3\n`);
    const files = await readEnvironment(host, workdir, key('b'));
    expect(files.ok && files.value.get('packages.txt')).toBe('naïve==1\nsix==1\n');
    expect(files.ok && files.value.get('failed.log')).toMatch(/^x{16366}\nthe end file a 3\n$/);
  });
});

describe('who uses an environment', () => {
  test('is every attempt that has neither ended nor been given up, from before it is submitted', async () => {
    await attempt(1, key('a'), {
      begun: 'job=7 restart=0 at=1\n',
      submitted: 'version=1\nid=7\nat=5\nname=mlops-5.1\n',
    });
    await attempt(2, key('a'), { end: 'run=5\n' });
    await attempt(3, key('a'), { begun: 'abandoned at=1\n' });
    await attempt(4, key('b'));
    await put(`${run}/.incoming-ab/job.sh`, `environment=$workdir/envs/${key('a')}\n`);
    const { users } = await list();
    expect(users.map(({ path, key: of, job }) => [path.slice(run.length), of[0], job?.id])).toEqual([
      ['/1', 'a', '7'],
      ['/4', 'b', undefined],
      ['/.incoming-ab', 'a', undefined],
    ]);
  });

  const scheduler = (query: Scheduler['query']): Pick<Scheduler, 'query'> => ({ query });

  test('a run whose job is over counts no more; without an answer of the scheduler all of them count', async () => {
    for (const number of [1, 2]) {
      await attempt(number, key('a'), { submitted: `version=1\nid=${number}\nat=5\nname=mlops-5.${number}\n` });
    }
    const { users } = await list();
    const ended = { state: 'ended', how: 'cancelled', word: 'CANCELLED' } as const;
    const answer = new Map(users.flatMap(({ job }) => (job?.id === '1' ? [[job.id, ended] as const] : [])));
    expect(
      await environmentUsers(
        scheduler(async () => ok(answer)),
        users,
      ),
    ).toMatchObject({
      live: [{ path: `${run}/2` }],
      dead: [{ path: `${run}/1` }],
    });
    const silent = { reason: 'scheduler', command: 'squeue', code: 1, stderr: 'timed out' } as const;
    const unsure = await environmentUsers(
      scheduler(async () => ({ ok: false, error: silent })),
      users,
    );
    expect([unsure.live.length, unsure.unsure]).toEqual([2, silent]);
  });

  test('nothing that was never submitted counts after a day', async () => {
    await attempt(1, key('a'), { claimed: '5\n' });
    await longAgo(`${run}/1/state`, `${run}/1`);
    const { users } = await list();
    expect(users).toMatchObject([{ quiet: true }]);
    expect(
      (
        await environmentUsers(
          scheduler(async () => ok(new Map())),
          users,
        )
      ).live,
    ).toEqual([]);
  });
});

test('a key is completed as the list shows it: its beginning, and the processor', () => {
  const listed = [key('a'), `${key('a')}.aarch64`, key('b')].map((one) => ({
    key: one,
    state: 'ready' as const,
    runs: 0,
  }));
  const chosen = (typed: string) => {
    const found = chooseEnvironment(listed, typed);
    return found.ok ? found.value.key : found.error.reason;
  };
  expect(['b', 'aaaaaa.aarch64', key('a'), 'aaaaaa', 'c', ''].map(chosen)).toEqual([
    key('b'),
    `${key('a')}.aarch64`,
    key('a'),
    'several-environments',
    'no-environment',
    'no-environment',
  ]);
});

describe('removing an environment', () => {
  const folder = `envs/${key('a')}`;
  const remove = async (dead: Parameters<typeof removeEnvironment>[3] = []) => {
    const done = await removeEnvironment(host, workdir, key('a'), dead);
    if (!done.ok) throw new Error(JSON.stringify(done.error));
    return done.value;
  };
  const isThere = () => exists(join(workdir, folder));

  test('takes all of it away', async () => {
    await put(`${folder}/complete`, complete);
    await put(`${folder}/env/pkg/a`);
    expect(await remove()).toEqual({ outcome: 'removed' });
    expect(await isThere()).toBe(false);
    expect(await remove()).toEqual({ outcome: 'absent' });
  });

  test('leaves one alone that a run uses, even if that has come a moment ago', async () => {
    await put(`${folder}/complete`, complete);
    await attempt(1, key('a'));
    expect(await remove()).toMatchObject({ outcome: 'used', users: [{ path: `${run}/1` }] });
    await access(join(workdir, folder, 'complete'));
    expect(await exists(join(workdir, folder, 'lock'))).toBe(false);
    const { users } = await list();
    expect(await remove(users)).toEqual({ outcome: 'removed' });
  });

  test('for want of room, leaves one alone that was used a moment ago', async () => {
    await put(`${folder}/complete`, complete);
    const tidy = () => removeEnvironment(host, workdir, key('a'), [], { idle: true });
    expect(await tidy()).toEqual(ok({ outcome: 'used', users: [] }));
    expect(await exists(join(workdir, folder, 'lock'))).toBe(false);
    await longAgo(`${folder}/complete`);
    expect(await tidy()).toEqual(ok({ outcome: 'removed' }));
  });

  test('leaves one alone that is being built, unless its builder has died', async () => {
    await put(`${folder}/lock/owner`, 'somebody\n');
    expect(await remove()).toEqual({ outcome: 'locked', owner: 'somebody' });
    await longAgo(`${folder}/lock`);
    expect(await remove()).toEqual({ outcome: 'removed' });
  });
});
