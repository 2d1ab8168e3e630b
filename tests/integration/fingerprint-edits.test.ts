import { mkdir, readFile, rename, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { explainDifference } from '../../lib/fingerprint/differences.ts';
import type { FingerprintedNow } from '../../lib/fingerprint/fingerprint-commit.ts';
import { mustFingerprint, type NotebookCell, notebook, python } from '../rig/fingerprint.ts';
import { type TestRepository, temporaryRepository } from '../rig/repository.ts';

// One repository as people have it; every row makes one edit, commits, looks, and goes back.
const cells: readonly NotebookCell[] = [
  { prose: '# Recommendations\nSee notes.md.' },
  { code: 'k = 5', tags: ['parameters'] },
  { code: 'import helper\nfrom pathlib import Path\nprompt = Path("prompts/system.md").read_text()' },
  { code: 'score = helper.fit(k)\nscore', outputs: [], count: 3 },
];
const config = `version: 1
cluster: { host: login.example.edu, workdir: /scratch/me, slurm: { partition: gpu } }
resources: { time: "01:00:00", mem: 16G, cpus: 4 }
data:
  - data/ratings.csv
  - data/images
environment: { conda: environment.yml, name: mlops }
steps:
  - notebook: train.ipynb
    parameters: { k: 7 }
    metrics: { score: score }
  - run: python evaluate.py --in $MLOPS_OUT/model.json
require:
  score: { min: 0.25 }
env: { OMP_NUM_THREADS: 4 }
`;
const environment = `name: mlops
channels: [conda-forge]
dependencies:
  - python=3.11
  - numpy=1.26
`;

let repository: TestRepository;
let before: FingerprintedNow;

beforeAll(async () => {
  repository = await temporaryRepository({ name: 'it\'s a "work" ñ' });
  const files: Record<string, string> = {
    '.gitignore': 'data/ratings.csv\n',
    '.mlops/config.yaml': config,
    '.mlops/notes.md': 'how we use this\n',
    'README.md': '# Readme\n',
    LICENSE: 'MIT\n',
    'notes.md': 'nothing\n',
    'docs/guide.rst': 'Guide\n',
    'prompts/system.md': 'You are helpful.\n',
    'train.ipynb': notebook(cells),
    'helper.py': 'def fit(k):\n    return k / 10\n',
    'evaluate.py': 'print("evaluated")\n',
    'settings.yaml': 'lr: 0.1\n',
    'environment.yml': environment,
    'data/images/a.bin': 'AAAA',
    'data/images/b.bin': 'BBBB',
    'data/ratings.csv': 'user,movie,rating\n1,2,3\n',
  };
  for (const [path, content] of Object.entries(files)) await repository.write(path, content);
  await repository.commit('The first');
  before = await mustFingerprint(repository);
});
afterAll(async () => repository[Symbol.asyncDispose]());

const at = (path: string) => join(repository.dir, path);
const replace = (path: string, from: string | RegExp, to: string) => async () => {
  const text = await readFile(at(path), 'utf8');
  const edited = text.replace(from, to);
  expect(edited).not.toBe(text);
  await writeFile(at(path), edited);
};
const write = (path: string, content: string, mode?: number) => () => repository.write(path, content, mode);
const rewrite = (edited: readonly NotebookCell[], metadata: object = python) =>
  write('train.ipynb', notebook(edited, metadata));
const cell = (index: number, change: NotebookCell) =>
  rewrite(cells.map((c, i) => (i === index ? { ...c, ...change } : c)));
const inConfig = (from: string, to: string) => replace('.mlops/config.yaml', from, to);

/** The fingerprint after an edit; worktree and history are put back. */
async function changedBy(edit: () => Promise<void>): Promise<FingerprintedNow> {
  const start = await repository.git('rev-parse', 'HEAD');
  const ratings = await readFile(at('data/ratings.csv'));
  await edit();
  await repository.commit('The edit');
  try {
    return await mustFingerprint(repository);
  } finally {
    await repository.git('reset', '--quiet', '--hard', start);
    await repository.git('clean', '--quiet', '-d', '--force');
    await mkdir(at('data'), { recursive: true });
    await writeFile(at('data/ratings.csv'), ratings);
  }
}

const harmless: readonly (readonly [string, () => Promise<void>])[] = [
  [
    'a notebook that was run and saved, with outputs and counts',
    () => cell(3, { outputs: [{ output_type: 'stream', name: 'stdout', text: 'x' }], count: 9 })(),
  ],
  ['new cell ids, as another editor writes them', rewrite(cells.map((c, i) => ({ ...c, id: `new-${i}` })))],
  ['prose in a notebook', () => cell(0, { prose: '# Better words, and helper.py' })()],
  ['a new markdown cell, and an empty code cell', rewrite([...cells, { prose: 'The end' }, { code: ' \n' }])],
  [
    'another kernel name and Python version in the metadata',
    rewrite(cells, {
      kernelspec: { name: 'mlops', display_name: 'x', language: 'python' },
      language_info: { name: 'python', version: '3.12.0' },
    }),
  ],
  ['a notebook written with other indentation', replace('train.ipynb', /\n +/g, '\n')],
  [
    'what papermill injected in an earlier run',
    rewrite([...cells.slice(0, 2), { code: 'k = 9', tags: ['injected-parameters'] }, ...cells.slice(2)]),
  ],
  ['Windows line ends in a notebook', replace('train.ipynb', /\\n"/g, '\\r\\n"')],
  ['the README', write('README.md', '# Much better\n')],
  ['documentation', write('docs/guide.rst', 'A longer guide\n')],
  ['a note that no code mentions', write('notes.md', 'new\n')],
  ['the licence', write('LICENSE', 'Apache\n')],
  [
    '.gitignore and a workflow',
    async () => {
      await write('.github/workflows/ci.yml', 'on: push\n')();
      await write('.gitignore', 'data/ratings.csv\n*.tmp\n')();
    },
  ],
  ['more memory', inConfig('mem: 16G', 'mem: 24G')],
  [
    'another partition and host',
    inConfig(
      'host: login.example.edu, workdir: /scratch/me, slurm: { partition: gpu }',
      'host: other, workdir: /work, slurm: { partition: cpu, account: a }',
    ),
  ],
  ['a tighter requirement', inConfig('min: 0.25', 'min: 0.35')],
  ['comments and order in the config', inConfig('version: 1', '# what we do\nversion: 1')],
  [
    'the name of the environment, a comment in its file',
    async () => {
      await replace('environment.yml', 'name: mlops', '# ours\nname: other')();
      await inConfig('name: mlops', 'name: other')();
    },
  ],
  ['a data file that was touched', () => utimes(at('data/ratings.csv'), new Date(), new Date(0))],
  [
    'a data file that was written anew with the same content',
    async () => {
      await rename(at('data/ratings.csv'), at('data/old'));
      await writeFile(at('data/ratings.csv'), await readFile(at('data/old')));
      await repository.remove('data/old');
    },
  ],
  ['litter in a data folder', write('data/images/.DS_Store', 'x')],
  [
    'how often infrastructure is tried again, and what a push does',
    inConfig('env:', 'retry: { infrastructure: 5 }\npush: { main: record }\nenv:'),
  ],
];

const real: readonly (readonly [string, string, () => Promise<void>])[] = [
  ['a code cell', 'notebook', () => cell(3, { code: 'score = helper.fit(k) * 2' })()],
  ['the order of two cells', 'notebook', rewrite([cells[0] ?? {}, cells[1] ?? {}, cells[3] ?? {}, cells[2] ?? {}])],
  ['a new code cell', 'notebook', rewrite([...cells, { code: 'score = 1' }])],
  ['a tag that changes how a cell runs', 'notebook', () => cell(3, { tags: ['raises-exception'] })()],
  ['the kernel language', 'notebook', rewrite(cells, { kernelspec: { name: 'ir', language: 'R' } })],
  ['a parameter', 'parameter', inConfig('k: 7', 'k: 8')],
  ['a helper module', 'code', replace('helper.py', 'k / 10', 'k / 11')],
  ['a new module', 'code', write('another.py', 'x = 1\n')],
  ['a deleted module', 'code', () => repository.remove('settings.yaml')],
  ['a module under a new name', 'code', async () => rename(at('settings.yaml'), at('settings2.yaml'))],
  ['a file made executable', 'code', write('helper.py', 'def fit(k):\n    return k / 10\n', 0o755)],
  ['settings that code may read', 'code', write('settings.yaml', 'lr: 0.2\n')],
  ['a prompt that a code cell reads', 'code', write('prompts/system.md', 'You are rude.\n')],
  ['one byte of ignored data', 'data', write('data/ratings.csv', 'user,movie,rating\n1,2,4\n')],
  ['one byte of tracked data', 'data', write('data/images/a.bin', 'AAAB')],
  ['one more data file', 'data', write('data/images/c.bin', 'CCCC')],
  ['a data file under a new name', 'data', async () => rename(at('data/images/a.bin'), at('data/images/z.bin'))],
  ['a package version', 'environment', replace('environment.yml', 'numpy=1.26', 'numpy=2.0')],
  ['the order of channels', 'environment', replace('environment.yml', '[conda-forge]', '[bioconda, conda-forge]')],
  ['an environment module', 'environment', inConfig('slurm:', 'modules: [CUDA/12], slurm:')],
  ['an environment variable', 'env', inConfig('OMP_NUM_THREADS: 4', 'OMP_NUM_THREADS: 8')],
  ['shell lines before the environment', 'setup', inConfig('env:', 'setup: ulimit -s unlimited\nenv:')],
  ['the line of a step', 'step', inConfig('python evaluate.py', 'python -O evaluate.py')],
  ['an expression of a metric', 'metric', inConfig('score: score', 'score: score * 2')],
  ['the folder that a step starts in', 'step', inConfig('    metrics:', '    cwd: src\n    metrics:')],
  ['which value of a curve counts', 'step', inConfig('    metrics:', '    curves: { score: min }\n    metrics:')],
  ['seeds', 'step', inConfig('    metrics:', '    seeds: { parameter: seed, values: [1, 2] }\n    metrics:')],
  ['a job template of the repository', 'code', write('.mlops/templates/job.sh.hbs', '#!/bin/sh\n')],
  ['a data folder that may be written', 'data', inConfig('- data/images', '- { path: data/images, writable: true }')],
];

describe('edits that train nothing', () => {
  test.each(harmless)('%s', async (_, edit) => {
    const edited = await changedBy(edit);
    expect(explainDifference(before.inputs, edited.inputs)).toEqual([]);
    expect(edited.fingerprint).toBe(before.fingerprint);
  });
});

test('a dirty worktree beside the commit trains nothing', async () => {
  await write('helper.py', 'broken(')();
  try {
    expect((await mustFingerprint(repository)).fingerprint).toBe(before.fingerprint);
  } finally {
    await repository.git('checkout', '--quiet', 'helper.py');
  }
});

describe('edits that train again', () => {
  test.each(real)('%s', async (_, kind, edit) => {
    const edited = await changedBy(edit);
    expect(edited.fingerprint).not.toBe(before.fingerprint);
    expect(new Set(explainDifference(before.inputs, edited.inputs).map((change) => change.kind))).toEqual(
      new Set([kind]),
    );
  });
});

describe('the chain over the steps', () => {
  const prints = ({ inputs }: FingerprintedNow) => inputs.steps.map((step) => step.fingerprint);

  test('changing the evaluation changes only the second step', async () => {
    const edited = await changedBy(write('evaluate.py', 'print("better")\n'));
    expect(prints(edited)[0]).toBe(prints(before)[0]);
    expect(prints(edited)[1]).not.toBe(prints(before)[1]);
  });

  test('the evaluation counts for the training too once the training imports it', async () => {
    const importing = () => cell(2, { code: 'import helper, evaluate' })();
    const first = await changedBy(importing);
    const second = await changedBy(async () => {
      await importing();
      await repository.write('evaluate.py', 'print("better")\n');
    });
    expect(prints(second)[0]).not.toBe(prints(first)[0]);
  });

  test('a method that happens to be called evaluate is no import', async () => {
    const calling = () => cell(2, { code: 'import helper\nhelper.evaluate(1)' })();
    const first = await changedBy(calling);
    const second = await changedBy(async () => {
      await calling();
      await repository.write('evaluate.py', 'print("better")\n');
    });
    expect(prints(second)[0]).toBe(prints(first)[0]);
  });

  test('changing a module changes every step', async () => {
    const edited = await changedBy(replace('helper.py', '10', '12'));
    expect(prints(edited)[0]).not.toBe(prints(before)[0]);
    expect(prints(edited)[1]).not.toBe(prints(before)[1]);
  });
});
