import { describe, expect, test } from '@jest/globals';
import type { Oid } from '../../lib/base/ids.ts';
import { type DiffError, diff } from '../../lib/commands/diff.ts';
import { installedHash } from '../../lib/fingerprint/installed-packages.ts';
import { identifyRun, identifySide } from '../../lib/gate/identify-side.ts';
import { installedFiles } from '../../lib/gate/installed.ts';
import { record } from '../../lib/git/reports.ts';
import type { Repository } from '../../lib/git/repository.ts';
import { mustFingerprint, notebook, opened } from '../rig/fingerprint.ts';
import { recordReport } from '../rig/recorded-report.ts';
import { type TestRepository, temporaryRepository } from '../rig/repository.ts';
import { main, numberOf, requirement, run } from '../rig/sample-report.ts';

const config = `version: 1
data: [data]
environment: none
steps:
  - notebook: train.ipynb
  - run: python evaluate.py
    metrics: { file: metrics.json }
`;

async function project(repository: TestRepository): Promise<Repository> {
  await repository.write('.mlops/config.yaml', config);
  await repository.write('data/a.csv', '1\n');
  await repository.write('data/b.csv', '1\n');
  await repository.write('evaluate.py', 'print(1)\nprint(2)\n');
  await repository.write('train.ipynb', notebook([{ prose: '# T' }, { code: 'fit(1)' }]));
  await repository.commit('The first');
  return opened(repository);
}

/** A commit that changes the notebook, a file of code, and the data. */
async function change(repository: TestRepository): Promise<Oid> {
  await repository.write('train.ipynb', notebook([{ prose: '# T' }, { code: 'fit(2)' }]));
  await repository.write('evaluate.py', 'print(1)\nprint(3)\nprint(4)\n');
  await repository.write('data/b.csv', '2\n');
  await repository.write('data/c.csv', '3\n');
  return repository.commit('All at once');
}

const ask = (repo: Repository, ...revisions: string[]) => {
  const context = { repo, now: () => new Date(), signal: new AbortController().signal, emit: () => {} };
  return diff({
    reports: { repo, branch: 'mlops', emit: context.emit },
    revisions,
    identify: (commit, of) =>
      of === undefined ? identifySide(context, commit) : identifyRun(context, 'mlops', commit, of),
  });
};
async function answer(repo: Repository, ...revisions: string[]) {
  const asked = await ask(repo, ...revisions);
  if (!asked.ok) throw new Error(JSON.stringify(asked.error));
  return asked.value;
}
async function refused(repo: Repository, ...revisions: string[]): Promise<DiffError> {
  const asked = await ask(repo, ...revisions);
  if (asked.ok) throw new Error(JSON.stringify(asked.value));
  return asked.error;
}
async function judged(repository: TestRepository, repo: Repository, commit: string, value: number, more = {}) {
  const { fingerprint } = await mustFingerprint(repository, commit);
  const oid = (await repository.git('rev-parse', commit)) as Oid;
  return recordReport(repo, { commit: oid, fingerprint, run: { metrics: { rprec: numberOf(value) }, ...more } });
}

