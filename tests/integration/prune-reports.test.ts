import { describe, expect, test } from '@jest/globals';
import { asFingerprint, type Oid } from '../../lib/base/ids.ts';
import type { Result } from '../../lib/base/result.ts';
import { type PruneRequest, pruneReports } from '../../lib/commands/prune-reports.ts';
import { show } from '../../lib/commands/show.ts';
import { overview } from '../../lib/gate/overview.ts';
import { readNotes } from '../../lib/git/notes.ts';
import { fetchReports, publishReports } from '../../lib/git/publish.ts';
import { record } from '../../lib/git/reports.ts';
import type { Repository } from '../../lib/git/repository.ts';
import type { Report } from '../../lib/report/types.ts';
import { opened } from '../rig/fingerprint.ts';
import { type RecordOptions, recordReport, recordReports } from '../rig/recorded-report.ts';
import { type TestRepository, temporaryRepository } from '../rig/repository.ts';

function value<T>(result: Result<T, unknown>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error, null, 1));
  return result.value;
}

const fingerprint = (digit: number) => asFingerprint(`${digit}`.repeat(64));
/** A report of the first of November, the second, and so on. */
const onDay = (commit: Oid, day: number): RecordOptions => ({
  commit,
  fingerprint: fingerprint(day),
  id: `2026110${day}T120000Z-00000${day}`,
});
const prune = async (repo: Repository, request: Partial<PruneRequest> = {}) =>
  value(
    await pruneReports(
      { repo, branch: 'mlops', emit: () => {} },
      { dryRun: false, id: '20261124T120000Z-abcdef', ...request },
    ),
  );
/** The days of the reports that are on the branch. */
const days = async (repository: TestRepository, branch = 'mlops') =>
  (await repository.git('ls-tree', '-r', '--name-only', branch, 'runs/'))
    .split('\n')
    .flatMap((path) => /2026110(\d)T.*\/report\.json$/.exec(path)?.[1] ?? [])
    .map(Number);

/** Five commits on one line, each judged on a day of its own; the newest is HEAD. */
async function fiveDays(repository: TestRepository): Promise<{ repo: Repository; commits: readonly Oid[] }> {
  const repo = await opened(repository);
  const commits: Oid[] = [];
  for (let day = 1; day <= 5; day += 1) commits.push(await repository.commit(`Day ${day}`));
  await recordReports(
    repo,
    commits.map((commit, index) => onDay(commit, index + 1)),
  );
  return { repo, commits };
}

