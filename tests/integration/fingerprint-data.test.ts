import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, statSync, truncateSync } from 'node:fs';
import {
  chmod,
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  stat,
  symlink,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { compareData } from '../../lib/fingerprint/compare-data.ts';
import { hashFile } from '../../lib/fingerprint/hash-files.ts';
import { fingerprintOf, mustFingerprint, opened, systemNs } from '../rig/fingerprint.ts';
import { type TestRepository, temporaryRepository } from '../rig/repository.ts';

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');
/** A minute from now: every file of the test is old enough to be believed by its stat. */
const later = () => systemNs() + 60_000_000_000n;

const configWith = (data: string) =>
  `version: 1\ncode: ["**"]\ndata: [${data}]\nenvironment: none\nsteps:\n  - run: python train.py\n`;

async function withData(data: string, files: Readonly<Record<string, string>>): Promise<TestRepository> {
  const repository = await temporaryRepository();
  await repository.write('.gitignore', 'data/ignored\n');
  await repository.write('.mlops/config.yaml', configWith(data));
  await repository.write('train.py', 'print(1)\n');
  await repository.commit('No data yet');
  for (const [path, content] of Object.entries(files)) await repository.write(path, content);
  return repository;
}
async function pathsOf(repository: TestRepository, entry: string): Promise<readonly string[] | undefined> {
  const { data } = await mustFingerprint(repository);
  return (data[entry] ?? data[entry.replace(/^\.\/|\/$/g, '')])?.map((file) => file.path);
}

describe('what an entry stands for', () => {
  const files = {
    'data/a.csv': 'a',
    'data/b.txt': 'b',
    'data/deep/c.csv': 'c',
    'data/.hidden/d.csv': 'd',
    'data/[1].csv': 'e',
  };
  test.each([
    ['a file', 'data/a.csv', ['data/a.csv']],
    ['a folder, with hidden files and whatever is below', 'data', Object.keys(files).sort()],
    ['a folder written with a slash', './data/', Object.keys(files).sort()],
    ['a glob in one folder', 'data/*.csv', ['data/[1].csv', 'data/a.csv']],
    ['a glob over folders', 'data/**/*.csv', ['data/.hidden/d.csv', 'data/[1].csv', 'data/a.csv', 'data/deep/c.csv']],
    ['a glob that matches a folder, with all that is in it', 'data/d*', ['data/deep/c.csv']],
    ['a file whose name looks like a glob', 'data/[1].csv', ['data/[1].csv']],
  ])('%s', async (_, entry, expected) => {
    await using repository = await withData(JSON.stringify(entry), files);
    expect(await pathsOf(repository, entry)).toEqual(expected);
  });

  test('the hash of an entry depends on paths and contents, not on where the content comes from', async () => {
    await using repository = await withData('data', { 'data/a.csv': 'a', 'data/b.csv': 'b' });
    const untracked = await mustFingerprint(repository);
    await repository.commit('Track it');
    const tracked = await mustFingerprint(repository);
    expect(tracked.fingerprint).toBe(untracked.fingerprint);
    expect(tracked.data.data?.map((file) => file.source?.kind)).toEqual(['blob', 'blob']);
  });

  test('tracked files count as the commit has them, whatever the worktree holds', async () => {
    await using repository = await withData('data', { 'data/a.csv': 'a', 'data/ignored': 'i' });
    await repository.commit('Data');
    const before = await mustFingerprint(repository);
    await repository.write('data/a.csv', 'dirty');
    expect((await mustFingerprint(repository)).fingerprint).toBe(before.fingerprint);
    await repository.remove('data/a.csv');
    expect((await mustFingerprint(repository)).fingerprint).toBe(before.fingerprint);
  });

  test('a file that a later commit tracks does not count for an earlier one', async () => {
    await using repository = await withData('data', { 'data/a.csv': 'a' });
    await repository.commit('One file');
    const before = await mustFingerprint(repository);
    await repository.write('data/b.csv', 'b');
    await repository.commit('Two files');
    expect((await mustFingerprint(repository, 'HEAD~1')).fingerprint).toBe(before.fingerprint);
  });

  test('an LFS pointer counts as the content that it points to', async () => {
    const content = 'the true content';
    const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${sha256(content)}\nsize ${content.length}\n`;
    await using repository = await withData('data', { 'data/a.bin': pointer });
    await repository.commit('LFS');
    const missing = await mustFingerprint(repository);
    expect(missing.data.data).toEqual([{ path: 'data/a.bin', sha256: sha256(content), size: content.length }]);
    const stored = `.git/lfs/objects/${sha256(content).slice(0, 2)}/${sha256(content).slice(2, 4)}/${sha256(content)}`;
    await repository.write(stored, content);
    const there = await mustFingerprint(repository);
    expect(there.data.data?.[0]?.source).toEqual({ kind: 'lfs', path: join(repository.dir, stored) });
    expect(there.fingerprint).toBe(missing.fingerprint);
  });

  test('paths with spaces, quotes, newlines, unicode and odd names are paths like others', async () => {
    const odd = {
      'data/a b.csv': '1',
      'data/it\'s "q".csv': '2',
      'data/new\nline': '3',
      'data/größe/数据.csv': '4',
      'data/__proto__': '5',
    };
    await using repository = await withData('data', odd);
    expect(await pathsOf(repository, 'data')).toEqual(Object.keys(odd).sort());
    const before = await mustFingerprint(repository);
    await repository.write('data/__proto__', '6');
    expect((await mustFingerprint(repository)).fingerprint).not.toBe(before.fingerprint);
  });
});

describe('special files', () => {
  type Make = (repository: TestRepository) => Promise<void>;
  const inData =
    (name: string, target: string): Make =>
    async ({ dir }) =>
      symlink(target, join(dir, 'data', name));
  const refused: readonly (readonly [string, Make, string, string])[] = [
    ['a link that leads nowhere', inData('link', 'nothing'), 'broken-link', 'data/link'],
    ['a link to itself', inData('link', 'link'), 'link-loop', 'data/link'],
    ['a link to the folder it is in', inData('link', '.'), 'link-loop', 'data/link'],
    ['a link to the top', inData('link', '..'), 'link-loop', 'data/link'],
    ['a FIFO', async ({ dir }) => void execFileSync('mkfifo', [join(dir, 'data/pipe')]), 'special-file', 'data/pipe'],
    ['a device, by a link', inData('null', '/dev/null'), 'special-file', 'data/null'],
  ];
  test.each(refused)('%s is refused by name, and nothing waits for it', async (_, make, reason, path) => {
    await using repository = await withData('data', { 'data/a': 'a' });
    await make(repository);
    const done = await fingerprintOf(repository, 'HEAD');
    expect(done).toMatchObject({ ok: false, error: { reason, path, entry: 'data' } });
  });

  test('a socket is refused by name', async () => {
    await using repository = await withData('data', { 'data/a': 'a' });
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(join(repository.dir, 'data/s'), resolve));
    const done = await fingerprintOf(repository, 'HEAD');
    await new Promise((resolve) => server.close(resolve));
    expect(done).toMatchObject({ ok: false, error: { reason: 'special-file', path: 'data/s', detail: 'socket' } });
  });

  test('a file and a folder that may not be read are named', async () => {
    await using repository = await withData('data', { 'data/a': 'a', 'data/deep/b': 'b' });
    // Root reads everything: a name too long for the file system is unreadable for it too.
    if (process.getuid?.() === 0) {
      await symlink('x'.repeat(300), join(repository.dir, 'data/a-link'));
      expect(await fingerprintOf(repository, 'HEAD')).toMatchObject({
        error: { reason: 'unreadable', path: 'data/a-link' },
      });
      return;
    }
    await chmod(join(repository.dir, 'data/a'), 0);
    expect(await fingerprintOf(repository, 'HEAD')).toMatchObject({ error: { reason: 'unreadable', path: 'data/a' } });
    await chmod(join(repository.dir, 'data/a'), 0o600);
    await chmod(join(repository.dir, 'data/deep'), 0);
    expect(await fingerprintOf(repository, 'HEAD')).toMatchObject({
      error: { reason: 'unreadable', path: 'data/deep' },
    });
  });

  test('links to files and folders count as what they lead to, out of the repository too', async () => {
    await using repository = await withData('data', { 'data/a': 'a' });
    const outside = join(repository.root, 'scratch');
    await mkdir(outside);
    await writeFile(join(outside, 'big'), 'big');
    await symlink(outside, join(repository.dir, 'data/scratch'));
    await symlink('a', join(repository.dir, 'data/same'));
    const { data } = await mustFingerprint(repository);
    expect(data.data?.map((file) => [file.path, file.sha256])).toEqual([
      ['data/a', sha256('a')],
      ['data/same', sha256('a')],
      ['data/scratch/big', sha256('big')],
    ]);
  });

  test('the entry itself may be a link', async () => {
    await using repository = await withData('data', {});
    await mkdir(join(repository.root, 'scratch'));
    await writeFile(join(repository.root, 'scratch/x'), 'x');
    await symlink(join(repository.root, 'scratch'), join(repository.dir, 'data'));
    expect(await pathsOf(repository, 'data')).toEqual(['data/x']);
  });

  test('a tracked link to a tracked file counts as the commit has that file', async () => {
    await using repository = await withData('data', { 'data/a': 'a', 'other/b': 'b' });
    await symlink('../other/b', join(repository.dir, 'data/link'));
    await repository.commit('A link');
    await repository.write('other/b', 'dirty');
    const { data } = await mustFingerprint(repository);
    expect(data.data?.map((file) => file.sha256)).toEqual([sha256('a'), sha256('b')]);
  });

  test.each([
    ['a file that is not there', 'data/none.csv', { reason: 'no-match', glob: false }],
    ['a glob that matches nothing', 'data/*.parquet', { reason: 'no-match', glob: true }],
    ['an empty folder', 'empty', { reason: 'no-match', glob: false }],
  ])('%s is an error', async (_, entry, error) => {
    await using repository = await withData(JSON.stringify(entry), { 'data/a': 'a' });
    await mkdir(join(repository.dir, 'empty'));
    expect(await fingerprintOf(repository, 'HEAD')).toMatchObject({ ok: false, error: { ...error, entry } });
  });
});

describe('the stat cache', () => {
  test('10,000 unchanged files are not read', async () => {
    await using repository = await withData('data', {});
    for (let folder = 0; folder < 100; folder++) {
      await mkdir(join(repository.dir, `data/${folder}`), { recursive: true });
      await Promise.all(
        Array.from({ length: 100 }, (_, i) => writeFile(join(repository.dir, `data/${folder}/${i}`), `${folder} ${i}`)),
      );
    }
    const cold = await mustFingerprint(repository, 'HEAD', { nowNs: later });
    expect(cold.work).toMatchObject({ filesRead: 10_000 });
    // The proof that does not rely on counting: the kernel's time of last access.
    const probe = join(repository.dir, 'data/42/42');
    await utimes(probe, new Date(1_000_000_000_000), new Date(1_000_000_000_000));
    await mustFingerprint(repository, 'HEAD', { nowNs: later });
    const before = statSync(probe).atimeMs;
    const warm = await mustFingerprint(repository, 'HEAD', { nowNs: later });
    expect(warm.work).toEqual({ filesRead: 0, bytesRead: 0, blobsRead: 0, damaged: [] });
    expect(statSync(probe).atimeMs).toBe(before);
    expect(warm.fingerprint).toBe(cold.fingerprint);
    expect(warm.data.data?.length).toBe(10_000);
  });

  test('only the file that changed is read again', async () => {
    await using repository = await withData('data', { 'data/a': 'a', 'data/b': 'b' });
    await mustFingerprint(repository, 'HEAD', { nowNs: later });
    await repository.write('data/a', 'A');
    const after = await mustFingerprint(repository, 'HEAD', { nowNs: later });
    expect(after.work.filesRead).toBe(1);
    expect(after.data.data?.map((file) => file.sha256)).toEqual([sha256('A'), sha256('b')]);
  });

  test('the same size and a modification time that was put back do not deceive it', async () => {
    await using repository = await withData('data', { 'data/a': 'aaaa' });
    const path = join(repository.dir, 'data/a');
    await mustFingerprint(repository, 'HEAD', { nowNs: later });
    const { atime, mtime } = await stat(path);
    await writeFile(path, 'bbbb');
    await utimes(path, atime, mtime);
    const { data } = await mustFingerprint(repository, 'HEAD', { nowNs: later });
    expect(data.data?.[0]?.sha256).toBe(sha256('bbbb'));
  });

  test('another file moved into its place does not deceive it', async () => {
    await using repository = await withData('data', { 'data/a': 'aaaa', spare: 'bbbb' });
    const path = join(repository.dir, 'data/a');
    await mustFingerprint(repository, 'HEAD', { nowNs: later });
    await rename(join(repository.dir, 'spare'), path);
    expect((await mustFingerprint(repository, 'HEAD', { nowNs: later })).data.data?.[0]?.sha256).toBe(sha256('bbbb'));
  });

  test('a file as young as its hash is read again next time (racily clean)', async () => {
    await using repository = await withData('data', { 'data/a': 'a' });
    const touched = () => BigInt(statSync(join(repository.dir, 'data/a')).mtimeMs.toFixed(0)) * 1_000_000n;
    for (let i = 0; i < 2; i++) {
      const young = await mustFingerprint(repository, 'HEAD', { nowNs: touched });
      expect(young.work.filesRead).toBe(1);
    }
    expect((await mustFingerprint(repository, 'HEAD', { nowNs: later })).work.filesRead).toBe(1);
    expect((await mustFingerprint(repository, 'HEAD', { nowNs: later })).work.filesRead).toBe(0);
  });

  test('a file that keeps changing while it is read is named', async () => {
    await using repository = await withData('data', { 'data/a': 'a' });
    const path = join(repository.dir, 'data/a');
    // The clock is asked before each read, so this is a writer between two looks at the file.
    const writer = () => {
      appendFileSync(path, 'x');
      return systemNs();
    };
    let calls = 0;
    const large = async () => {
      truncateSync(path, 3 << 20);
      const hashing = hashFile(path, () => BigInt(++calls));
      const timer = setInterval(() => writer(), 0);
      const done = await hashing;
      clearInterval(timer);
      return done;
    };
    expect(await large()).toMatchObject({ ok: false, error: { reason: 'changing' } });
    expect(calls).toBeGreaterThan(1);
  });

  test.each([
    ['cut short', async (path: string) => truncateSync(path, 100)],
    [
      'with one digit changed',
      async (path: string) =>
        writeFile(path, (await readFile(path, 'utf8')).replace(/[0-9a-f]{64}"/, `${'0'.repeat(64)}"`)),
    ],
    ['that is something else', async (path: string) => writeFile(path, 'hello\n')],
    ['of zeros, after a power cut', async (path: string) => writeFile(path, Buffer.alloc(4096))],
    [
      'of another version',
      async (path: string) => writeFile(path, (await readFile(path, 'utf8')).replace(/ \d /, ' 999 ')),
    ],
  ])('a cache file %s is made again', async (_, damage) => {
    await using repository = await withData('data', { 'data/a': 'a', 'tracked/b': 'b' });
    const before = await mustFingerprint(repository, 'HEAD', { nowNs: later });
    const cache = join((await opened(repository)).stateDir, 'cache');
    for (const name of await readdir(cache, { recursive: true })) {
      const path = join(cache, name);
      if ((await stat(path)).isFile()) await damage(path);
    }
    const after = await mustFingerprint(repository, 'HEAD', { nowNs: later });
    expect(after.fingerprint).toBe(before.fingerprint);
    expect(after.work.filesRead).toBe(1);
    expect((await mustFingerprint(repository, 'HEAD', { nowNs: later })).work).toMatchObject({
      filesRead: 0,
      damaged: [],
    });
  });

  test('a state folder that cannot be written costs time, not the fingerprint', async () => {
    await using repository = await withData('data', { 'data/a': 'a' });
    const before = await mustFingerprint(repository);
    await repository.remove('.git/mlops');
    await repository.write('.git/mlops', 'a file in the way');
    expect((await mustFingerprint(repository)).fingerprint).toBe(before.fingerprint);
  });

  test('linked worktrees have files of their own', async () => {
    await using repository = await withData('data', { 'data/ignored': 'here' });
    const linked = await repository.worktree('other');
    await linked.write('data/ignored', 'there');
    const [here, there] = [await mustFingerprint(repository), await mustFingerprint(linked)];
    expect(here.fingerprint).not.toBe(there.fingerprint);
    expect((await mustFingerprint(repository)).fingerprint).toBe(here.fingerprint);
  });
});

