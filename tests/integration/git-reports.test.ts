import { rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Oid } from '../../lib/base/ids.ts';
import type { Result } from '../../lib/base/result.ts';
import { latestNotes, readNotes } from '../../lib/git/notes.ts';
import { listPaths, readFiles, readPaths, record, syncDisplayedNotes } from '../../lib/git/reports.ts';
import { openRepository, type Repository } from '../../lib/git/repository.ts';
import { type TestRepository, temporaryRepository } from '../rig/repository.ts';

const opened = async (repository: TestRepository): Promise<Repository> =>
  value(await openRepository(repository.dir, repository.env));

function value<T>(result: Result<T, unknown>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error, null, 1));
  return result.value;
}

const one = (commit: Oid, line: string, path = `runs/ab/${line.replaceAll(' ', '-')}/report.json`) => ({
  branch: 'mlops',
  files: new Map([[path, `{"line":"${line}"}\n`]]),
  notes: new Map([[commit, [line]]]),
  message: `Report: ${line}\n`,
});

describe('recording a report and its note', () => {
  test('puts both into git, and git log shows the note', async () => {
    await using repository = await temporaryRepository({ name: 'a "quoted" näme\nwith a newline' });
    const commit = await repository.commit();
    const git = await opened(repository);
    const recorded = value(await record(git, one(commit, 'pass rprec 0.395')));
    expect(recorded.changed).toBe(true);
    expect(await repository.git('log', '-1', '--notes=mlops')).toContain('Notes (mlops):\n    pass rprec 0.395');
    expect(await repository.git('show', 'mlops:runs/ab/pass-rprec-0.395/report.json')).toContain('rprec');
    expect(await repository.git('for-each-ref', 'refs/mlops/scratch')).toBe('');
    expect(await repository.git('status', '--porcelain')).toBe('');
    await repository.git('fsck', '--strict');
  });

  test('the same record again makes no commit', async () => {
    await using repository = await temporaryRepository();
    const commit = await repository.commit();
    const git = await opened(repository);
    const first = value(await record(git, one(commit, 'pass')));
    const second = value(await record(git, one(commit, 'pass')));
    expect(second).toEqual({ ...first, changed: false });
  });

  test('sixteen parallel writers give sixteen reports and all notes', async () => {
    await using repository = await temporaryRepository();
    const commits: Oid[] = [];
    for (let index = 0; index < 4; index++) commits.push(await repository.commit(`Commit ${index}`));
    const git = await opened(repository);
    const writers = Array.from({ length: 16 }, (_, index) => {
      const commit = commits[index % 4];
      if (commit === undefined) throw new Error('no commit');
      return record(git, one(commit, `run ${index}`));
    });
    const recorded = (await Promise.all(writers)).map(value);
    expect(recorded.every((each) => each.changed)).toBe(true);
    expect(await repository.git('rev-list', '--count', '--no-merges', 'mlops')).toBe('17');
    expect(value(await listPaths(git, 'mlops', 'runs/'))).toHaveLength(16);
    const notes = value(await readNotes(git, commits));
    expect([...notes.values()].flat().sort()).toEqual(Array.from({ length: 16 }, (_, index) => `run ${index}`).sort());
    expect([...notes.values()].map((lines) => lines.length)).toEqual([4, 4, 4, 4]);
  });

  for (const objectFormat of ['sha1', 'sha256'] as const) {
    test(`works in a bare ${objectFormat} repository without an identity`, async () => {
      await using repository = await temporaryRepository({ objectFormat });
      const commit = await repository.commit();
      const bare = await repository.remote();
      await repository.git('push', '--quiet', 'origin', 'main');
      await repository.git('config', '--global', '--remove-section', 'user');
      await repository.git('config', '--global', 'user.useConfigOnly', 'true');
      const git = value(await openRepository(bare, repository.env));
      expect(git.top).toBeUndefined();
      value(await record(git, one(commit, 'pass')));
      expect(await repository.git('-C', bare, 'log', '-1', '--format=%cn <%ce>', 'mlops')).toBe(
        'mlops <mlops@localhost>',
      );
      expect(value(await readNotes(git, [commit])).get(commit)).toEqual(['pass']);
    });
  }

  test('works in a linked worktree with a detached head, and in a shallow clone', async () => {
    await using repository = await temporaryRepository();
    await repository.commit('First');
    const commit = await repository.commit('Second');
    const linked = await repository.worktree('side');
    await linked.git('checkout', '--quiet', '--detach');
    const git = await opened(linked);
    expect(git.linkedWorktree).toBe(true);
    value(await record(git, one(commit, 'from the worktree')));
    expect(value(await readNotes(await opened(repository), [commit])).get(commit)).toEqual(['from the worktree']);

    const shallow = await repository.clone(`file://${repository.dir}`, ['--depth=1', '--branch=main']);
    const shallowGit = await opened(shallow);
    expect(shallowGit.isShallow).toBe(true);
    value(await record(shallowGit, one(commit, 'from the shallow clone')));
    expect(value(await readNotes(shallowGit, [commit])).get(commit)).toEqual(['from the shallow clone']);
  });

  test('two clones that know nothing of each other begin with the same commit', async () => {
    await using repository = await temporaryRepository();
    const commit = await repository.commit();
    const clone = await repository.clone();
    value(await record(await opened(repository), one(commit, 'here')));
    value(await record(await opened(clone), one(commit, 'there')));
    const root = ['rev-list', '--max-parents=0', 'mlops', 'refs/notes/mlops'];
    expect(await clone.git(...root)).toBe(await repository.git(...root));
  });

  test('says of a lock that a killed git has left where it is, and records once it is removed', async () => {
    await using repository = await temporaryRepository();
    const commit = await repository.commit();
    const git = await opened(repository);
    const lock = join(repository.dir, '.git/refs/heads/mlops.lock');
    await writeFile(lock, '');
    const begun = Date.now();
    const minuteAgo = new Date(begun - 60_000);
    await utimes(lock, minuteAgo, minuteAgo);
    expect(await record(git, one(commit, 'pass'))).toMatchObject({
      ok: false,
      error: { reason: 'lock-left', lock, last: { stderr: expect.stringContaining('mlops.lock') } },
    });
    expect(Date.now() - begun).toBeLessThan(5000);
    await rm(lock);
    expect(value(await record(git, one(commit, 'pass'))).changed).toBe(true);
  });

  test('refuses while the branch is checked out, and beside a branch in its folder', async () => {
    await using repository = await temporaryRepository();
    const commit = await repository.commit();
    const git = await opened(repository);
    const linked = await repository.worktree('mlops');
    expect(await record(git, one(commit, 'pass'))).toEqual({
      ok: false,
      error: { reason: 'branch-checked-out', branch: 'mlops', worktree: linked.dir },
    });
    await repository.git('worktree', 'remove', linked.dir);
    await repository.git('branch', '-m', 'mlops', 'mlops/x');
    expect(await record(git, one(commit, 'pass'))).toEqual({
      ok: false,
      error: { reason: 'branch-conflict', branch: 'mlops', existing: 'mlops/x', suggestion: '_mlops' },
    });
    await repository.git('branch', '-D', 'mlops/x');
    await repository.git('checkout', '--quiet', '--orphan', 'mlops');
    expect(await record(git, one(commit, 'pass'))).toMatchObject({ error: { reason: 'branch-checked-out' } });
  });

  test('a displayed ref that a forced fetch has overwritten loses nothing', async () => {
    await using repository = await temporaryRepository();
    const commit = await repository.commit();
    const clone = await repository.clone();
    await clone.git('config', '--add', 'remote.origin.fetch', '+refs/notes/mlops*:refs/notes/mlops*');
    value(await record(await opened(repository), one(commit, 'by a colleague')));
    const git = await opened(clone);
    value(await record(git, one(commit, 'by me')));
    await clone.git('fetch', '--quiet');
    expect(await clone.git('log', '-1', '--notes=mlops')).not.toContain('by me');
    expect(value(await readNotes(git, [commit])).get(commit)).toEqual(['by a colleague', 'by me']);
    expect(value(await syncDisplayedNotes(git))).toEqual({ changed: true });
    expect(value(await syncDisplayedNotes(git))).toEqual({ changed: false });
    expect(await clone.git('log', '-1', '--notes=mlops')).toContain('    by a colleague\n    by me');
    expect(await clone.git('rev-parse', 'refs/mlops/notes')).toBe(await clone.git('rev-parse', 'refs/notes/mlops'));
  });

  test('keeps what a person has added with git notes', async () => {
    await using repository = await temporaryRepository();
    const commit = await repository.commit();
    const git = await opened(repository);
    value(await record(git, one(commit, 'run 1')));
    await repository.git('notes', '--ref=mlops', 'append', '-m', 'looked at by hand');
    value(await record(git, one(commit, 'run 2')));
    expect(await repository.git('notes', '--ref=mlops', 'show')).toBe('looked at by hand\nrun 1\nrun 2');
    expect((await repository.git('ls-tree', '-r', '--name-only', 'refs/notes/mlops')).split('\n')).toHaveLength(1);
  });
});

