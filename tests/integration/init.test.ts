import { chmod, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { type InitOptions, init } from '../../lib/commands/init.ts';
import { uninstall } from '../../lib/commands/uninstall.ts';
import { loadConfig } from '../../lib/config/load-config.ts';
import type { Config } from '../../lib/config/types.ts';
import { readShims } from '../../lib/git/hooks-install.ts';
import { openRepository, type Repository } from '../../lib/git/repository.ts';
import { type TestRepository, temporaryRepository } from '../rig/repository.ts';

const shims = await readShims(fileURLToPath(new URL('../../hooks', import.meta.url)));

async function open(repository: TestRepository): Promise<Repository> {
  const opened = await openRepository(repository.dir, repository.env);
  if (!opened.ok) throw new Error(JSON.stringify(opened.error));
  return opened.value;
}
async function initialise(repository: TestRepository, options: Partial<InitOptions> = {}) {
  const program = { node: process.execPath, program: '/somewhere/mlops.js' };
  const report = await init(await open(repository), {
    program,
    shims,
    home: repository.home,
    hasConda: false,
    ...options,
  });
  if (!report.ok) throw new Error(JSON.stringify(report.error));
  return report.value;
}
async function config(repository: TestRepository): Promise<Config> {
  const loaded = loadConfig(await readFile(join(repository.dir, '.mlops/config.yaml')), '.mlops/config.yaml');
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.error));
  return loaded.value.config;
}
const notebook = (...cells: readonly (string | { readonly parameters: string })[]): string =>
  JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {},
    cells: cells.map((cell) => ({
      cell_type: 'code',
      metadata: typeof cell === 'string' ? {} : { tags: ['parameters'] },
      source: typeof cell === 'string' ? cell : cell.parameters,
      outputs: [],
      execution_count: null,
    })),
  });
const settings = async (repository: TestRepository) =>
  (await repository.git('config', '--local', '--list')).split('\n').sort();

