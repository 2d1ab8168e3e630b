import { chmod, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import type { Oid } from '../../lib/base/ids.ts';
import type { Result } from '../../lib/base/result.ts';
import { readNotes } from '../../lib/git/notes.ts';
import { fetchReports, publishReports } from '../../lib/git/publish.ts';
import { listPaths, record } from '../../lib/git/reports.ts';
import { openRepository, type Repository } from '../../lib/git/repository.ts';
import { type TestRepository, temporaryRepository } from '../rig/repository.ts';

const opened = async (repository: TestRepository): Promise<Repository> =>
  value(await openRepository(repository.dir, repository.env));

function value<T>(result: Result<T, unknown>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error, null, 1));
  return result.value;
}

const one = (commit: Oid, line: string) => ({
  branch: 'mlops',
  files: new Map([[`runs/ab/${line}/report.json`, `${line}\n`]]),
  notes: new Map([[commit, [line]]]),
  message: `Report: ${line}\n`,
});

const hook = async (bare: string, name: string, script: string) => {
  await writeFile(join(bare, 'hooks', name), `#!/bin/sh\n${script}\n`);
  await chmod(join(bare, 'hooks', name), 0o755);
};

describe('publishing reports', () => {
  for (const objectFormat of ['sha1', 'sha256'] as const) {
    test(`six ${objectFormat} clones publishing at once all arrive, in every clone`, async () => {
      await using repository = await temporaryRepository({ objectFormat });
      const commit = await repository.commit();
      const bare = await repository.remote();
      await repository.git('push', '--quiet', 'origin', 'main');
      const clones = await Promise.all(Array.from({ length: 6 }, () => repository.clone(bare)));
      const published = await Promise.all(
        clones.map(async (clone, index) => {
          const git = await opened(clone);
          value(await record(git, one(commit, `clone-${index}`)));
          return publishReports(git, 'origin', 'mlops');
        }),
      );
      expect(published.map((each) => each.kind)).toEqual(Array.from({ length: 6 }, () => 'published'));
      const reader = await repository.clone(bare);
      const git = await opened(reader);
      value(await fetchReports(git, 'origin', 'mlops'));
      const all = Array.from({ length: 6 }, (_, index) => `clone-${index}`);
      expect(value(await readNotes(git, [commit])).get(commit)).toEqual(all);
      expect(value(await listPaths(git, 'mlops', 'runs/'))).toHaveLength(6);
      await repository.git('-C', bare, 'fsck', '--strict');
    });
  }

  test('costs no connection when the remote has everything', async () => {
    await using repository = await temporaryRepository();
    const commit = await repository.commit();
    const bare = await repository.remote();
    const git = await opened(repository);
    expect(await publishReports(git, 'origin', 'mlops')).toEqual({ kind: 'nothing-to-publish' });
    value(await record(git, one(commit, 'pass')));
    expect(await publishReports(git, 'origin', 'mlops')).toEqual({ kind: 'published', tries: 1 });
    await rm(bare, { recursive: true });
    expect(await publishReports(git, 'origin', 'mlops')).toEqual({ kind: 'nothing-to-publish' });
  });

  test('a protected remote refuses with its own words, and gets everything once it allows', async () => {
    await using repository = await temporaryRepository();
    const commit = await repository.commit();
    const bare = await repository.remote();
    await hook(bare, 'pre-receive', 'echo "reports are not welcome here" >&2; exit 1');
    const git = await opened(repository);
    value(await record(git, one(commit, 'first')));
    const refused = await publishReports(git, 'origin', 'mlops');
    expect(refused).toMatchObject({ kind: 'refused', tries: 1, error: { reason: 'refused' } });
    expect(JSON.stringify(refused)).toContain('reports are not welcome here');
    value(await record(git, one(commit, 'second')));
    await rm(join(bare, 'hooks/pre-receive'));
    expect(await publishReports(git, 'origin', 'mlops')).toMatchObject({ kind: 'published' });
    const clone = await repository.clone(bare);
    const there = await opened(clone);
    value(await fetchReports(there, 'origin', 'mlops'));
    expect(value(await readNotes(there, [commit])).get(commit)).toEqual(['first', 'second']);
  });

  test('a remote that is not there is refused, and nothing is lost here', async () => {
    await using repository = await temporaryRepository();
    const commit = await repository.commit();
    const git = await opened(repository);
    value(await record(git, one(commit, 'pass')));
    const refused = await publishReports(git, join(repository.root, 'nowhere'), 'mlops');
    expect(refused).toMatchObject({ kind: 'refused', error: { reason: 'no-remote-repository' } });
    const closed = await publishReports(git, 'http://127.0.0.1:1/x.git', 'mlops');
    expect(closed).toMatchObject({ kind: 'refused', error: { reason: 'unreachable' } });
    expect(value(await readNotes(git, [commit])).get(commit)).toEqual(['pass']);
  });

  test('runs no pre-push hook, pushes no tag and no other branch, even with a mirror', async () => {
    await using repository = await temporaryRepository();
    const commit = await repository.commit();
    const bare = await repository.remote();
    await repository.git('tag', '-a', 'v1', '-m', 'v1');
    await repository.git('config', 'push.followTags', 'true');
    await repository.git('config', 'remote.origin.mirror', 'true');
    await repository.write('.git/hooks/pre-push', '#!/bin/sh\nexit 1\n', 0o755);
    const git = await opened(repository);
    value(await record(git, one(commit, 'pass')));
    expect(await publishReports(git, 'origin', 'mlops')).toMatchObject({ kind: 'published' });
    expect(await repository.git('-C', bare, 'for-each-ref', '--format=%(refname)')).toBe(
      'refs/heads/mlops\nrefs/notes/mlops',
    );
  });

  test('works with a server that knows no atomic push, and with a bare URL', async () => {
    await using repository = await temporaryRepository();
    const commit = await repository.commit();
    const bare = await repository.remote();
    await repository.git('-C', bare, 'config', 'receive.advertiseAtomic', 'false');
    const git = await opened(repository);
    value(await record(git, one(commit, 'pass')));
    expect(await publishReports(git, `file://${bare}`, 'mlops')).toMatchObject({ kind: 'published', tries: 1 });
    const clone = await repository.clone(bare);
    const there = await opened(clone);
    value(await fetchReports(there, `file://${bare}`, 'mlops'));
    expect(value(await readNotes(there, [commit])).get(commit)).toEqual(['pass']);
  });

  test('a shallow clone of all branches publishes on top of reports whose history it has not', async () => {
    await using repository = await temporaryRepository();
    const commit = await repository.commit();
    const bare = await repository.remote();
    await repository.git('push', '--quiet', 'origin', 'main');
    const git = await opened(repository);
    for (const line of ['one', 'two', 'three']) value(await record(git, one(commit, line)));
    await publishReports(git, 'origin', 'mlops');
    const clone = await repository.clone(`file://${bare}`, ['--depth=1', '--no-single-branch']);
    const shallow = await opened(clone);
    value(await record(shallow, one(commit, 'four')));
    expect(await publishReports(shallow, 'origin', 'mlops')).toMatchObject({ kind: 'published' });
    value(await fetchReports(git, 'origin', 'mlops'));
    expect(value(await readNotes(git, [commit])).get(commit)).toEqual(['four', 'one', 'three', 'two']);
    expect(value(await listPaths(git, 'mlops', 'runs/'))).toHaveLength(4);
  });
});

