import { createHash } from 'node:crypto';
import { chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Oid } from '../../lib/base/ids.ts';
import { recordCommit } from '../../lib/fingerprint/records.ts';
import { inheritedData } from '../../lib/gate/recorded-data.ts';
import { configOf, fingerprintOf, mustFingerprint, opened } from '../rig/fingerprint.ts';
import { type TestRepository, temporaryRepository } from '../rig/repository.ts';
import { sha256 } from '../rig/store.ts';

/** Pointers and caches as DVC 3.67 writes them, and 2.58 where that is said; `git rm` and DVC's own commands are not needed for them. */
const md5 = (content: string | Buffer) => createHash('md5').update(content).digest('hex');
const cached = async (cache: string, name: string, content: string) => {
  const path = join(cache, name.slice(0, 2), name.slice(2));
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, content);
  await chmod(path, 0o444);
  return path;
};
const newCache = ({ dir }: TestRepository) => join(dir, '.dvc/cache/files/md5');
const pointer = (name: string, content: string) =>
  `outs:\n- md5: ${md5(content)}\n  size: ${content.length}\n  hash: md5\n  path: ${name}\n`;
const listing = (files: Readonly<Record<string, string>>) =>
  JSON.stringify(Object.entries(files).map(([relpath, content]) => ({ md5: md5(content), relpath })));
const folderPointer = (name: string, listed: string) =>
  `outs:\n- md5: ${md5(listed)}.dir\n  size: 4\n  nfiles: 2\n  hash: md5\n  path: ${name}\n`;

async function withDvc(data: string, files: Readonly<Record<string, string>>): Promise<TestRepository> {
  const repository = await temporaryRepository();
  await repository.write('.mlops/config.yaml', `version: 1\ndata: ${data}\nsteps: [{ run: sh train.sh }]\n`);
  await repository.write('.dvc/config', '');
  await repository.write('.dvc/.gitignore', '/config.local\n/tmp\n/cache\n');
  await repository.write('.gitignore', '/data/*\n!/data/*.dvc\n/work/out.csv\n');
  for (const [path, content] of Object.entries(files)) await repository.write(path, content);
  await repository.commit('DVC tracks it');
  return repository;
}

