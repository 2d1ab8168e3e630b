import { expect, test } from '@jest/globals';
import { asFingerprint, type Oid } from '../../lib/base/ids.ts';
import type { Result } from '../../lib/base/result.ts';
import { overview, overviewWith } from '../../lib/gate/overview.ts';
import { fetchReports, publishReports } from '../../lib/git/publish.ts';
import { record } from '../../lib/git/reports.ts';
import type { Repository } from '../../lib/git/repository.ts';
import type { DashboardEntry } from '../../lib/report/dashboard.ts';
import { opened } from '../rig/fingerprint.ts';
import { temporaryRepository } from '../rig/repository.ts';

function value<T>(result: Result<T, unknown>): T {
  if (!result.ok) throw new Error(JSON.stringify(result.error, null, 1));
  return result.value;
}

/** A report and its line on the dashboard, as the gate writes them: in one commit. */
async function judged(repo: Repository, commit: Oid, digit: number, more: Partial<DashboardEntry> = {}) {
  const run = asFingerprint(String(digit).repeat(64));
  const entry: DashboardEntry = {
    id: `20261124T03500${digit}Z-a1b2c3`,
    fingerprint: run,
    commit,
    branch: `topic-${digit}`,
    subject: `Change ${digit}`,
    outcome: 'pass',
    metrics: { rprec: digit / 10 },
    ...more,
  };
  const done = await record(repo, {
    branch: 'mlops',
    files: new Map([[`runs/${run.slice(0, 2)}/${run}/${entry.id}/report.json`, `${digit}\n`]]),
    notes: new Map([[commit, [`pass ${digit}`]]]),
    message: `Report ${digit}\n`,
    computed: overviewWith(entry),
  });
  return value(done);
}

test('the README of the reports branch changes in the same commit as the report, and without need in none', async () => {
  await using repository = await temporaryRepository();
  const commit = await repository.commit();
  const repo = await opened(repository);
  await judged(repo, commit, 1);
  expect(await repository.git('show', '--format=', '--name-only', 'mlops')).toBe(
    `README.md\ndashboard.jsonl\nruns/11/${'1'.repeat(64)}/20261124T035001Z-a1b2c3/report.json`,
  );
  expect((await judged(repo, commit, 1)).changed).toBe(false);
  await judged(repo, commit, 2, { branch: 'topic-1' });
  expect(await repository.git('show', 'mlops:README.md')).toContain('rprec 0.2 ▁█');
  expect(await repository.git('rev-list', '--count', 'mlops')).toBe('3');
});

test('six clones that publish at once have one README with all six, the same in each', async () => {
  await using repository = await temporaryRepository();
  const commit = await repository.commit();
  const bare = await repository.remote();
  await repository.git('push', '--quiet', 'origin', 'main');
  const clones = await Promise.all(Array.from({ length: 6 }, () => repository.clone(bare)));
  const published = await Promise.all(
    clones.map(async (clone, index) => {
      const repo = await opened(clone);
      await judged(repo, commit, index + 1);
      return publishReports(repo, 'origin', 'mlops', { computed: overview });
    }),
  );
  expect(published.map(({ kind }) => kind)).toEqual(Array.from({ length: 6 }, () => 'published'));
  const readmes = await Promise.all(
    clones.map(async (clone) => {
      value(await fetchReports(await opened(clone), 'origin', 'mlops', { computed: overview }));
      return clone.git('show', 'mlops:README.md');
    }),
  );
  const [first = ''] = readmes;
  expect(new Set(readmes).size).toBe(1);
  for (let digit = 1; digit <= 6; digit += 1)
    expect(first).toContain(`| topic-${digit} | [pass](runs/${digit}${digit}/`);
});

test('a branch that an older version has written goes on, and what somebody wrote into the file does no harm', async () => {
  await using repository = await temporaryRepository();
  const commit = await repository.commit();
  const repo = await opened(repository);
  const old = new Map([
    ['README.md', '# By hand\n'],
    ['dashboard.jsonl', 'what is this\n\u0000\n'],
  ]);
  value(await record(repo, { branch: 'mlops', files: old, notes: new Map(), message: 'Old\n' }));
  await judged(repo, commit, 1);
  const readme = await repository.git('show', 'mlops:README.md');
  expect(readme).toContain('topic-1');
  expect(readme).not.toContain('By hand');
});
