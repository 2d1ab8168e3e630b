import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openStore } from '../../lib/cluster/content-store.ts';
import { openLocalHost } from '../../lib/cluster/local-host.ts';
import { openStoreGc } from '../../lib/cluster/store-gc.ts';
import type { ContentStore, SharedFolder, Source } from '../../lib/cluster/store-types.ts';
import { describeWith } from '../rig/requirements.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { file, ls, mounts, openOverSsh, sha256, slow, smallDisk, source, workFolder } from '../rig/store.ts';
import { until } from '../rig/until.ts';

const texts = Array.from({ length: 1000 }, (_, index) => `content ${index}\n`.repeat(20));
const sources = texts.map(source);
const tree = texts.map((text, index) => file(`folder ${index % 7}/${index}`, text));
const objectOf = (work: string, hash: string) => join(work, 'objects', hash.slice(0, 2), hash.slice(2));
const isThere = (folder: string, start: string) =>
  existsSync(folder) && readdirSync(folder).some((name) => name.startsWith(start));

/** Does something at the moment when the far side has got that far. */
function when(reached: () => boolean, act: () => Promise<unknown>): { done: Promise<unknown>; stop: () => void } {
  let timer: NodeJS.Timeout;
  const done = new Promise((resolve) => {
    const look = () => {
      if (reached()) resolve(act());
      else timer = setTimeout(look, 3);
    };
    look();
  });
  return { done, stop: () => clearTimeout(timer) };
}

describeWith('sshd', 'a connection that is cut', () => {
  const blocks = { from: 1_000_000, blockSize: 1_048_576, channels: 3 };
  const data = randomBytes(24 * blocks.blockSize);
  const big = (work: string) => ({ sha256: sha256(data), size: data.length, file: join(work, 'big') });
  const namesIn = (folder: string) => (existsSync(folder) ? readdirSync(folder) : []);
  /** Of a large file that is arriving. */
  const blocksIn = (tmp: string) =>
    namesIn(tmp)
      .flatMap((part) => (part.startsWith('PART-') ? namesIn(join(tmp, part)) : []))
      .filter((name) => /^b\d+$/.test(name));
  type Phase = [string, (work: string) => boolean, (store: ContentStore, work: string) => Promise<{ ok: boolean }>];
  const put = (store: ContentStore) => store.put(sources);
  const build = (as: 'copy' | 'link') => (store: ContentStore, work: string) =>
    store.materialise({ tree, into: join(work, 'run'), as });
  const phases: Phase[] = [
    ['while asking what is missing', () => true, (store) => store.missing(sources)],
    ['at the beginning of an upload', (work) => isThere(join(work, 'tmp'), 'UPLOAD-'), put],
    [
      'while content arrives',
      (work) => existsSync(join(work, 'tmp')) && readdirSync(join(work, 'tmp'), { recursive: true }).length > 50,
      put,
    ],
    [
      'while objects get their names',
      (work) => existsSync(join(work, 'objects')) && readdirSync(join(work, 'objects')).length > 10,
      put,
    ],
    [
      'while blocks of a large file arrive',
      (work) => blocksIn(join(work, 'tmp')).length > 8,
      (store, work) => store.put([big(work)]),
    ],
    [
      'while a large file is verified',
      (work) => blocksIn(join(work, 'tmp')).length > 23,
      (store, work) => store.put([big(work)]),
    ],
    ['while a tree is linked', (work) => isThere(join(work, 'tmp'), 'TREE-'), build('link')],
    ['while a tree is copied', (work) => isThere(work, 'run.tmp-'), build('copy')],
  ];
  test.each(phases)('%s costs that try alone', async (_name, reached, act) => {
    await using work = await workFolder();
    await using sshd = await startSshd();
    await writeFile(join(work.path, 'big'), data);
    const local = openLocalHost(process.env);
    if (act !== put) expect((await openStore(local, work.path).put(sources)).ok).toBe(true);
    {
      await using at = await openOverSsh(sshd);
      const acting = act(openStore(at.host, work.path, { blocks }), work.path);
      const cut = when(
        () => reached(work.path),
        () => sshd.killConnections(),
      );
      // It may have come to its end in the very moment.
      const done = await acting;
      cut.stop();
      if (!done.ok) expect(done).toMatchObject({ error: { reason: 'host', cause: { reason: 'lost' } } });
    }
    // Only blocks of a large file are worth keeping.
    await until(() => namesIn(join(work.path, 'tmp')).every((name) => name.startsWith('PART-')));
    await until(() => !isThere(work.path, 'run.tmp-'));
    await using again = await openOverSsh(sshd);
    const store = openStore(again.host, work.path, { blocks });
    expect(await store.put([...sources, big(work.path)])).toMatchObject({ ok: true });
    expect(await store.missing([big(work.path)])).toEqual({ ok: true, value: [] });
    expect(ls(join(work.path, 'tmp'))).toBe('');
    const into = join(work.path, 'run');
    // There already means there whole.
    if (!existsSync(into)) expect(await store.materialise({ tree, into, as: 'link' })).toMatchObject({ ok: true });
    expect(execFileSync('find', [into, '-type', 'f'], { encoding: 'utf8' }).trim().split('\n')).toHaveLength(
      texts.length,
    );
    expect(await openStoreGc(again.host, work.path).verify({ remove: false })).toMatchObject({
      ok: true,
      value: { damaged: [] },
    });
    await local.close();
  });

  test('while a shared folder of data is made leaves none that is believed, or a whole one', async () => {
    await using work = await workFolder();
    await using sshd = await startSshd();
    const files = texts.map((text, index) => file(`folder ${index % 7}/${index}`, text)) as SharedFolder['files'];
    const folder = { path: 'data', key: sha256('all of them'), files };
    {
      await using at = await openOverSsh(sshd);
      const store = openStore(at.host, work.path);
      await store.put(sources);
      const sharing = store.share(folder);
      const cut = when(
        () => isThere(join(work.path, 'tmp'), 'TREE-'),
        () => sshd.killConnections(),
      );
      await sharing;
      cut.stop();
    }
    await until(() => namesIn(join(work.path, 'tmp')).length === 0);
    await using again = await openOverSsh(sshd);
    const store = openStore(again.host, work.path);
    const found = await store.findShared([folder]);
    const made = found.ok && found.value.size > 0 ? found : await store.share(folder);
    expect(made.ok).toBe(true);
    const whole = await store.findShared([folder]);
    const path = (whole.ok && whole.value.get(folder.key)) || '';
    expect(execFileSync('find', [path, '-type', 'f'], { encoding: 'utf8' }).trim().split('\n')).toHaveLength(
      texts.length,
    );
  });
});