describe('init', () => {
  test('finds the notebook, its data, its imports and its metrics, and the config loads', async () => {
    await using repository = await temporaryRepository({ name: 'a "b" c' });
    await repository.remote();
    await repository.write('.gitignore', 'private/\n*.npz\n');
    await repository.write(
      'train.ipynb',
      notebook(
        { parameters: 'lr = 0.1' },
        'import numpy, helpers\nfrom sklearn import svm\nopen("notes/extra.bin")',
        'accuracy = 1',
      ),
    );
    await repository.write('helpers.py', '');
    await repository.write('data/ratings.csv', 'a');
    await repository.write('big.npz', 'a');
    await repository.write('notes/extra.bin', 'a');
    await repository.write('private/secret.csv', 'a');
    const report = await initialise(repository);
    expect(report.failures).toEqual([]);
    expect(report.diagnostics).toEqual([]);
    expect(report.files.map(({ path, outcome }) => `${path} ${outcome}`)).toEqual([
      '.mlops/config.yaml written',
      '.mlops/schema.json written',
      '.mlops/requirements.txt written',
    ]);
    expect(report.proposal?.facts.notebooks).toEqual([
      { path: 'train.ipynb', metrics: ['accuracy'], parameters: { lr: 0.1 } },
    ]);
    const written = await config(repository);
    expect(written.data.map((entry) => (entry.kind === 'path' ? entry.path : ''))).toEqual([
      'big.npz',
      'data',
      'notes/extra.bin',
    ]);
    expect(written.environment).toMatchObject({ kind: 'venv', file: '.mlops/requirements.txt' });
    expect(await repository.read('.mlops/requirements.txt')).toMatch(/\nnumpy\nscikit-learn\n$/);
    expect(await repository.read('.gitignore')).toBe('private/\n*.npz\n');
  });

  test('starts a notebook in its own folder, as Jupyter does, unless it was written to be started at the top', async () => {
    await using repository = await temporaryRepository();
    await repository.write(
      'lab/own.ipynb',
      notebook('import sys\nsys.path.append("../src")\nimport recs\nopen("../inputs/r.bin")'),
    );
    await repository.write('lab/top.ipynb', notebook('open("inputs/r.bin")'));
    await repository.write('top.ipynb', notebook('open("inputs/r.bin")'));
    await repository.write('src/recs/__init__.py', '');
    await repository.write('inputs/r.bin', 'a');
    await repository.git('add', '.');
    await initialise(repository);
    const written = await config(repository);
    expect(written.steps.map((step) => (step.kind === 'notebook' ? [step.notebook, step.cwd] : []))).toEqual([
      ['top.ipynb', undefined],
      ['lab/own.ipynb', 'lab'],
      ['lab/top.ipynb', undefined],
    ]);
    // The folder of modules is code, though a notebook names it.
    expect(written.data).toEqual([{ kind: 'path', path: 'inputs/r.bin', writable: false }]);
  });

  test('looks into folders that are new as a whole, but not into data and environments', async () => {
    await using repository = await temporaryRepository();
    await repository.write('.gitignore', 'old.ipynb\n');
    await repository.write('n[1]/lab/a.ipynb', notebook('import helper, numpy\nopen("../data/x.csv")'));
    for (const path of ['n[1]/data/x.csv', 'n[1]/lab/helper.py', 'n[1]/old.ipynb']) await repository.write(path, '1\n');
    for (const path of ['data/b.ipynb', 'venv/lib/c.ipynb', '.tox/d.ipynb'])
      await repository.write(path, notebook('import torch'));
    const { proposal } = await initialise(repository);
    expect(proposal).toMatchObject({
      unreadable: [],
      facts: {
        notebooks: [{ path: 'n[1]/lab/a.ipynb', cwd: 'n[1]/lab' }],
        data: ['data', 'n[1]/data/x.csv'],
        environment: { packages: ['numpy'] },
      },
    });
  });

  test('makes git log show verdicts and git fetch bring them', async () => {
    await using repository = await temporaryRepository();
    await repository.remote();
    await repository.remote('upstream');
    const report = await initialise(repository);
    expect(report.remote).toBe('origin');
    expect(await repository.git('config', '--get-all', 'remote.origin.fetch')).toBe(
      '+refs/heads/*:refs/remotes/origin/*\n+refs/notes/mlops*:refs/notes/mlops*',
    );
    await repository.commit();
    await repository.git('update-ref', 'refs/notes/mlops', await repository.git('rev-parse', 'HEAD'));
    await repository.git('notes', '--ref=mlops', 'add', '-m', 'pass  rprec 0.395');
    expect(await repository.git('log', '-1')).toContain('pass  rprec 0.395');
  });

  test('is done for the remote that the branch follows', async () => {
    await using repository = await temporaryRepository();
    await repository.remote();
    await repository.remote('upstream');
    await repository.commit();
    await repository.git('push', '--quiet', '--set-upstream', 'upstream', 'main');
    expect((await initialise(repository)).remote).toBe('upstream');
  });

  test('without a remote says so, and a later one completes it', async () => {
    await using repository = await temporaryRepository();
    const first = await initialise(repository);
    expect(first.remote).toBeUndefined();
    await repository.remote();
    const second = await initialise(repository);
    expect(second.settings.filter(({ outcome }) => outcome === 'set').map(({ key }) => key)).toEqual([
      'remote.origin.fetch',
    ]);
  });

  test('done twice changes nothing', async () => {
    await using repository = await temporaryRepository();
    await repository.remote();
    await repository.write('train.ipynb', notebook('import numpy'));
    expect((await initialise(repository)).changed).toBe(true);
    await repository.git('add', '--all');
    const before = [await settings(repository), await repository.read('.git/hooks/pre-push')];
    const again = await initialise(repository);
    expect(again).toMatchObject({ changed: false, failures: [], diagnostics: [] });
    expect([await settings(repository), await repository.read('.git/hooks/pre-push')]).toEqual(before);
    expect(await repository.git('diff', '--name-only')).toBe('');
  });

  test('keeps a config that is there, and shows what is wrong with it', async () => {
    await using repository = await temporaryRepository();
    await repository.write('.mlops/config.yaml', 'version: 1\nstep: []\n');
    const report = await initialise(repository);
    expect(report.files).toEqual([{ path: '.mlops/config.yaml', outcome: 'kept' }]);
    expect(report.proposal).toBeUndefined();
    expect(report.diagnostics.map(({ message }) => message)).toContain('unknown key `step`');
    expect(await repository.read('.mlops/config.yaml')).toBe('version: 1\nstep: []\n');
  });

  test.each([
    ['environment.yml', { kind: 'conda', file: 'environment.yml' }],
    ['requirements.txt', { kind: 'venv', file: 'requirements.txt' }],
    ['uv.lock', { kind: 'uv', file: 'uv.lock' }],
  ])('uses the %s that is there', async (file, environment) => {
    await using repository = await temporaryRepository();
    await repository.write(file, 'x');
    await repository.write('a.ipynb', notebook('import numpy'));
    await initialise(repository);
    expect((await config(repository)).environment).toMatchObject(environment);
  });

  test('prefers conda only where there is one, if there is another way', async () => {
    for (const hasConda of [true, false]) {
      await using repository = await temporaryRepository();
      await repository.write('environment.yml', 'x');
      await repository.write('requirements.txt', 'x');
      await initialise(repository, { hasConda });
      expect((await config(repository)).environment.kind).toBe(hasConda ? 'conda' : 'venv');
    }
  });

  test('names notebooks that it cannot read and those of other languages', async () => {
    await using repository = await temporaryRepository();
    await repository.write('broken.ipynb', '{');
    await repository.write(
      'stats.ipynb',
      JSON.stringify({ nbformat: 4, metadata: { kernelspec: { name: 'ir', language: 'R' } }, cells: [] }),
    );
    const { proposal } = await initialise(repository);
    expect(proposal).toMatchObject({ unreadable: ['broken.ipynb'], otherLanguages: ['stats.ipynb'], steps: 'none' });
    expect((await config(repository)).steps).toEqual([{ kind: 'run', run: 'true' }]);
  });

  test('works in a linked worktree, for all of them', async () => {
    await using repository = await temporaryRepository();
    await repository.remote();
    await repository.commit();
    const linked = await repository.worktree('side');
    expect((await initialise(linked)).failures).toEqual([]);
    expect(await repository.git('config', 'mlops.trusted')).toBe('true');
    expect(await linked.read('.mlops/config.yaml')).toContain('version: 1');
  });

  test('refuses a bare repository', async () => {
    await using repository = await temporaryRepository({ bare: true });
    const opened = await open(repository);
    expect(
      await init(opened, { program: { node: 'n', program: 'p' }, shims, home: undefined, hasConda: false }),
    ).toEqual({
      ok: false,
      error: { reason: 'bare-repository' },
    });
  });

  // A superuser writes anywhere.
  const asUser = process.getuid?.() === 0 ? test.skip : test;
  asUser('with a .git that cannot be written writes the config and names what it could not do', async () => {
    await using repository = await temporaryRepository();
    await chmod(join(repository.dir, '.git'), 0o555);
    await chmod(join(repository.dir, '.git/hooks'), 0o555);
    const report = await initialise(repository);
    expect(report.files[0]).toEqual({ path: '.mlops/config.yaml', outcome: 'written' });
    expect(report.failures.map(({ part }) => part)).toEqual(['hooks', 'settings']);
  });

  test('with a locked git config does the rest and says what git said', async () => {
    await using repository = await temporaryRepository();
    await repository.write('.git/config.lock', '');
    const report = await initialise(repository);
    expect(report.hooks.map(({ action }) => action)).toEqual(['created', 'created', 'created']);
    expect(report.failures).toMatchObject([{ part: 'settings', error: { reason: 'lock' } }]);
  });
});