describe('mlops diff', () => {
  test('puts the metrics of two commits beside the cells, lines and files that changed', async () => {
    await using repository = await temporaryRepository();
    const repo = await project(repository);
    const old = await judged(repository, repo, 'HEAD', 0.4);
    const commit = await change(repository);
    const now = await judged(repository, repo, 'HEAD', 0.25);
    const found = await answer(repo, 'HEAD^', 'HEAD');
    expect(found).toMatchObject({
      before: { revision: 'HEAD^', subject: 'The first', report: old },
      after: { revision: 'HEAD', commit, subject: 'All at once', report: now },
      metrics: [{ metric: 'rprec', before: { value: 0.4 }, after: { value: 0.25 }, change: 0.25 - 0.4 }],
      places: { before: { node: 'c117' }, after: { node: 'c117' } },
    });
    expect(found.comparison).toMatchObject({
      value: {
        changes: [
          { kind: 'code', path: 'evaluate.py' },
          { kind: 'notebook', cells: [{ kind: 'changed', after: 2, line: 'fit(2)' }] },
          { kind: 'data', files: { changed: [{ path: 'data/b.csv' }], added: [{ path: 'data/c.csv' }], missing: [] } },
        ],
      },
    });
    expect([...found.lines]).toEqual([['evaluate.py', { added: 2, removed: 1 }]]);
  });

  test('takes what git takes: one commit against HEAD, A..B, A...B, branches and tags', async () => {
    await using repository = await temporaryRepository();
    const repo = await project(repository);
    const first = await repository.git('rev-parse', 'HEAD');
    await repository.git('tag', 'v1');
    await repository.git('switch', '--quiet', '-c', 'other');
    await repository.write('evaluate.py', 'print(9)\n');
    const other = await repository.commit('On the side');
    await repository.git('switch', '--quiet', 'main');
    const head = await change(repository);
    const ends = async (...revisions: string[]) => {
      const { before, after } = await answer(repo, ...revisions);
      return [before.commit, after.commit];
    };
    expect(await ends()).toEqual([first, head]);
    expect(await ends('v1')).toEqual([first, head]);
    expect(await ends('v1..other')).toEqual([first, other]);
    expect(await ends('other..')).toEqual([other, head]);
    expect(await ends('..other')).toEqual([head, other]);
    expect(await ends('main...other')).toEqual([first, other]);
    expect(await ends('HEAD', 'v1')).toEqual([head, first]);
  });

  test('without arguments compares HEAD with what its verdict was compared with', async () => {
    await using repository = await temporaryRepository();
    const repo = await project(repository);
    const first = (await repository.git('rev-parse', 'HEAD')) as Oid;
    await repository.commit('Between');
    const head = await change(repository);
    const { fingerprint } = await mustFingerprint(repository);
    await recordReport(repo, {
      commit: head,
      fingerprint,
      baseline: { ...main, commit: first },
      require: { rprec: requirement },
    });
    expect(await answer(repo)).toMatchObject({ before: { revision: 'main', commit: first }, after: { commit: head } });
  });

  test('a commit whose content was judged elsewhere has that verdict', async () => {
    await using repository = await temporaryRepository();
    const repo = await project(repository);
    const report = await judged(repository, repo, 'HEAD', 0.4);
    await repository.commit('The same content');
    const found = await answer(repo, 'HEAD^', 'HEAD');
    expect(found.after.report).toEqual(report);
    expect(found.metrics).toMatchObject([{ metric: 'rprec', change: 0 }]);
    expect(found.comparison).toMatchObject({ value: { changes: [] } });
  });

  test('a commit without a verdict has no metrics, and its changes are told', async () => {
    await using repository = await temporaryRepository();
    const repo = await project(repository);
    await change(repository);
    await judged(repository, repo, 'HEAD', 0.25);
    const found = await answer(repo, 'HEAD^');
    expect(found.before).not.toHaveProperty('report');
    expect(found.metrics).toEqual([{ metric: 'rprec', after: numberOf(0.25) }]);
    expect(found).not.toHaveProperty('places');
  });

  test('takes runs by their first digits, with the data that they had', async () => {
    await using repository = await temporaryRepository();
    const repo = await project(repository);
    const old = await judged(repository, repo, 'HEAD', 0.4);
    await change(repository);
    const now = await judged(repository, repo, 'HEAD', 0.25);
    const found = await answer(repo, old.fingerprint.slice(0, 8), now.fingerprint.slice(0, 8));
    expect(found).toMatchObject({ before: { fingerprint: old.fingerprint }, after: { fingerprint: now.fingerprint } });
    expect(found.comparison).toMatchObject({ ok: true });
  });

  test('a run whose commit is not here has metrics; what changed cannot be told', async () => {
    await using repository = await temporaryRepository();
    const repo = await project(repository);
    const head = await judged(repository, repo, 'HEAD', 0.4);
    const away = 'd'.repeat(40) as Oid;
    const theirs = await recordReport(repo, { commit: away, fingerprint: 'e'.repeat(64) as typeof head.fingerprint });
    const found = await answer(repo, 'eeeeeee', 'HEAD');
    expect(found).toMatchObject({
      before: { report: theirs, subject: theirs.subject },
      metrics: [{ metric: 'rprec' }],
    });
    expect(found.comparison).toEqual({ ok: false, error: { reason: 'commit-absent', commit: away } });
  });

  test('names the packages that were installed, from the lists on the reports branch', async () => {
    await using repository = await temporaryRepository();
    const repo = await project(repository);
    const lists = [
      ['numpy==2.0.2', 'scipy==1.13'],
      ['numpy==2.1.3', 'scipy==1.13'],
    ] as const;
    const place = (at: 0 | 1) => ({
      place: { ...run.place, environment: { key: 'c'.repeat(64), installed: installedHash(lists[at]) } },
    });
    await judged(repository, repo, 'HEAD', 0.4, place(0));
    await change(repository);
    await judged(repository, repo, 'HEAD', 0.25, place(1));
    expect(await answer(repo, 'HEAD^')).not.toHaveProperty('installed');
    const files = new Map(lists.flatMap((list) => [...installedFiles(list)]));
    await record(repo, { branch: 'mlops', files, notes: new Map(), message: 'Lists\n' });
    expect(await answer(repo, 'HEAD^')).toMatchObject({
      installed: [{ kind: 'changed', before: 'numpy==2.0.2', after: 'numpy==2.1.3' }],
    });
    const [path = ''] = installedFiles(lists[1]).keys();
    await record(repo, {
      branch: 'mlops',
      files: new Map([[path, 'evil==1\n']]),
      notes: new Map(),
      message: 'Forged\n',
    });
    expect(await answer(repo, 'HEAD^')).not.toHaveProperty('installed');
  });

  test('names what it cannot compare', async () => {
    await using repository = await temporaryRepository();
    const repo = await project(repository);
    const head = await repository.git('rev-parse', 'HEAD');
    expect(await refused(repo)).toEqual({ reason: 'no-parent', commit: head, isShallow: false });
    for (const target of ['no-such-branch', 'abcdef0', '--all', 'a\nb'])
      expect(await refused(repo, target)).toEqual({ reason: 'unknown-target', target });
    await repository.remove('.mlops/config.yaml');
    await repository.commit('Without a config');
    expect(await refused(repo)).toMatchObject({ reason: 'identify', cause: { cause: { reason: 'no-config' } } });
  });

  test('a damaged report and one of a newer version are left out', async () => {
    await using repository = await temporaryRepository();
    const repo = await project(repository);
    const { fingerprint } = await mustFingerprint(repository);
    const commit = (await repository.git('rev-parse', 'HEAD')) as Oid;
    await recordReport(repo, { commit, fingerprint, id: '20261124T040000Z-000001', json: () => '{"version":1,' });
    await recordReport(repo, { commit, fingerprint, id: '20261124T050000Z-000001', json: () => '{"version":9}' });
    await change(repository);
    expect((await answer(repo, 'HEAD^')).before).not.toHaveProperty('report');
    expect(await refused(repo, fingerprint.slice(0, 8))).toEqual({ reason: 'run-not-readable', fingerprint });
  });
});