describe('data that DVC tracks', () => {
  test('is taken from DVC’s cache where the worktree lacks it, and counts as the same data', async () => {
    const images = { '1.png': '1\n', 'sub/ü 2.png': '2\n' };
    await using repository = await withDvc('[data/x.csv, data/img, work/out.csv]', {
      'data/x.csv.dvc': pointer('x.csv', 'a,b\r\n'),
      'data/img.dvc': folderPointer('img', listing(images)),
      'dvc.yaml': 'stages:\n  prep:\n    wdir: work\n    cmd: true\n    outs: [out.csv]\n',
      'dvc.lock': `schema: '2.0'\nstages:\n  prep:\n    cmd: true\n    ${pointer('out.csv', 'out').replaceAll('\n', '\n    ').trimEnd()}\n`,
    });
    const cache = newCache(repository);
    for (const content of ['a,b\r\n', 'out', ...Object.values(images)]) await cached(cache, md5(content), content);
    await cached(cache, `${md5(listing(images))}.dir`, listing(images));
    const fromCache = await mustFingerprint(repository);
    expect(fromCache.data['data/x.csv']).toEqual([
      {
        path: 'data/x.csv',
        sha256: sha256('a,b\r\n'),
        size: 5,
        source: { kind: 'dvc', path: join(cache, md5('a,b\r\n').slice(0, 2), md5('a,b\r\n').slice(2)) },
      },
    ]);
    expect(fromCache.data['data/img']?.map(({ path }) => path)).toEqual(['data/img/1.png', 'data/img/sub/ü 2.png']);
    expect((await mustFingerprint(repository)).work.filesRead).toBe(0);

    await repository.write('data/x.csv', 'a,b\r\n');
    for (const [path, content] of Object.entries(images)) await repository.write(`data/img/${path}`, content);
    await repository.write('work/out.csv', 'out');
    const fromWorktree = await mustFingerprint(repository);
    expect(fromWorktree.fingerprint).toBe(fromCache.fingerprint);
    expect(fromWorktree.data['data/x.csv']?.[0]?.source?.kind).toBe('worktree');
    // What the worktree has counts as it is, whatever the pointer says.
    await repository.write('data/x.csv', 'edited');
    expect((await mustFingerprint(repository)).data['data/x.csv']?.[0]?.sha256).toBe(sha256('edited'));
    // Of a folder that is there in part the rest comes from the cache.
    await repository.write('data/x.csv', 'a,b\r\n');
    await repository.remove('data/img/1.png');
    expect((await mustFingerprint(repository)).fingerprint).toBe(fromCache.fingerprint);
  });

  test('is found in the layout of older versions, whose texts were hashed with other line ends', async () => {
    const long = `${'x'.repeat((1 << 20) - 1)}\r\n${'y\r\n'.repeat(5)}`;
    // In pieces of 1 MiB, so that the pair on the seam stays.
    const old = createHash('md5');
    for (let at = 0; at < long.length; at += 1 << 20)
      old.update(long.slice(at, at + (1 << 20)).replaceAll('\r\n', '\n'));
    const digest = old.digest('hex');
    await using repository = await withDvc('[data/x.csv]', {
      'data/x.csv.dvc': `outs:\n- md5: ${digest}\n  size: ${long.length}\n  path: x.csv\n`,
    });
    await cached(join(repository.dir, '.dvc/cache'), digest, long);
    expect((await mustFingerprint(repository)).data['data/x.csv']).toMatchObject([{ sha256: sha256(long) }]);
  });

  test.each([
    ['config', 'an absolute folder', (repository: TestRepository) => join(repository.root, 'shared cache')],
    ['config.local', 'a relative folder', () => '../../shared cache'],
  ])('is found where .dvc/%s has its cache: %s', async (name, _, dir) => {
    await using repository = await withDvc('[data/x.csv]', { 'data/x.csv.dvc': pointer('x.csv', 'x') });
    await repository.write(
      `.dvc/${name}`,
      `[core]\n    dir = no\n[cache]\n    dir = ${dir(repository)}\n['remote "a"']\n    dir = no\n`,
    );
    await cached(join(repository.root, 'shared cache/files/md5'), md5('x'), 'x');
    expect((await mustFingerprint(repository)).data['data/x.csv']).toMatchObject([{ sha256: sha256('x') }]);
  });

  test('that is in neither place is named, with the pointer and where it was looked for', async () => {
    const images = { '1.png': '1\n', '2.png': '2\n' };
    await using repository = await withDvc('[data]', {
      'data/x.csv.dvc': pointer('x.csv', 'x'),
      'data/img.dvc': folderPointer('img', listing(images)),
    });
    const cache = newCache(repository);
    const says = (path: string, detail: string) => ({
      ok: false,
      error: { reason: 'dvc-missing', entry: 'data', path, detail: expect.stringContaining(detail) },
    });
    await cached(cache, md5('x'), 'x');
    expect(await fingerprintOf(repository, 'HEAD')).toMatchObject(
      says('data/img', `data/img.dvc says MD5 ${md5(listing(images))}.dir`),
    );
    await cached(cache, `${md5(listing(images))}.dir`, listing(images));
    await cached(cache, md5('1\n'), '1\n');
    expect(await fingerprintOf(repository, 'HEAD')).toMatchObject(
      says('data/img/2.png', join(repository.dir, '.dvc/cache')),
    );
    await repository.write('data/img/2.png', '2\n');
    expect(await fingerprintOf(repository, 'HEAD')).toMatchObject({ ok: true });
  });

  test.each(['{}', '[null]', 'null', '1'])('whose listing is %s, and no listing, is named', async (text) => {
    const pointer = `outs:\n- md5: ${md5(text)}.dir\n  hash: md5\n  path: img\n`;
    await using repository = await withDvc('[data]', { 'data/img.dvc': pointer });
    const list = await cached(newCache(repository), `${md5(text)}.dir`, text);
    expect(await fingerprintOf(repository, 'HEAD')).toMatchObject({
      ok: false,
      error: { reason: 'dvc-damaged', entry: 'data', path: 'data/img', detail: list },
    });
  });

  test('whose content in the cache is damaged is never taken', async () => {
    const images = { '1.png': '1\n' };
    await using repository = await withDvc('[data]', { 'data/img.dvc': folderPointer('img', listing(images)) });
    const cache = newCache(repository);
    const file = await cached(cache, md5('1\n'), 'bit rot');
    const list = await cached(cache, `${md5(listing(images))}.dir`, '[]');
    const damaged = (path: string, detail: string) => ({
      ok: false,
      error: { reason: 'dvc-damaged', entry: 'data', path, detail },
    });
    expect(await fingerprintOf(repository, 'HEAD')).toMatchObject(damaged('data/img', list));
    await rm(list);
    await cached(cache, `${md5(listing(images))}.dir`, listing(images));
    expect(await fingerprintOf(repository, 'HEAD')).toMatchObject(damaged('data/img/1.png', file));
    await rm(file);
    await cached(cache, md5('1\n'), '1\n');
    expect(await fingerprintOf(repository, 'HEAD')).toMatchObject({ ok: true });
  });

  test('with a pointer that a merge has broken is named, if the data is not there', async () => {
    await using repository = await withDvc('[data/x.csv]', { 'data/x.csv.dvc': '<<<<<<< ours\nouts: [\n' });
    expect(await fingerprintOf(repository, 'HEAD')).toMatchObject({
      ok: false,
      error: { reason: 'dvc-unreadable', path: 'data/x.csv.dvc' },
    });
    await repository.write('data/x.csv', 'x');
    expect(await fingerprintOf(repository, 'HEAD')).toMatchObject({ ok: true });
  });

  test('never leads out of the repository, whatever a pointer says', async () => {
    await using repository = await withDvc('[data]', {
      'data/x.csv.dvc': `${pointer('../../../etc/passwd', 'x')}- md5: ${md5('x')}\n  hash: md5\n  path: /etc/passwd\n`,
    });
    await repository.write('data/z', 'z');
    expect((await mustFingerprint(repository)).data.data?.map(({ path }) => path)).toEqual([
      'data/x.csv.dvc',
      'data/z',
    ]);
  });

  test('is not taken to be what an ancestor had, once its pointer has changed', async () => {
    await using repository = await withDvc('[data/x.csv]', { 'data/x.csv.dvc': pointer('x.csv', 'x') });
    await repository.write('data/x.csv', 'x');
    const first = await mustFingerprint(repository);
    const repo = await opened(repository);
    const head = async () => (await repository.git('rev-parse', 'HEAD')) as Oid;
    recordCommit(repo, await head(), first, new Date(0), 'Ann');
    await repository.remove('data/x.csv');
    const config = configOf(await repository.read('.mlops/config.yaml'));
    const known = async () =>
      Object.keys(await inheritedData({ repo, branch: 'mlops', emit: () => {} }, await head(), config));
    await repository.write('train.py', '1');
    await repository.commit('Other code');
    expect(await known()).toEqual(['data/x.csv']);
    await repository.write('data/x.csv.dvc', pointer('x.csv', 'another'));
    await repository.commit('Other data');
    expect(await known()).toEqual([]);
  });
});