describe('mlops gc --reports', () => {
  test('removes what is old, but not the newest so many, and with --dry-run only lists it', async () => {
    await using repository = await temporaryRepository();
    const { repo } = await fiveDays(repository);
    const files = new Map([['data/ab/list.json', '[]\n']]);
    value(await record(repo, { branch: 'mlops', files, notes: new Map(), message: 'A list\n' }));
    const thirdDay = Date.parse('2026-11-04T00:00:00Z') / 1000;
    const before = await repository.git('rev-parse', 'mlops');
    const listed = await prune(repo, { before: thirdDay, keep: 3, dryRun: true });
    expect(await repository.git('rev-parse', 'mlops')).toBe(before);
    const { pruned, left, inUse } = await prune(repo, { before: thirdDay, keep: 3 });
    expect(listed.pruned).toEqual(pruned);
    expect(pruned.map(({ id }) => id.slice(6, 8))).toEqual(['02', '01']);
    expect({ left, inUse }).toEqual({ left: 3, inUse: 0 });
    expect(await days(repository)).toEqual([3, 4, 5]);
    // What reports share stays.
    expect(await repository.git('ls-tree', '-r', '--name-only', 'mlops', 'data/')).toBe('data/ab/list.json');
    // One commit more, on top of what was there: whoever has the branch goes on with it.
    expect(await repository.git('rev-parse', 'mlops^')).toBe(before);
    expect((await prune(repo, { before: thirdDay, keep: 3 })).pruned).toEqual([]);
    expect(await repository.git('rev-parse', 'mlops^')).toBe(before);
  });

  test('leaves what a branch, a tag or HEAD stands on, also where the commit there was not judged itself', async () => {
    await using repository = await temporaryRepository();
    const { repo, commits } = await fiveDays(repository);
    await repository.git('tag', '-a', 'v1', '-m', 'v1', commits[0] ?? '');
    await repository.git('switch', '--quiet', '-c', 'topic', commits[2] ?? '');
    await repository.commit('Docs');
    // An error says nothing about the model: the verdict before it stays too.
    const failed = await repository.commit('Out of memory');
    await recordReport(repo, { ...onDay(failed, 6), run: { finished: false, metrics: {}, jobForgotten: true } });
    const { pruned, inUse } = await prune(repo, { keep: 0 });
    expect(await days(repository)).toEqual([1, 3, 5, 6]);
    expect({ pruned: pruned.length, inUse }).toEqual({ pruned: 2, inUse: 4 });
  });

  test('tells the decisions of people that it removes, and writes them into the history', async () => {
    await using repository = await temporaryRepository();
    const { repo, commits } = await fiveDays(repository);
    const facts = { decided: 'accepted', decision: { reason: 'new data', by: 'Ann' } } as const;
    const at = { fingerprint: fingerprint(1), id: '20261101T130000Z-000001', facts };
    await recordReport(repo, { commit: commits[0] as Oid, ...at });
    const { pruned } = await prune(repo, { keep: 1 });
    expect(pruned.filter(({ outcome }) => outcome === 'accepted')).toMatchObject([{ commit: commits[0], id: at.id }]);
    expect(await repository.git('log', '-1', '--format=%B', 'mlops')).toContain(
      `accepted ${commits[0]?.slice(0, 12)} run 1111111`,
    );
    const notes = value(await readNotes(repo, [commits[0] as Oid]));
    expect(notes.get(commits[0] as Oid)?.join('\n')).toContain('accepted  reason="new data"  by="Ann"');
  });

  test('leaves what it cannot read alone', async () => {
    await using repository = await temporaryRepository();
    const { repo, commits } = await fiveDays(repository);
    const json = (report: Report) => JSON.stringify({ ...report, version: 2 });
    await recordReport(repo, { ...onDay(commits[0] as Oid, 7), json });
    const { unreadable } = await prune(repo, { keep: 0 });
    expect(unreadable).toBe(1);
    expect(await days(repository)).toEqual([5, 7]);
  });

  test('of a pruned run mlops show says so, and where the history has it', async () => {
    await using repository = await temporaryRepository();
    const { repo, commits } = await fiveDays(repository);
    await prune(repo, { keep: 3 });
    for (const target of [commits[0] as Oid, '1111111']) {
      const shown = await show({ repo, branch: 'mlops', emit: () => {}, target });
      if (shown.ok || shown.error.reason !== 'pruned') throw new Error(JSON.stringify(shown));
      const [one] = shown.error.pruned;
      expect(one).toMatchObject({ id: '20261101T120000Z-000001', prunedAt: Date.parse('2026-11-24T12:00:00Z') / 1000 });
      expect(await repository.git('show', `${one?.tip}:${one?.folder}/report.md`)).toContain('# pass');
    }
    expect(await show({ repo, branch: 'mlops', emit: () => {}, target: commits[3] as Oid })).toMatchObject({
      ok: true,
    });
  });

  for (const first of ['the pruning', 'the report']) {
    test(`a clone that publishes a report at the same time brings nothing back and loses nothing: ${first} arrives first`, async () => {
      await using repository = await temporaryRepository();
      const { repo, commits } = await fiveDays(repository);
      const bare = await repository.remote();
      await repository.git('push', '--quiet', 'origin', 'main');
      await publishReports(repo, 'origin', 'mlops', { computed: overview });
      const clone = await repository.clone(bare);
      const other = await opened(clone);
      value(await fetchReports(other, 'origin', 'mlops', { computed: overview }));
      // Neither has seen what the other does.
      await recordReport(other, onDay(commits[1] as Oid, 8));
      await prune(repo, { keep: 2 });
      for (const each of first === 'the pruning' ? [repo, other, repo] : [other, repo, other]) {
        const published = await publishReports(each, 'origin', 'mlops', { computed: overview });
        expect(published.kind).not.toBe('refused');
      }
      for (const each of [repository, clone]) {
        value(await fetchReports(await opened(each), 'origin', 'mlops', { computed: overview }));
        expect(await days(each)).toEqual([4, 5, 8]);
      }
      expect(await repository.git('-C', bare, 'ls-tree', '--name-only', 'mlops', 'pruned/')).toBe(
        'pruned/20261124T120000Z-abcdef.json',
      );
      await repository.git('-C', bare, 'fsck', '--strict');
    });
  }

  test('two clones that prune at the same time remove what either did', async () => {
    await using repository = await temporaryRepository();
    const { repo, commits } = await fiveDays(repository);
    const bare = await repository.remote();
    await repository.git('push', '--quiet', 'origin', 'main');
    await publishReports(repo, 'origin', 'mlops');
    const clone = await repository.clone(bare);
    const other = await opened(clone);
    value(await fetchReports(other, 'origin', 'mlops'));
    await prune(repo, { keep: 3 });
    await prune(other, { before: Date.parse('2026-11-04T00:00:00Z') / 1000, keep: 1, id: '20261124T120001Z-abcdef' });
    await Promise.all([repo, other].map((each) => publishReports(each, 'origin', 'mlops')));
    for (const each of [repository, clone]) {
      value(await fetchReports(await opened(each), 'origin', 'mlops'));
      expect(await days(each)).toEqual([4, 5]);
      const shown = await show({
        repo: await opened(each),
        branch: 'mlops',
        emit: () => {},
        target: commits[0] as Oid,
      });
      expect(shown).toMatchObject({ error: { reason: 'pruned', pruned: [{ id: '20261101T120000Z-000001' }] } });
    }
  });

  test('prunes nothing while the remote cannot be asked what it has', async () => {
    await using repository = await temporaryRepository();
    const { repo } = await fiveDays(repository);
    const request = { keep: 1, dryRun: false, id: '20261124T120000Z-abcdef', remote: `${repository.root}/nowhere` };
    expect(await pruneReports({ repo, branch: 'mlops', emit: () => {} }, request)).toMatchObject({
      error: { reason: 'not-fetched' },
    });
    expect(await days(repository)).toEqual([1, 2, 3, 4, 5]);
  });
});
