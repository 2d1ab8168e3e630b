import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { appendFile, mkdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { writeScript } from '../../lib/cluster/block-scripts.ts';
import { openStore } from '../../lib/cluster/content-store.ts';
import { openLocalHost } from '../../lib/cluster/local-host.ts';
import { openStoreGc } from '../../lib/cluster/store-gc.ts';
import type { FileSource } from '../../lib/cluster/store-types.ts';
import { describeWith } from '../rig/requirements.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { ls, mounts, openOverSsh, sha256, smallDisk, source, workFolder } from '../rig/store.ts';
import { until } from '../rig/until.ts';

const MiB = 1024 * 1024;
/** Blocks small enough for a test. */
const blocks = { from: MiB, blockSize: MiB, channels: 4 };

/** A file of this machine: no two blocks of it are alike. */
async function bigFile(folder: string, size: number, name = 'big'): Promise<FileSource & { readonly data: Buffer }> {
  const data = randomBytes(size);
  const path = join(folder, name);
  await writeFile(path, data);
  return { sha256: sha256(data), size, file: path, data };
}
const objectOf = (work: string, hash: string) => join(work, 'objects', hash.slice(0, 2), hash.slice(2));

describeWith('sshd', 'a large file', () => {
  let shared: Sshd;
  beforeAll(async () => {
    shared = await startSshd();
  });
  afterAll(async () => {
    await shared[Symbol.asyncDispose]();
  });

  test.each([16 * MiB, 16 * MiB + 1, 17 * MiB - 65_536, MiB])(
    'of %i bytes arrives in blocks, read-only and whole',
    async (size) => {
      await using work = await workFolder();
      await using at = await openOverSsh(shared);
      const big = await bigFile(work.path, size);
      const seen: number[] = [];
      const put = await openStore(at.host, work.path, { blocks }).put([source('small'), big], {
        onProgress: (bytes) => seen.push(bytes),
      });
      expect(put).toEqual({ ok: true, value: { files: 2, bytes: size + 5, resumed: 0 } });
      expect(seen.at(-1)).toBe(size + 5);
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
      expect((await readFile(objectOf(work.path, big.sha256))).equals(big.data)).toBe(true);
      expect((await stat(objectOf(work.path, big.sha256))).mode & 0o777).toBe(0o444);
      expect(ls(join(work.path, 'tmp'))).toBe('');
    },
  );

  test('goes on after a lost connection from the blocks that are there', async () => {
    await using work = await workFolder();
    await using sshd = await startSshd();
    const big = await bigFile(work.path, 64 * MiB);
    {
      await using at = await openOverSsh(sshd);
      let cut: Promise<number> | undefined;
      const onProgress = (bytes: number) => {
        if (bytes > 0.9 * big.size) cut ??= sshd.killConnections();
      };
      const put = await openStore(at.host, work.path, { blocks }).put([big], { onProgress });
      expect(put).toMatchObject({ ok: false, error: { reason: 'host', cause: { reason: 'lost' } } });
      await cut;
    }
    await using at = await openOverSsh(sshd);
    const again = await openStore(at.host, work.path, { blocks }).put([big]);
    expect(again).toMatchObject({ ok: true, value: { files: 1 } });
    if (!again.ok) return;
    expect(again.value.bytes + again.value.resumed).toBe(big.size);
    expect(again.value.bytes).toBeLessThan(0.25 * big.size);
    expect((await readFile(objectOf(work.path, big.sha256))).equals(big.data)).toBe(true);
    expect(ls(join(work.path, 'tmp'))).toBe('');
  });

  test('goes on after a connection that hangs, whose processes still wait over there', async () => {
    await using work = await workFolder();
    await using sshd = await startSshd();
    const big = await bigFile(work.path, 32 * MiB);
    const abort = new AbortController();
    await using hanging = await openOverSsh(sshd);
    let frozen: Promise<number> | undefined;
    const onProgress = (bytes: number) => {
      if (bytes > 0.5 * big.size) frozen ??= sshd.freezeConnections();
    };
    const first = openStore(hanging.host, work.path, { blocks }).put([big], { onProgress, signal: abort.signal });
    await until(() => frozen !== undefined);
    await frozen;
    await using at = await openOverSsh(sshd);
    const again = await openStore(at.host, work.path, { blocks }).put([big]);
    expect(again).toMatchObject({ ok: true, value: { files: 1 } });
    // What hung would have written into what was taken over.
    const running = execFileSync('ps', ['-A', '-o', 'args='], { encoding: 'utf8', maxBuffer: 64 * MiB });
    expect(running.includes(`PART-${big.sha256}`)).toBe(false);
    expect(again.ok && again.value.resumed).toBeGreaterThan(0);
    expect((await readFile(objectOf(work.path, big.sha256))).equals(big.data)).toBe(true);
    await sshd.killConnections();
    abort.abort();
    expect((await first).ok).toBe(false);
    expect(ls(join(work.path, 'tmp'))).toBe('');
  });

  test('is sent anew where what an earlier try left is damaged', async () => {
    await using work = await workFolder();
    const big = await bigFile(work.path, 8 * MiB);
    const part = join(work.path, 'tmp', `PART-${big.sha256}.dead`);
    await mkdir(part, { recursive: true });
    await mkdir(join(work.path, 'objects'));
    await writeFile(join(part, 'data'), Buffer.alloc(3 * MiB));
    await writeFile(join(part, 'blocks'), `${MiB}\n`);
    for (const block of ['b0', 'b2', 'gone.1']) await writeFile(join(part, block), '');
    await using at = await openOverSsh(shared);
    const put = await openStore(at.host, work.path, { blocks }).put([big]);
    expect(put).toEqual({ ok: true, value: { files: 1, bytes: big.size, resumed: 0 } });
    expect((await readFile(objectOf(work.path, big.sha256))).equals(big.data)).toBe(true);
    expect(ls(join(work.path, 'tmp'))).toBe('');
  });

  test('that two clients send at once arrives, and so do both of two that overlap', async () => {
    await using work = await workFolder();
    const [one, two] = [await bigFile(work.path, 20 * MiB, 'one'), await bigFile(work.path, 20 * MiB, 'two')];
    await using a = await openOverSsh(shared);
    await using b = await openOverSsh(shared);
    const done = await Promise.all([
      openStore(a.host, work.path, { blocks }).put([one, source('x')]),
      openStore(b.host, work.path, { blocks }).put([two, one, source('x')]),
    ]);
    expect(done).toMatchObject([{ ok: true }, { ok: true }]);
    for (const { sha256: hash, data } of [one, two]) {
      expect((await readFile(objectOf(work.path, hash))).equals(data)).toBe(true);
    }
    expect(ls(join(work.path, 'tmp'))).toBe('');
  });

  test('of a writer that is cut off leaves a sign for who comes next, and of one that has ended well none', async () => {
    await using work = await workFolder();
    const place = { workdir: work.path, group: false, sha256: sha256('x'), id: 'one', size: MiB, blockSize: MiB };
    const host = openLocalHost(process.env);
    const signs = async (words: string) => {
      await mkdir(join(work.path, `tmp/PART-${place.sha256}.one`), { recursive: true });
      expect(await host.exec(writeScript(place), { stdin: words })).toMatchObject({ ok: true, value: { code: 0 } });
      return ls(join(work.path, `tmp/PART-${place.sha256}.one`));
    };
    expect(await signs('end\n')).toBe('');
    expect(await signs('')).toMatch(/^gone\.\d+\n$/);
  });

  test.each(['grew', 'shrank', 'changed'])(
    'that %s since it was hashed is named and not stored; the other one is',
    async (how) => {
      await using work = await workFolder();
      await using at = await openOverSsh(shared);
      const [stale, other] = [await bigFile(work.path, 5 * MiB, 'stale'), await bigFile(work.path, 5 * MiB, 'other')];
      if (how === 'shrank') await truncate(stale.file, 3 * MiB);
      else if (how === 'grew') await appendFile(stale.file, 'more');
      else await writeFile(stale.file, randomBytes(stale.size));
      // What was added at the end is not part of what was asked for.
      const expected =
        how === 'grew' ? { ok: true } : { ok: false, error: { reason: 'source-changed', sha256s: [stale.sha256] } };
      expect(await openStore(at.host, work.path, { blocks }).put([stale, other])).toMatchObject(expected);
      expect((await readFile(objectOf(work.path, other.sha256))).equals(other.data)).toBe(true);
      expect(ls(join(work.path, 'tmp'))).toBe('');
    },
  );

  test('that cannot be read is named, and the other one is stored', async () => {
    await using work = await workFolder();
    await using at = await openOverSsh(shared);
    const other = await bigFile(work.path, 5 * MiB);
    const gone = { sha256: sha256('gone'), size: 5 * MiB, file: join(work.path, 'gone') };
    expect(await openStore(at.host, work.path, { blocks }).put([gone, other])).toMatchObject({
      ok: false,
      error: { reason: 'source-unreadable', sha256: gone.sha256 },
    });
    expect(await openStore(at.host, work.path).missing([other])).toEqual({ ok: true, value: [] });
  });

  test('needs no more channels than the server allows', async () => {
    await using work = await workFolder();
    await using sshd = await startSshd({ maxSessions: 1 });
    await using at = await openOverSsh(sshd);
    const big = await bigFile(work.path, 12 * MiB);
    expect(await openStore(at.host, work.path, { blocks }).put([big])).toMatchObject({ ok: true });
    expect((await readFile(objectOf(work.path, big.sha256))).equals(big.data)).toBe(true);
  });

  test('goes as one stream where dd cannot count the bytes of a pipe', async () => {
    await using work = await workFolder();
    const bin = join(work.path, 'bin');
    await mkdir(bin);
    await writeFile(join(bin, 'dd'), '#!/bin/sh\necho "dd: unknown operand" >&2\nexit 1\n', { mode: 0o755 });
    const host = openLocalHost({ ...process.env, PATH: `${bin}:${process.env.PATH}` });
    const big = await bigFile(work.path, 5 * MiB);
    expect(await openStore(host, work.path, { blocks }).put([big])).toEqual({
      ok: true,
      value: { files: 1, bytes: big.size, resumed: 0 },
    });
    expect((await readFile(objectOf(work.path, big.sha256))).equals(big.data)).toBe(true);
    await host.close();
  });

  test('that is given up keeps its blocks for the next try, until gc sweeps them', async () => {
    await using work = await workFolder();
    await using at = await openOverSsh(shared);
    const big = await bigFile(work.path, 32 * MiB);
    const abort = new AbortController();
    const onProgress = (bytes: number) => {
      if (bytes > 0.5 * big.size) abort.abort();
    };
    const put = await openStore(at.host, work.path, { blocks }).put([big], { onProgress, signal: abort.signal });
    expect(put).toMatchObject({ ok: false, error: { reason: 'host', cause: { reason: 'aborted' } } });
    const left = () => ls(join(work.path, 'tmp')).trim();
    const gc = openStoreGc(at.host, work.path);
    // The processes over there end a moment later.
    await until(async () => {
      execFileSync('find', [join(work.path, 'tmp'), '-exec', 'touch', '-c', '-d', '2 days ago', '{}', '+']);
      const survey = await gc.survey({ olderThanDays: 30 });
      return survey.ok && survey.value.temporaries.join() === `tmp/${left()}`;
    });
    await gc.remove([{ kind: 'temporary', path: `tmp/${left()}` }], { olderThanDays: 30 });
    expect(left()).toBe('');
  });
});

describeWith(['sshd', mounts], 'a disk that fills up under a large file', () => {
  test('before anything is sent is named with what is missing, also where the sources come one by one', async () => {
    await using work = await workFolder();
    await using small = await smallDisk('10m');
    await using sshd = await startSshd();
    await using at = await openOverSsh(sshd);
    const big = await bigFile(work.path, 20 * MiB);
    const one = async function* () {
      yield source('small');
      yield big;
    };
    const store = openStore(at.host, small.path, { blocks });
    let sent = 0;
    const put = await store.put(one(), { total: big.size + 5, onProgress: (bytes) => (sent = bytes) });
    expect(put).toMatchObject({ ok: false, error: { reason: 'disk-full', needed: big.size + 5 } });
    // Without a total it is found when the file's turn comes.
    expect(await store.put(one())).toMatchObject({ ok: false, error: { reason: 'disk-full', needed: big.size } });
    expect(sent).toBeLessThan(MiB);
    expect(ls(join(small.path, 'tmp'))).toBe('');
  });

  test.each([50, 99])('at %i %% leaves nothing, and the next try works when there is room', async (percent) => {
    await using work = await workFolder();
    await using small = await smallDisk('40m');
    await using sshd = await startSshd();
    await using at = await openOverSsh(sshd);
    const big = await bigFile(work.path, 30 * MiB);
    const store = openStore(at.host, small.path, { blocks });
    const other = join(small.path, 'other');
    let filled = false;
    const onProgress = (bytes: number) => {
      // Somebody else takes the room that was there when the upload began.
      if (filled || bytes < big.size * 0.1) return;
      filled = true;
      writeFileSync(other, Buffer.alloc(40 * MiB - Math.floor((big.size * percent) / 100)));
    };
    const put = await store.put([big], { onProgress });
    expect(put).toMatchObject({ ok: false, error: { reason: 'disk-full', path: small.path } });
    expect(ls(join(small.path, 'tmp'))).toBe('');
    await rm(other);
    expect(await store.put([big])).toMatchObject({ ok: true });
    expect((await readFile(objectOf(small.path, big.sha256))).equals(big.data)).toBe(true);
  });
});
