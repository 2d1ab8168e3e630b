import { createHash } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Oid } from '../../lib/base/ids.ts';
import type { Result } from '../../lib/base/result.ts';
import { blobSizes, openBlob, readBlobs } from '../../lib/git/blobs.ts';
import {
  addGitConfig,
  readGitConfig,
  readGitConfigAll,
  setGitConfig,
  unsetGitConfig,
} from '../../lib/git/config-values.ts';
import {
  commitInfo,
  commitsBetween,
  currentBranch,
  firstParents,
  identity,
  isAncestor,
  mergeBase,
  remoteDefaultBranch,
  resolveCommit,
} from '../../lib/git/history.ts';
import { refOid } from '../../lib/git/refs.ts';
import { pushRemote } from '../../lib/git/remotes.ts';
import { openRepository } from '../../lib/git/repository.ts';
import { worktreeStatus } from '../../lib/git/status.ts';
import { readTreeWithSubmodules } from '../../lib/git/submodules.ts';
import { readTree, treeOid } from '../../lib/git/tree.ts';
import { temporaryRepository } from '../rig/repository.ts';

function value<T>(result: Result<T, unknown>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error, null, 1));
  return result.value;
}

describe('opening a repository', () => {
  test.each(['plain', 'with spaces', `'single' and "double"`, 'new\nline', 'ünïcödé ☃', '-dash'])(
    'works in a folder called %j, from below and within .git',
    async (name) => {
      await using repository = await temporaryRepository({ name });
      await mkdir(join(repository.dir, 'a b/c'), { recursive: true });
      for (const from of ['', 'a b/c', '.git', '.git/hooks']) {
        const opened = value(await openRepository(join(repository.dir, from), repository.env));
        expect(opened).toMatchObject({
          top: repository.dir,
          gitDir: join(repository.dir, '.git'),
          stateDir: join(repository.dir, '.git/mlops'),
          isShallow: false,
          objectFormat: 'sha1',
          linkedWorktree: false,
        });
      }
    },
  );

  test('sees through what git exports to a hook, and does not pass it on', async () => {
    await using repository = await temporaryRepository();
    const commit = await repository.commit();
    const env = {
      ...repository.env,
      GIT_DIR: '.git',
      GIT_INDEX_FILE: '/nowhere/index',
      GIT_PREFIX: 'sub/',
      GIT_AUTHOR_NAME: 'x',
      GIT_EDITOR: ':',
      GIT_SSH_COMMAND: 'ssh -v',
    };
    const opened = value(await openRepository(repository.dir, env));
    expect(
      Object.keys(opened.env)
        .filter((name) => name.startsWith('GIT_'))
        .sort(),
    ).toEqual(['GIT_CONFIG_GLOBAL', 'GIT_CONFIG_NOSYSTEM', 'GIT_SSH_COMMAND', 'GIT_TERMINAL_PROMPT']);
    expect(value(await resolveCommit(opened, 'HEAD'))).toBe(commit);
  });

  test('finds a repository whose worktree is elsewhere', async () => {
    await using repository = await temporaryRepository({ bare: true });
    const home = repository.home;
    const env = { ...repository.env, GIT_DIR: repository.dir, GIT_WORK_TREE: home };
    await repository.git('config', 'core.bare', 'false');
    const opened = value(await openRepository(home, env));
    expect(opened).toMatchObject({ top: home, gitDir: repository.dir });
    expect(value(await worktreeStatus(opened, { max: 5, untracked: true })).dirty).toEqual(['.gitconfig']);
  });

  test('says why not: no repository, no folder, a quarantine', async () => {
    await using repository = await temporaryRepository();
    expect(await openRepository(repository.root, repository.env)).toMatchObject({
      error: { reason: 'not-a-repository' },
    });
    expect(await openRepository('/no/such', repository.env)).toMatchObject({ error: { reason: 'not-a-repository' } });
    const quarantine = { ...repository.env, GIT_QUARANTINE_PATH: '/q' };
    expect(await openRepository(repository.dir, quarantine)).toEqual({
      ok: false,
      error: { reason: 'quarantine', path: '/q' },
    });
    const noGit = { ...repository.env, PATH: '/nowhere' };
    expect(await openRepository(repository.dir, noGit)).toMatchObject({ error: { reason: 'no-git' } });
    const fileOnPath = { ...repository.env, PATH: process.execPath };
    expect(await openRepository(repository.dir, fileOnPath)).toMatchObject({ error: { reason: 'no-git' } });
  });
});