describe('a deadline', () => {
  test('stops hashing, and the next call goes on from there', async () => {
    const files = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`data/${i}`, `${i}`]));
    await using repository = await withData('data', files);
    const giveUp = new AbortController();
    let asked = 0;
    // The clock stands in for the second that is over: time passes as files are read.
    const nowNs = () => {
      if (++asked === 30) giveUp.abort();
      return later() + BigInt(asked) * 30_000_000n;
    };
    const stopped = await fingerprintOf(repository, 'HEAD', { nowNs, signal: giveUp.signal });
    expect(stopped).toMatchObject({ ok: false, error: { reason: 'aborted', progress: { ofFiles: 40 } } });
    const rest = await mustFingerprint(repository, 'HEAD', { nowNs: later });
    expect(rest.work.filesRead).toBeGreaterThan(0);
    expect(rest.work.filesRead).toBeLessThan(40);
  });
});

test('data that changed since it was recorded is told file by file, with both hashes', async () => {
  await using repository = await withData('data', { 'data/a': 'a', 'data/b': 'b', 'data/c': 'c' });
  const recorded = (await mustFingerprint(repository)).data.data ?? [];
  await repository.write('data/a', 'A');
  await unlink(join(repository.dir, 'data/b'));
  await link(join(repository.dir, 'data/c'), join(repository.dir, 'data/d'));
  const current = (await mustFingerprint(repository)).data.data ?? [];
  expect(compareData(recorded, current)).toEqual({
    changed: [{ path: 'data/a', recorded: sha256('a'), current: sha256('A') }],
    missing: [{ path: 'data/b', recorded: sha256('b') }],
    added: [{ path: 'data/d', current: sha256('c') }],
  });
});