describeWith('sshd', 'faults of the far side', () => {
  let sshd: Sshd;
  beforeAll(async () => {
    sshd = await startSshd();
  });
  afterAll(async () => {
    await sshd[Symbol.asyncDispose]();
  });

  test('a process that is killed over there leaves what the next gc sweeps', async () => {
    await using work = await workFolder();
    await using at = await openOverSsh(sshd);
    const store = openStore(at.host, work.path);
    const killed = when(
      () => isThere(join(work.path, 'tmp'), 'UPLOAD-'),
      async () => {
        const table = execFileSync('ps', ['-A', '-o', 'pid=,pgid=,args='], { encoding: 'utf8' });
        // Ours alone: the folder's name is in the script that it runs.
        const [group] = table.split('\n').flatMap((line) => {
          const [pid, pgid] = line.trim().split(/\s+/);
          return line.includes(work.path) && pid === pgid ? [Number(pgid)] : [];
        });
        process.kill(-(group ?? Number.NaN), 'SIGKILL');
      },
    );
    const put = await store.put([slow(Buffer.alloc(80_000_000, 'x'))]);
    await killed.done;
    expect(put).toMatchObject({ ok: false, error: { reason: 'failed', what: 'upload', code: 137 } });
    expect(ls(join(work.path, 'tmp'))).toMatch(/^UPLOAD-\w+\n$/);
    expect(await store.put(sources)).toMatchObject({ ok: true });
    execFileSync('find', [join(work.path, 'tmp'), '-exec', 'touch', '-d', '2 days ago', '{}', '+']);
    const gc = openStoreGc(at.host, work.path);
    const survey = await gc.survey({ olderThanDays: 30 });
    if (!survey.ok) throw new Error(JSON.stringify(survey.error));
    const items = survey.value.temporaries.map((path) => ({ kind: 'temporary', path }) as const);
    expect(await gc.remove(items, { olderThanDays: 30 })).toMatchObject({ ok: true, value: { left: [] } });
    expect(ls(join(work.path, 'tmp'))).toBe('');
  });

  test('a store that has lost every third object names just these, and gets just these again', async () => {
    await using work = await workFolder();
    await using at = await openOverSsh(sshd);
    const store = openStore(at.host, work.path);
    await store.put(sources);
    const purged = texts.filter((_, index) => index % 3 === 0);
    for (const text of purged) await rm(objectOf(work.path, sha256(text)));
    const into = join(work.path, 'run');
    for (const as of ['link', 'copy'] as const) {
      const built = await store.materialise({ tree, into, as });
      expect(built).toMatchObject({ ok: false, error: { reason: 'missing' } });
      if (built.ok || built.error.reason !== 'missing') return;
      expect([...built.error.sha256s].sort()).toEqual(purged.map(sha256).sort());
    }
    const wanted = new Set(purged.map(sha256));
    expect(await store.put(sources.filter((one) => wanted.has(one.sha256)))).toMatchObject({
      ok: true,
      value: { files: purged.length },
    });
    expect(await store.materialise({ tree, into, as: 'link' })).toMatchObject({ ok: true });
    expect(ls(join(work.path, 'tmp'))).toBe('');
  });

  test('a store that has lost its folders is made again', async () => {
    await using work = await workFolder();
    await using at = await openOverSsh(sshd);
    const store = openStore(at.host, work.path);
    await store.put([source('a')]);
    await rm(join(work.path, 'objects'), { recursive: true });
    await rm(join(work.path, 'tmp'), { recursive: true });
    expect(await store.missing([source('a')])).toEqual({ ok: true, value: [sha256('a')] });
    expect(await store.put([source('a')])).toMatchObject({ ok: true });
    expect(await store.materialise({ tree: [file('a', 'a')], into: join(work.path, 'run'), as: 'link' })).toMatchObject(
      { ok: true },
    );
  });

  test('two clients with overlapping content both succeed', async () => {
    await using work = await workFolder();
    await using a = await openOverSsh(sshd);
    await using b = await openOverSsh(sshd);
    const [one, two] = [openStore(a.host, work.path), openStore(b.host, work.path)];
    const done = await Promise.all([
      one.put(sources.slice(0, 600)),
      two.put(sources.slice(400)),
      two.put(sources.slice(0, 100)),
    ]);
    expect(done.map(({ ok }) => ok)).toEqual([true, true, true]);
    expect(await one.missing(sources)).toEqual({ ok: true, value: [] });
    expect(await openStoreGc(a.host, work.path).verify({ remove: false })).toMatchObject({
      ok: true,
      value: { damaged: [] },
    });
    expect(ls(join(work.path, 'tmp'))).toBe('');
  });
});

