import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { changesBetween } from '../../lib/gate/changes.ts';
import { type Identified, identify } from '../../lib/gate/identify.ts';
import type { Repository } from '../../lib/git/repository.ts';
import { notebook, opened } from '../rig/fingerprint.ts';
import { type TestRepository, temporaryRepository } from '../rig/repository.ts';

const config = (more = '') => `version: 1
data: [data]
environment: { venv: requirements.txt }
steps:
  - notebook: a folder/train it.ipynb
    parameters: { lr: 0.1 }
    metrics: { score: score }
${more}`;

const cells = [
  { prose: '# A model' },
  { code: 'lr = 0.1', tags: ['parameters'] },
  { code: 'rows = open("data/1.csv").read()\nmodel = fit(rows)\n' },
  { code: 'score = 1' },
];

async function project(repository: TestRepository): Promise<void> {
  await repository.write('.gitignore', 'data/\n');
  await repository.write('.mlops/config.yaml', config());
  await repository.write('requirements.txt', 'numpy==1.26\n');
  await repository.write('a folder/train it.ipynb', notebook(cells));
  await repository.write('data/1.csv', '1\n');
  await repository.write('data/2.csv', '2\n');
}

async function identified(repo: Repository, repository: TestRepository, message: string): Promise<Identified> {
  const commit = await repository.commit(message);
  const signal = new AbortController().signal;
  const done = await identify({ repo, now: () => new Date(), signal, emit: () => {} }, commit);
  if (!done.ok) throw new Error(JSON.stringify(done.error));
  return done.value;
}

describe('what changed between two commits', () => {
  test('is said down to the cell and its line, and what stayed the same too', async () => {
    await using repository = await temporaryRepository({ name: "it's a näme" });
    await project(repository);
    const repo = await opened(repository);
    const before = await identified(repo, repository, 'Before');
    await repository.write(
      'a folder/train it.ipynb',
      notebook(
        [
          { prose: 'More prose' },
          ...cells.slice(0, 2),
          { code: 'rows = open("data/1.csv").read()\nmodel = fit(rows, 3)' },
        ].concat(cells.slice(3)),
      ),
    );
    const after = await identified(repo, repository, 'After');
    expect(await changesBetween({ repo }, before, after)).toEqual({
      changed: [{ what: 'a folder/train it.ipynb cell 4', code: 'model = fit(rows, 3)' }],
      same: ['data', 'parameters', 'environment'],
    });
    expect(await changesBetween({ repo }, before, before)).toMatchObject({ changed: [] });
  });

  test('counts the files of data, names the packages and the values', async () => {
    await using repository = await temporaryRepository();
    await project(repository);
    const repo = await opened(repository);
    const before = await identified(repo, repository, 'Before');
    await repository.write('data/1.csv', '10\n');
    await repository.write('data/3.csv', '3\n');
    await repository.remove('data/2.csv');
    await repository.write('requirements.txt', '# newer\nnumpy==2.0\npandas\n');
    await repository.write('.mlops/config.yaml', config('env: { SEED: "1" }\n').replace('lr: 0.1', 'lr: 0.2'));
    const after = await identified(repo, repository, 'After');
    expect(await changesBetween({ repo }, before, after)).toEqual({
      changed: [
        { what: 'data: 1 file changed, 1 new, 1 gone' },
        { what: 'environment: numpy==1.26 → numpy==2.0' },
        { what: 'environment: pandas (new)' },
        { what: 'env SEED (new)' },
        { what: 'parameter lr of step 1: 0.1 → 0.2' },
      ],
      same: ['code'],
    });
  });

  test('names the packages of a lock file, and the file where its packages are the same', async () => {
    await using repository = await temporaryRepository();
    await project(repository);
    const lock = (version: string) => `version = 1\n\n[[package]]\nname = "torch"\nversion = "${version}"\n`;
    await repository.write('.mlops/config.yaml', config().replace('venv: requirements.txt', 'uv: uv.lock'));
    await repository.write('uv.lock', lock('2.3.0'));
    const repo = await opened(repository);
    const before = await identified(repo, repository, 'Before');
    await repository.write('uv.lock', lock('2.4.0'));
    const after = await identified(repo, repository, 'After');
    await repository.write('uv.lock', `${lock('2.4.0')}source = { registry = "https://example.org" }\n`);
    const moved = await identified(repo, repository, 'Another registry');
    const said = async (a: Identified, b: Identified) =>
      (await changesBetween({ repo }, a, b)).changed.map(({ what }) => what);
    expect(await said(before, after)).toEqual(['environment: torch==2.3.0 → torch==2.4.0']);
    expect(await said(after, moved)).toEqual(['environment: uv.lock']);
  });

  test('names the notebook alone where a commit’s contents are not here', async () => {
    await using repository = await temporaryRepository();
    await project(repository);
    const repo = await opened(repository);
    const before = await identified(repo, repository, 'Before');
    const old = await repository.git('rev-parse', 'HEAD:a folder/train it.ipynb');
    await repository.write('a folder/train it.ipynb', notebook(cells.slice(0, 3)));
    const after = await identified(repo, repository, 'After');
    await rm(join(repository.dir, '.git/objects', old.slice(0, 2), old.slice(2)), { force: true });
    expect(await changesBetween({ repo }, before, after)).toMatchObject({
      changed: [{ what: 'a folder/train it.ipynb' }],
    });
  });
});