describe('reading a commit', () => {
  test('gives every file with its exact name, mode and content', async () => {
    await using repository = await temporaryRepository();
    const names = ['a b', 'new\nline', 'ünï', '"q"', '*', 'sub/.hidden', 'tab\there'];
    for (const name of names) await repository.write(name, `content of ${name}`);
    await repository.write('run.sh', '#!/bin/sh\n', 0o755);
    await repository.write('empty', '');
    await repository.write('large', Buffer.alloc(3_000_000, 'x'));
    const commit = await repository.commit();
    const git = value(await openRepository(repository.dir, repository.env));
    const tree = value(await readTree(git, commit));
    expect(tree.map(({ path }) => path).sort()).toEqual([...names, 'run.sh', 'empty', 'large'].sort());
    expect(tree.find(({ path }) => path === 'run.sh')?.mode).toBe('100755');

    const contents = new Map<string, Buffer>();
    const oids = tree.map(({ oid }) => oid);
    value(await readBlobs(git, oids, (oid, content) => void contents.set(oid, content)));
    const of = (path: string) => contents.get(tree.find((entry) => entry.path === path)?.oid ?? '');
    for (const name of names) expect(of(name)?.toString()).toBe(`content of ${name}`);
    expect(of('empty')).toHaveLength(0);
    expect(of('large')).toHaveLength(3_000_000);

    const large = tree.find(({ path }) => path === 'large')?.oid as Oid;
    const hash = createHash('sha256');
    for await (const chunk of openBlob(git, large)) hash.update(chunk);
    expect(hash.digest('hex')).toBe(createHash('sha256').update(Buffer.alloc(3_000_000, 'x')).digest('hex'));
    expect(value(await blobSizes(git, [large])).get(large)).toBe(3_000_000);
    expect(value(await treeOid(git, commit))).toBe(await repository.git('rev-parse', 'HEAD^{tree}'));
  });

  test('names a blob that is not there, and never gives a short one', async () => {
    await using repository = await temporaryRepository();
    await repository.commit();
    const git = value(await openRepository(repository.dir, repository.env));
    const missing = '1'.repeat(40) as Oid;
    expect(await readBlobs(git, [missing], () => undefined)).toEqual({
      ok: false,
      error: { reason: 'missing-blob', oid: missing },
    });
    expect(await blobSizes(git, [missing])).toMatchObject({ error: { reason: 'missing-blob' } });
    await expect(openBlob(git, missing).toArray()).rejects.toThrow(missing);
  });

  test('refuses by name a path that is no text', async () => {
    await using repository = await temporaryRepository();
    await repository.commit();
    const hashed = await repository.tryGit(['hash-object', '-w', '--stdin'], { stdin: 'x' });
    const tree = await repository.tryGit(['mktree', '-z'], {
      stdin: Buffer.concat([Buffer.from(`100644 blob ${hashed.stdout.trim()}\tbad-`), Buffer.from([0xff, 0])]),
    });
    const git = value(await openRepository(repository.dir, repository.env));
    expect(await readTree(git, tree.stdout.trim() as Oid)).toEqual({
      ok: false,
      error: { reason: 'path-not-utf8', path: 'bad-\\xff' },
    });
  });

  test('reads the pushed objects where git replace shows others', async () => {
    await using repository = await temporaryRepository();
    await repository.write('file', 'true');
    const commit = await repository.commit();
    await repository.write('file', 'replaced');
    const other = await repository.commit();
    await repository.git('replace', commit, other);
    const git = value(await openRepository(repository.dir, repository.env));
    const contents: string[] = [];
    const tree = value(await readTree(git, commit));
    value(
      await readBlobs(
        git,
        tree.map(({ oid }) => oid),
        (_, content) => void contents.push(content.toString()),
      ),
    );
    expect(contents).toEqual(['true']);
  });

  test('expands submodules in submodules, and names one that is not here', async () => {
    await using inner = await temporaryRepository();
    await inner.write('inner.py', 'x = 1\n');
    await inner.commit();
    await using middle = await temporaryRepository();
    await middle.git('submodule', '--quiet', 'add', inner.dir, 'deep dir/inner');
    await middle.commit();
    await using outer = await temporaryRepository();
    await outer.write('outer.py', '');
    await outer.git('submodule', '--quiet', 'add', '--name', 'other/name', middle.dir, 'libs/middle');
    const commit = await outer.commit();
    const git = value(await openRepository(outer.dir, outer.env));
    expect(await readTreeWithSubmodules(git, commit)).toMatchObject({
      error: { reason: 'submodule-missing', path: 'deep dir/inner' },
    });
    await outer.git('submodule', '--quiet', 'update', '--init', '--recursive');
    const trees = value(await readTreeWithSubmodules(git, commit));
    expect(trees.flatMap(({ entries }) => entries.map(({ path }) => path))).toEqual([
      '.gitmodules',
      'outer.py',
      'libs/middle/.gitmodules',
      'libs/middle/deep dir/inner/inner.py',
    ]);
    const deepest = trees.at(-1);
    const contents: string[] = [];
    if (deepest === undefined) throw new Error('no trees');
    const oids = deepest.entries.map(({ oid }) => oid);
    value(await readBlobs(deepest.repository, oids, (_, content) => void contents.push(content.toString())));
    expect(contents).toEqual(['x = 1\n']);
    await rm(join(outer.dir, 'libs'), { recursive: true });
    expect(value(await readTreeWithSubmodules(git, commit))).toHaveLength(3);
  });
});