describeWith(['sshd', 'root'], 'a permission that is lost', () => {
  test.each(['objects', 'tmp', '.'])(
    'on %s is told in the words of the far side; given back, the next try works',
    async (lost) => {
      await using sshd = await startSshd({ account: {} });
      await using at = await openOverSsh(sshd);
      const work = join(sshd.home, 'work');
      await mkdir(work);
      const uid = Number(execFileSync('id', ['-u', sshd.user], { encoding: 'utf8' }));
      await chown(work, uid, -1);
      const store = openStore(at.host, work, { blocks: { from: 1_000_000, blockSize: 1_048_576, channels: 2 } });
      expect(await store.put([source('before')])).toMatchObject({ ok: true });
      await chmod(join(work, lost), 0o500);
      const path = join(sshd.home, 'big');
      const data = Buffer.alloc(3_000_000, 'big');
      await writeFile(path, data);
      const big = { sha256: sha256(data), size: data.length, file: path };
      const puts = [await store.put([source('after')]), await store.put([big])];
      // Without a right on the folder itself both are refused only where they are not there yet.
      if (lost !== '.') {
        for (const put of puts)
          expect(put).toMatchObject({
            ok: false,
            error: { reason: 'failed', what: 'upload', stderr: expect.stringMatching(/denied/i) },
          });
      }
      const built = await store.materialise({ tree: [file('a', 'before')], into: `${work}/run`, as: 'link' });
      if (lost !== 'objects')
        expect(built).toMatchObject({
          ok: false,
          error: { reason: 'failed', what: 'build', stderr: expect.stringMatching(/denied/i) },
        });
      await chmod(join(work, lost), 0o700);
      expect(await store.put([source('after'), big])).toMatchObject({ ok: true });
      expect(ls(join(work, 'tmp'))).toBe('');
    },
  );
});

describeWith(['sshd', mounts], 'a disk that fills up', () => {
  test.each([50, 99])(
    'at %i %% of a stream leaves nothing, and the next try works when there is room',
    async (percent) => {
      await using small = await smallDisk('20m');
      await using sshd = await startSshd();
      await using at = await openOverSsh(sshd);
      const store = openStore(at.host, small.path);
      const total = 10_000_000;
      await writeFile(join(small.path, 'other'), Buffer.alloc(20 * 1024 * 1024 - Math.floor((total * percent) / 100)));
      const many = async function* (): AsyncGenerator<Source> {
        for (let index = 0; index < 100; index += 1) yield slow(Buffer.alloc(total / 100, `${index} `));
      };
      expect(await store.put(many())).toMatchObject({ ok: false, error: { reason: 'disk-full', path: small.path } });
      expect(ls(join(small.path, 'tmp'))).toBe('');
      await rm(join(small.path, 'other'));
      expect(await store.put(many())).toMatchObject({ ok: true, value: { files: 100, bytes: total } });
    },
  );
});

describe('a quota', () => {
  test('that is reached counts as a full disk, in its own words', async () => {
    await using work = await workFolder();
    const bin = join(work.path, 'bin');
    await mkdir(bin);
    const words = 'tar: ab/cd: Cannot write: Disk quota exceeded';
    await writeFile(join(bin, 'tar'), `#!/bin/sh\necho '${words}' >&2\nexit 2\n`, { mode: 0o755 });
    const host = openLocalHost({ ...process.env, PATH: `${bin}:${process.env.PATH}` });
    expect(await openStore(host, work.path).put([source('x')])).toMatchObject({
      ok: false,
      error: { reason: 'disk-full', detail: expect.stringContaining(words) },
    });
    expect(ls(join(work.path, 'tmp'))).toBe('');
    await host.close();
  });
});
