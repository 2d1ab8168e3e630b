import { describe, expect, test } from '@jest/globals';
import { type WhyOptions, why } from '../../lib/commands/why.ts';
import { identify } from '../../lib/gate/identify.ts';
import type { Repository } from '../../lib/git/repository.ts';
import { notebook, opened } from '../rig/fingerprint.ts';
import { type TestRepository, temporaryRepository } from '../rig/repository.ts';

const config = (lr = 0.1) => `version: 1
data: [ratings.csv]
environment: none
steps:
  - notebook: train.ipynb
    parameters: { lr: 0.1 }
  - run: python evaluate.py --lr ${lr}
    metrics: { file: metrics.json }
`;
const cells = (line: string) => [{ prose: '# T' }, { code: 'lr = 1', tags: ['parameters'] }, { code: line }];

async function project(repository: TestRepository): Promise<Repository> {
  await repository.write('.mlops/config.yaml', config());
  await repository.write('ratings.csv', '1\n');
  await repository.write('evaluate.py', 'print(1)\n');
  await repository.write('README.md', 'A model\n');
  await repository.write('train.ipynb', notebook(cells('fit(1)')));
  await repository.commit('The first');
  return opened(repository);
}

const ask = (repo: Repository, ...revisions: string[]) => {
  const context = { repo, now: () => new Date(), signal: new AbortController().signal, emit: () => {} };
  const options: WhyOptions = { revisions, identify: (commit) => identify(context, commit) };
  return why(repo, options);
};
async function answer(repo: Repository, ...revisions: string[]) {
  const asked = await ask(repo, ...revisions);
  if (!asked.ok) throw new Error(JSON.stringify(asked.error));
  return asked.value;
}

describe('mlops why', () => {
  test('compares HEAD with its first parent, and names the cell', async () => {
    await using repository = await temporaryRepository();
    const repo = await project(repository);
    await repository.write('train.ipynb', notebook(cells('fit(2)')));
    const commit = await repository.commit('Fit twice');
    const report = await answer(repo);
    expect(report).toMatchObject({
      before: { revision: 'HEAD^', subject: 'The first' },
      after: { revision: 'HEAD', commit, subject: 'Fit twice' },
      changes: [
        { kind: 'notebook', path: 'train.ipynb', cells: [{ kind: 'changed', before: 3, after: 3, line: 'fit(2)' }] },
      ],
      steps: { same: 0, of: 2 },
    });
    expect(report.before.fingerprint).not.toBe(report.after.fingerprint);
  });

  test('says that the training is kept where only the evaluation changed', async () => {
    await using repository = await temporaryRepository();
    const repo = await project(repository);
    await repository.write('.mlops/config.yaml', config(0.2));
    await repository.commit('Evaluate otherwise');
    expect(await answer(repo, 'HEAD~1')).toMatchObject({
      changes: [{ kind: 'step', step: 1, name: 'run' }],
      steps: { same: 1, of: 2 },
    });
  });

  test('has nothing to name where documentation alone changed', async () => {
    await using repository = await temporaryRepository();
    const repo = await project(repository);
    await repository.git('tag', 'first');
    await repository.write('README.md', 'A better model\n');
    await repository.commit('Praise it');
    const report = await answer(repo, 'first', 'main');
    expect(report).toMatchObject({ changes: [], steps: { same: 2, of: 2 } });
    expect(report.before.fingerprint).toBe(report.after.fingerprint);
  });

  test('names the files of data', async () => {
    await using repository = await temporaryRepository();
    const repo = await project(repository);
    await repository.write('ratings.csv', '2\n');
    await repository.commit('More ratings');
    const { changes } = await answer(repo);
    expect(changes).toMatchObject([
      { kind: 'data', entry: 'ratings.csv', files: { changed: [{ path: 'ratings.csv' }] } },
    ]);
  });

  test('works between two directions, and with a commit and itself', async () => {
    await using repository = await temporaryRepository();
    const repo = await project(repository);
    await repository.write('extra.py', 'x = 1\n');
    await repository.commit('A module more');
    expect(await answer(repo, 'HEAD', 'HEAD^')).toMatchObject({ changes: [{ kind: 'code', path: 'extra.py' }] });
    expect(await answer(repo, 'HEAD', 'HEAD')).toMatchObject({ changes: [] });
  });

  test('in a shallow clone says that it is one, where HEAD seems to be the first commit', async () => {
    await using repository = await temporaryRepository();
    await project(repository);
    await repository.write('extra.py', 'x = 1\n');
    await repository.commit('A module more');
    const shallow = await repository.clone(undefined, ['--depth=1', '--no-local']);
    expect(await ask(await opened(shallow))).toMatchObject({ error: { reason: 'no-parent', isShallow: true } });
    expect(await ask(await opened(shallow), 'HEAD~1')).toMatchObject({ error: { reason: 'unknown-revision' } });
  });

  test('says what it cannot compare', async () => {
    await using repository = await temporaryRepository();
    const repo = await project(repository);
    const head = await repository.git('rev-parse', 'HEAD');
    expect(await ask(repo)).toEqual({ ok: false, error: { reason: 'no-parent', commit: head, isShallow: false } });
    expect(await ask(repo, 'no such thing')).toEqual({
      ok: false,
      error: { reason: 'unknown-revision', revision: 'no such thing' },
    });
    await repository.remove('.mlops/config.yaml');
    await repository.commit('Without a config');
    expect(await ask(repo)).toMatchObject({
      ok: false,
      error: { reason: 'identify', revision: 'HEAD', cause: { reason: 'pipeline', cause: { reason: 'no-config' } } },
    });
  });
});