describe('fetching reports', () => {
  test('from a remote that has none is no error and leaves nothing', async () => {
    await using repository = await temporaryRepository();
    await repository.commit();
    await repository.remote();
    const git = await opened(repository);
    expect(value(await fetchReports(git, 'origin', 'mlops'))).toMatchObject({ changed: false });
    expect(await repository.git('for-each-ref', 'refs/mlops', 'refs/notes')).toBe('');
  });

  test('does not fetch other branches and leaves the user tracking refs alone', async () => {
    await using repository = await temporaryRepository();
    const commit = await repository.commit();
    const bare = await repository.remote();
    const git = await opened(repository);
    value(await record(git, one(commit, 'pass')));
    await publishReports(git, 'origin', 'mlops');
    const clone = await repository.clone(bare);
    await repository.git('branch', 'mlops-other');
    await repository.git('push', '--quiet', 'origin', 'main', 'mlops-other');
    const before = await clone.git('for-each-ref', 'refs/remotes');
    value(await fetchReports(await opened(clone), 'origin', 'mlops'));
    expect(await clone.git('for-each-ref', 'refs/remotes')).toBe(before);
    expect(await clone.git('for-each-ref', '--format=%(refname)', 'refs/mlops/remotes')).toBe(
      'refs/mlops/remotes/origin/heads/mlops\nrefs/mlops/remotes/origin/notes',
    );
  });

  test('with the refspec that init sets, a plain fetch and git log show the note', async () => {
    await using repository = await temporaryRepository();
    const commit = await repository.commit();
    const bare = await repository.remote();
    await repository.git('push', '--quiet', 'origin', 'main');
    const git = await opened(repository);
    value(await record(git, one(commit, 'pass-rprec-0.395')));
    await publishReports(git, 'origin', 'mlops');
    const clone = await repository.clone(bare);
    await clone.git('config', '--add', 'remote.origin.fetch', '+refs/notes/mlops*:refs/notes/mlops*');
    await clone.git('config', '--add', 'notes.displayRef', 'refs/notes/mlop[s]');
    await clone.git('fetch', '--quiet');
    expect(await clone.git('log', '-1')).toContain('Notes (mlops):\n    pass-rprec-0.395');
  });
});