describe('uninstall', () => {
  test('leaves the config, the reports and the notes, and nothing else', async () => {
    await using repository = await temporaryRepository();
    await repository.remote();
    await repository.write('.git/hooks/pre-push', '#!/bin/sh\nexit 0\n', 0o755);
    await repository.git('config', '--add', 'notes.displayRef', 'refs/notes/other');
    await repository.git('config', 'mlops.cluster.slurm.account', 'mine');
    const before = [
      await settings(repository),
      await repository.read('.git/hooks/pre-push'),
      await repository.read('.git/config'),
    ];
    await initialise(repository);
    await repository.write('.git/mlops/cache', 'x');
    const report = await uninstall(await open(repository), repository.home);
    expect(report).toMatchObject({ changed: true, failures: [], state: join(repository.dir, '.git/mlops') });
    expect([
      await settings(repository),
      await repository.read('.git/hooks/pre-push'),
      await repository.read('.git/config'),
    ]).toEqual(before);
    expect(await repository.read('.mlops/config.yaml')).toContain('version: 1');
    expect(await uninstall(await open(repository), repository.home)).toEqual({
      hooks: [],
      settings: [],
      failures: [],
      changed: false,
    });
  });

  test('takes the notes’ refspec from every remote, and not those that another tool has set', async () => {
    await using repository = await temporaryRepository();
    await repository.remote();
    await repository.remote('other');
    await initialise(repository);
    await repository.git('config', '--add', 'remote.other.fetch', '+refs/notes/mlops*:refs/notes/mlops*');
    await repository.git('config', '--add', 'remote.other.fetch', '+refs/notes/*:refs/notes/*');
    await uninstall(await open(repository), repository.home);
    expect(await repository.git('config', '--get-all', 'remote.other.fetch')).toBe(
      '+refs/heads/*:refs/remotes/other/*\n+refs/notes/*:refs/notes/*',
    );
  });
});