describe('asking for history', () => {
  test('answers in one word each, with undefined for "none"', async () => {
    await using repository = await temporaryRepository();
    const git = value(await openRepository(repository.dir, repository.env));
    expect(value(await currentBranch(git))).toBe('main');
    const first = await repository.commit('Erste, mit Ümläuten');
    const second = await repository.commit('Second\n\nwith a body');
    await repository.git('checkout', '--quiet', '-b', 'side/branch', first);
    const side = await repository.commit('Side');
    expect(value(await currentBranch(git))).toBe('side/branch');
    expect(value(await mergeBase(git, second, side))).toBe(first);
    expect(value(await isAncestor(git, first, side))).toBe(true);
    expect(value(await isAncestor(git, second, side))).toBe(false);
    expect(value(await firstParents(git, second, 10))).toEqual([second, first]);
    expect(value(await commitsBetween(git, first, side, 10))).toEqual([side]);
    expect(value(await commitInfo(git, second))).toMatchObject({
      subject: 'Second',
      authorName: 'Ada Tester',
      authorEmail: 'ada@example.org',
      parents: [first],
    });
    expect(value(await refOid(git, 'refs/heads/main'))).toBe(second);
    expect(value(await refOid(git, 'refs/heads/side'))).toBeUndefined();
    expect(await resolveCommit(git, '--all')).toMatchObject({ error: { reason: 'unknown-revision' } });
    expect(await resolveCommit(git, 'no\0such')).toMatchObject({ error: { reason: 'unknown-revision' } });
    await repository.git('checkout', '--quiet', '--orphan', 'unrelated');
    const unrelated = await repository.commit('Unrelated');
    expect(value(await mergeBase(git, unrelated, first))).toBeUndefined();
    await repository.git('checkout', '--quiet', '--detach');
    expect(value(await currentBranch(git))).toBeUndefined();
    expect(value(await identity(git))).toEqual({ name: 'Ada Tester', email: 'ada@example.org' });
  });

  test('knows no identity where git would have to guess one', async () => {
    await using repository = await temporaryRepository({ identity: false });
    const git = value(await openRepository(repository.dir, repository.env));
    expect(value(await identity(git))).toBeUndefined();
  });

  test('knows the remote default branch and where a push goes', async () => {
    await using repository = await temporaryRepository();
    await repository.commit();
    await repository.git('branch', '-m', 'trunk');
    const clone = await repository.clone();
    const git = value(await openRepository(clone.dir, clone.env));
    expect(value(await remoteDefaultBranch(git, 'origin'))).toBe('trunk');
    expect(value(await remoteDefaultBranch(git, 'https://example.org/x'))).toBeUndefined();
    expect(value(await pushRemote(git, 'trunk'))).toBe('origin');
    await clone.git('config', 'remote.pushDefault', 'fork');
    expect(value(await pushRemote(git, 'trunk'))).toBe('fork');
    expect(value(await pushRemote(git, undefined))).toBe('fork');
  });
});

describe('the worktree and the settings', () => {
  test('names dirty paths exactly, only as many as asked for', async () => {
    await using repository = await temporaryRepository({ name: 'näme\nwith newline' });
    for (const name of ['a b', 'ünï', 'c']) await repository.write(name, '1');
    await repository.commit();
    const git = value(
      await openRepository(repository.dir, { ...repository.env, EDITOR: 'vi', GIT_SSH_COMMAND: 'ssh' }),
    );
    expect(value(await worktreeStatus(git, { max: 2 }))).toEqual({ dirty: [], count: 0 });
    for (const name of ['a b', 'ünï', 'c', 'untracked']) await repository.write(name, '22');
    expect(value(await worktreeStatus(git, { max: 2 }))).toEqual({ dirty: ['a b', 'c'], count: 3 });
    expect(value(await worktreeStatus(git, { max: 9, untracked: true })).count).toBe(4);
  });

  test('reads, sets, adds and unsets settings of the clone', async () => {
    await using repository = await temporaryRepository();
    const git = value(await openRepository(repository.dir, repository.env));
    expect(value(await readGitConfig(git, 'mlops.'))).toEqual(new Map());
    value(await setGitConfig(git, 'mlops.cluster.workdir', '/scratch/a\nb'));
    await repository.git('config', '--global', 'mlops.Cluster.host', 'login');
    await repository.git('config', 'mlopsx.y', 'no');
    expect(value(await readGitConfig(git, 'mlops.'))).toEqual(
      new Map([
        ['mlops.Cluster.host', 'login'],
        ['mlops.cluster.workdir', '/scratch/a\nb'],
      ]),
    );
    const refspec = '+refs/notes/mlops*:refs/notes/mlops*';
    for (const one of [refspec, 'other', refspec]) value(await addGitConfig(git, 'remote.o.fetch', one));
    expect(value(await readGitConfigAll(git, 'remote.o.')).get('remote.o.fetch')).toEqual([refspec, 'other']);
    value(await unsetGitConfig(git, 'remote.o.fetch', refspec));
    expect(value(await readGitConfigAll(git, 'remote.o.')).get('remote.o.fetch')).toEqual(['other']);
    value(await unsetGitConfig(git, 'remote.o.fetch'));
    value(await unsetGitConfig(git, 'remote.o.fetch'));
    expect(value(await readGitConfig(git, 'remote.o.'))).toEqual(new Map());
  });
});
