import { execFileSync } from 'node:child_process';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { asFingerprint } from '../../lib/base/ids.ts';
import { type ContentStore, openStore } from '../../lib/cluster/content-store.ts';
import { planGc } from '../../lib/cluster/gc-plan.ts';
import type { Host } from '../../lib/cluster/host.ts';
import { openRunStore } from '../../lib/cluster/run-store.ts';
import { slurmScheduler } from '../../lib/cluster/slurm-scheduler.ts';
import { openStoreGc } from '../../lib/cluster/store-gc.ts';
import { expandWorkdir } from '../../lib/cluster/workdir.ts';
import { describeWith } from '../rig/requirements.ts';
import { retryLocked, type Sshd, startSshd } from '../rig/sshd.ts';
import { file, ls, type OpenHost, openOverSsh, sha256, source } from '../rig/store.ts';

/** What matters to a group is whose file it is: two real users, each logged in over a server of its own. */
describeWith(['sshd', 'root'], 'a working folder of a group', () => {
  const group = `mlopsg${process.pid}`;
  const blocks = { from: 1_000_000, blockSize: 1_048_576, channels: 2 };
  let scratch: string;
  let workdir: string;
  const servers: Sshd[] = [];
  const connections: OpenHost[] = [];
  const people: { readonly user: string; readonly host: Host; readonly store: ContentStore }[] = [];
  const person = (index: number) => {
    const found = people[index];
    if (found === undefined) throw new Error('no such user');
    return found;
  };

  beforeAll(async () => {
    await retryLocked('groupadd', [group]);
    scratch = await mkdtemp(join(tmpdir(), 'mlops-group-'));
    execFileSync('chgrp', [group, scratch]);
    await chmod(scratch, 0o770);
    workdir = join(scratch, 'work');
    for (let index = 0; index < 2; index += 1) {
      // A umask of its own shall not keep the others out.
      const sshd = await startSshd({ account: { groups: [group], home: { '.bashrc': 'umask 077\n' } } });
      servers.push(sshd);
      const connection = await openOverSsh(sshd);
      connections.push(connection);
      const made = await expandWorkdir(connection.host, workdir, { group });
      if (!made.ok) throw new Error(JSON.stringify(made.error));
      const store = openStore(connection.host, workdir, { group: true, blocks });
      people.push({ user: sshd.user, host: connection.host, store });
    }
  });
  afterAll(async () => {
    for (const one of [...connections, ...servers]) await one[Symbol.asyncDispose]();
    await rm(scratch, { recursive: true, force: true });
    await retryLocked('groupdel', [group]);
  });
  const owner = (path: string) => execFileSync('stat', ['-c', '%U %G %a', path], { encoding: 'utf8' }).trim();
  const object = (text: string) => join(workdir, 'objects', sha256(text).slice(0, 2), sha256(text).slice(2));

  test('is the group’s in all that is made in it, whatever the umask', async () => {
    const { store, user } = person(0);
    const large = join(scratch, 'large');
    await writeFile(large, 'large'.repeat(400_000));
    await chmod(large, 0o644);
    const big = { sha256: sha256('large'.repeat(400_000)), size: 2_000_000, file: large };
    expect(await store.put([source('first'), big])).toMatchObject({ ok: true });
    for (const path of [object('first'), object('large'.repeat(400_000))]) {
      expect(owner(path)).toBe(`${user} ${group} 444`);
      expect(owner(join(path, '..'))).toBe(`${user} ${group} 2770`);
    }
    for (const path of ['', 'tmp', 'objects'])
      expect(owner(join(workdir, path))).toBe(`${person(0).user} ${group} 2770`);
  });

  test('has for everybody what one has sent, and takes what another one adds', async () => {
    const [one, two] = [person(0), person(1)];
    await one.store.put([source('shared')]);
    expect(await two.store.missing([source('shared'), source('new')])).toEqual({ ok: true, value: [sha256('new')] });
    // Into the same folder as the other one's, and over an object of the other one.
    expect(await two.store.put([source('new'), source('shared')])).toMatchObject({ ok: true });
    expect(await one.store.missing([source('shared'), source('new')])).toEqual({ ok: true, value: [] });
    expect(ls(join(workdir, 'tmp'))).toBe('');
  });

  test.each(['copy', 'link'] as const)(
    'builds a tree by %s of what a colleague has sent, though the kernel refuses to link it',
    async (as) => {
      const [one, two] = [person(0), person(1)];
      await one.store.put([source('data'), source('#!/bin/sh\necho ran\n')]);
      const into = join(workdir, `tree-${as}`);
      const tree = [file('data.csv', 'data'), file('run', '#!/bin/sh\necho ran\n', true)];
      expect(await two.store.materialise({ tree, into, as })).toMatchObject({ ok: true });
      const looks = await two.host.exec(
        `cd '${into}' && cat data.csv && echo && ./run && [ -${as === 'copy' ? 'w' : 'L'} data.csv ] && echo as told`,
      );
      expect(looks).toMatchObject({ ok: true, value: { code: 0, stdout: 'data\nran\nas told\n', stderr: '' } });
      // A step may replace a file of its tree; it cannot reach the colleague's content through it.
      if (as === 'link') {
        const wrote = await two.host.exec(
          `cd '${into}' && { echo more >>data.csv; } 2>/dev/null; rm -f data.csv && echo mine >data.csv`,
        );
        expect(wrote).toMatchObject({ ok: true, value: { code: 0 } });
      }
      expect((await one.host.exec(`cat '${object('data')}' && cat '${into}/run'`)).ok).toBe(true);
      expect(await one.store.download(sha256('data'), join(scratch, `back-${as}`))).toMatchObject({ ok: true });
    },
  );

  test('lets anybody of it free what is not used', async () => {
    const [one, two] = [person(0), person(1)];
    await one.store.put([source('forgotten')]);
    execFileSync('touch', ['-d', '40 days ago', object('forgotten')]);
    const gc = openStoreGc(two.host, workdir);
    const item = {
      kind: 'object',
      path: object('forgotten').slice(workdir.length + 1),
      sha256: sha256('forgotten'),
      bytes: 9,
    } as const;
    expect(await gc.remove([item], { olderThanDays: 30 })).toEqual({ ok: true, value: { left: [], stderr: '' } });
    expect(await one.store.missing([source('forgotten')])).toEqual({ ok: true, value: [sha256('forgotten')] });
  });

  test('keeps what a member uses of a colleague, though only its owner can touch it', async () => {
    const [one, two] = [person(0), person(1)];
    await one.store.put([source('lent')]);
    execFileSync('touch', ['-d', '40 days ago', object('lent')]);
    expect(await two.store.missing([source('lent')])).toEqual({ ok: true, value: [] });
    const gc = openStoreGc(one.host, workdir);
    const survey = await gc.survey({ olderThanDays: 30 });
    if (!survey.ok) throw new Error(JSON.stringify(survey.error));
    expect(planGc(survey.value, new Set(), { olderThanDays: 30 }).map(({ path }) => path)).not.toContain(
      object('lent').slice(workdir.length + 1),
    );
    // A gc that had looked before it was used looks once more.
    const path = object('lent').slice(workdir.length + 1);
    const item = { kind: 'object', path, sha256: sha256('lent'), bytes: 4 } as const;
    expect(await gc.remove([item], { olderThanDays: 30 })).toMatchObject({ ok: true, value: { left: [path] } });
    // The mark is everybody's: a third one's use is seen as well.
    const mark = join(workdir, 'used', path.slice('objects/'.length));
    execFileSync('touch', ['-d', '40 days ago', mark]);
    execFileSync('chown', [one.user, mark]);
    expect(await two.store.missing([source('lent')])).toEqual({ ok: true, value: [] });
    expect(await gc.remove([item], { olderThanDays: 30 })).toMatchObject({ ok: true, value: { left: [path] } });
    execFileSync('touch', ['-d', '40 days ago', mark]);
    expect(await gc.remove([item], { olderThanDays: 30 })).toEqual({ ok: true, value: { left: [], stderr: '' } });
    expect(ls(join(mark, '..'))).toBe('');
  });

  test('links nothing that is freed while a tree of it is built: it is named as missing', async () => {
    const [one, two] = [person(0), person(1)];
    await one.store.put([source('goes')]);
    execFileSync('rm', [object('goes')]);
    const into = join(workdir, 'tree-gone');
    expect(await two.store.materialise({ tree: [file('a', 'goes')], into, as: 'link' })).toEqual({
      ok: false,
      error: { reason: 'missing', sha256s: [sha256('goes')] },
    });
    expect(ls(workdir)).not.toContain('tree-gone');
  });

  test('shows a run’s files to the group, and its secrets to nobody', async () => {
    const [one, two] = [person(0), person(1)];
    const folders = await Promise.all(
      [one, two].map(async ({ host }) => {
        const runs = openRunStore({ host, scheduler: slurmScheduler(host), workdir, group: true });
        const incoming = await runs.prepare(asFingerprint(sha256('run')));
        if (!incoming.ok) throw new Error(JSON.stringify(incoming.error));
        const files = new Map([
          ['job.sh', { content: 'true\n' }],
          ['in/secrets', { content: 'export TOKEN=1\n', mode: 0o600 }],
        ]);
        expect(await runs.writeFiles(incoming.value, files)).toEqual({ ok: true, value: undefined });
        return incoming.value;
      }),
    );
    const [folder = ''] = folders;
    expect(owner(folder)).toBe(`${one.user} ${group} 2770`);
    const reads = await two.host.exec(`cd '${folder}' && cat job.sh && cat in/secrets`);
    expect(reads).toMatchObject({ ok: true, value: { stdout: 'true\n', stderr: expect.stringMatching(/denied/) } });
  });

  test('lets a colleague abandon an attempt of which there is no job, and one that has begun stays as it is', async () => {
    const [one, two] = [person(0), person(1)];
    const runsOf = ({ host }: typeof one) =>
      openRunStore({ host, scheduler: slurmScheduler(host), workdir, group: true });
    const fingerprint = asFingerprint(sha256('left alone'));
    for (const attempt of [1, 2]) {
      const incoming = await runsOf(one).prepare(fingerprint);
      if (!incoming.ok) throw new Error(JSON.stringify(incoming.error));
      expect(await runsOf(one).writeFiles(incoming.value, new Map([['job.sh', { content: 'true\n' }]]))).toMatchObject({
        ok: true,
      });
      const claimed = await one.host.exec(`mv '${incoming.value}' '${runsOf(one).folder(fingerprint, attempt)}'`);
      expect(claimed).toMatchObject({ ok: true, value: { code: 0 } });
    }
    const begin = await one.host.exec(
      `umask 007; cd '${runsOf(one).folder(fingerprint, 2)}' && mkdir -p state && echo 'job=7 name=x at=1' >state/begun`,
    );
    expect(begin).toMatchObject({ ok: true, value: { code: 0 } });
    expect(await runsOf(two).abandon(fingerprint, 1)).toEqual({ ok: true, value: 'abandoned' });
    expect(await runsOf(two).abandon(fingerprint, 2)).toEqual({ ok: true, value: 'begun' });
    // Its owner sees it, and a job of it that comes late finds the place taken.
    const seen = await runsOf(one).look(fingerprint);
    if (!seen.ok) throw new Error(JSON.stringify(seen.error));
    expect(seen.value.map(({ attempt, abandoned }) => [attempt, abandoned]).sort()).toEqual([
      [1, true],
      [2, false],
    ]);
    expect(owner(join(runsOf(one).folder(fingerprint, 1), 'state/begun'))).toBe(`${two.user} ${group} 660`);
  });

  test('is closed to everybody else', async () => {
    await using stranger = await startSshd({ account: {} });
    await using at = await openOverSsh(stranger);
    await chmod(scratch, 0o777);
    const store = openStore(at.host, workdir, { group: true });
    expect(await store.missing([source('shared')])).toMatchObject({
      ok: false,
      error: { reason: 'failed', stderr: expect.stringMatching(/^[a-z]+: .*cd: .*work/) },
    });
    // Before anything is made.
    for (const folder of [workdir, join(scratch, 'another')]) {
      expect(await expandWorkdir(at.host, folder, { group })).toEqual({
        ok: false,
        error: { reason: 'not-in-group', group, groups: stranger.user },
      });
    }
    expect(ls(scratch)).not.toContain('another');
  });
});
