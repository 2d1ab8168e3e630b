import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openStore } from '../../lib/cluster/content-store.ts';
import { describeWith } from '../rig/requirements.ts';
import { startSshd } from '../rig/sshd.ts';
import { file, ls, mounts, openOverSsh, sha256, slow, smallDisk, source, workFolder } from '../rig/store.ts';
import { until } from '../rig/until.ts';
import { describeStore } from './store-contract.ts';

describeWith('sshd', 'over ssh2', () => {
  describeStore('ssh2', async () => {
    const sshd = await startSshd();
    const { host } = await openOverSsh(sshd);
    return {
      host,
      async [Symbol.asyncDispose]() {
        await host.close();
        await sshd[Symbol.asyncDispose]();
      },
    };
  });

  test('a connection that is cut in the middle of an upload is lost; leaves nothing, and the next upload works', async () => {
    await using work = await workFolder();
    await using sshd = await startSshd();
    const big = Buffer.alloc(40_000_000, 'some content ');
    const sources = [source('first'), source(big)];
    {
      await using at = await openOverSsh(sshd);
      let cut: Promise<number> | undefined;
      const onProgress = (bytes: number) => {
        if (bytes > 10_000_000) cut ??= sshd.killConnections();
      };
      const put = await openStore(at.host, work.path).put([source('first'), slow(big)], {
        onProgress,
      });
      expect(put).toMatchObject({ ok: false, error: { reason: 'host', cause: { reason: 'lost' } } });
      expect(await cut).toBeGreaterThan(0);
    }
    await using again = await openOverSsh(sshd);
    const store = openStore(again.host, work.path);
    await until(() => ls(join(work.path, 'tmp')) === '');
    const lacking = await store.missing(sources);
    expect(lacking.ok && lacking.value).toContain(sha256(big));
    expect(await store.put(sources)).toMatchObject({ ok: true });
    expect(await store.missing(sources)).toEqual({ ok: true, value: [] });
  });
});

describeWith(['sshd', mounts], 'a small file system on the far side', () => {
  test('that has too little room is said to be full before anything is sent', async () => {
    await using small = await smallDisk('1m');
    await using sshd = await startSshd();
    await using at = await openOverSsh(sshd);
    const put = await openStore(at.host, small.path).put([source(Buffer.alloc(3_000_000, 'x'))]);
    expect(put).toMatchObject({ ok: false, error: { reason: 'disk-full', path: small.path, needed: 3_002_368 } });
    if (!put.ok && put.error.reason === 'disk-full') expect(put.error.available).toBeGreaterThan(500_000);
    expect(ls(small.path)).toBe('');
  });

  test('that fills up while content arrives is said to be full, and what came is taken away', async () => {
    await using small = await smallDisk('1m');
    await using sshd = await startSshd();
    await using at = await openOverSsh(sshd);
    const store = openStore(at.host, small.path);
    const many = async function* () {
      for (let index = 0; index < 100; index += 1) yield source(`${index}`.repeat(40_000));
    };
    expect(await store.put(many())).toMatchObject({ ok: false, error: { reason: 'disk-full', path: small.path } });
    expect(ls(join(small.path, 'tmp'))).toBe('');
    expect(await store.put([source('small enough')])).toMatchObject({ ok: true });
  });

  test('that fills up while a tree is copied leaves no part of the tree', async () => {
    await using small = await smallDisk('1m');
    await using sshd = await startSshd();
    await using at = await openOverSsh(sshd);
    const store = openStore(at.host, small.path);
    const content = 'x'.repeat(300_000);
    await store.put([source(content)]);
    const tree = ['a', 'b', 'c', 'd'].map((path) => file(path, content));
    const into = join(small.path, 'run');
    expect(await store.materialise({ tree, into, as: 'copy' })).toMatchObject({
      ok: false,
      error: { reason: 'disk-full' },
    });
    expect(ls(small.path)).toBe('objects\ntmp\n');
    expect(await store.materialise({ tree, into, as: 'link' })).toMatchObject({ ok: true });
  });

  test('that is not where the objects are gets a tree of symbolic links', async () => {
    await using work = await workFolder();
    await using small = await smallDisk('1m');
    await using sshd = await startSshd();
    await using at = await openOverSsh(sshd);
    const store = openStore(at.host, work.path);
    await mkdir(join(small.path, 'runs'));
    await store.put([source('far away')]);
    const into = join(small.path, 'runs', 'one');
    expect(await store.materialise({ tree: [file('a/b', 'far away')], into, as: 'link' })).toMatchObject({ ok: true });
    const looks = await at.host.exec(
      `cat '${into}/a/b' && readlink '${into}/a/b' >/dev/null && ls '${small.path}/runs'`,
    );
    expect(looks).toMatchObject({ ok: true, value: { code: 0, stdout: 'far awayone\n' } });
  });
});