describe('reading reports', () => {
  test('finds them by a prefix of their path, here and in remote copies, each once', async () => {
    await using repository = await temporaryRepository();
    const commit = await repository.commit();
    value(await record(await opened(repository), one(commit, 'there', 'runs/ab/abc1/report.json')));
    const clone = await repository.clone();
    const git = await opened(clone);
    expect(value(await readFiles(git, 'mlops', 'runs/ab/abc')).map(({ path }) => path)).toEqual([
      'runs/ab/abc1/report.json',
    ]);
    value(await record(git, one(commit, 'here', 'runs/ab/abd2/report.json')));
    value(await record(git, one(commit, 'there', 'runs/ab/abc1/report.json')));
    expect(value(await readFiles(git, 'mlops', 'runs/ab/ab')).map((file) => file.content.toString())).toEqual([
      '{"line":"there"}\n',
      '{"line":"here"}\n',
    ]);
    expect(value(await listPaths(git, 'mlops', 'runs/zz/'))).toEqual([]);
    expect(value(await readPaths(git, 'mlops', ['runs/ab/abd2/report.json', 'no/such']))).toHaveLength(1);
  });

  test('gives the latest notes first, of commits that need not be here', async () => {
    await using repository = await temporaryRepository();
    const git = await opened(repository);
    const commits: Oid[] = [];
    expect(value(await latestNotes(git, 5))).toEqual([]);
    for (const name of ['one', 'two', 'three']) {
      const commit = await repository.commit(name);
      commits.push(commit);
      value(await record(git, one(commit, name)));
    }
    const latest = value(await latestNotes(git, 2));
    expect(latest.map((note) => note.lines)).toEqual([['three'], ['two']]);
  });
});
