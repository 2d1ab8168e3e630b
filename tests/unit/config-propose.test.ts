import { describe, expect, test } from '@jest/globals';
import { formatDiagnostic } from '../../lib/cli/diagnostic.ts';
import { loadConfig } from '../../lib/config/load-config.ts';
import { type ProposalFacts, proposeConfig, proposedSteps } from '../../lib/config/propose.ts';
import { assignedMetrics, parameterDefaults, possiblePaths } from '../../lib/config/python-code.ts';
import { importedModules, packagesOf } from '../../lib/config/python-modules.ts';
import { configSchema } from '../../lib/config/schema.ts';
import type { Config } from '../../lib/config/types.ts';

const nothing: ProposalFacts = {
  notebooks: [],
  data: [],
  environment: { kind: 'none' },
  tests: false,
  defaultBranch: 'main',
};

function proposed(facts: Partial<ProposalFacts>): Config {
  const loaded = loadConfig(proposeConfig({ ...nothing, ...facts }), '.mlops/config.yaml');
  if (!loaded.ok) throw new Error(loaded.error.map((diagnostic) => formatDiagnostic(diagnostic)).join('\n'));
  expect(loaded.value.warnings).toEqual([]);
  return loaded.value.config;
}

describe('the config that init proposes', () => {
  test('runs the notebook with its data, its environment and its obvious metrics', () => {
    const config = proposed({
      notebooks: [{ path: 'movie-recs.ipynb', parameters: { lr: 0.1, name: 'a "b"' }, metrics: ['accuracy', 'loss'] }],
      data: ['data', 'ratings: new.csv'],
      environment: { kind: 'imports', file: '.mlops/requirements.txt', packages: ['numpy'] },
    });
    expect(config.steps).toEqual([
      {
        kind: 'notebook',
        notebook: 'movie-recs.ipynb',
        parameters: {},
        metrics: { kind: 'expressions', expressions: { accuracy: 'accuracy', loss: 'loss' } },
      },
    ]);
    expect(config.data).toEqual([
      { kind: 'path', path: 'data', writable: false },
      { kind: 'path', path: 'ratings: new.csv', writable: false },
    ]);
    expect(config.environment).toEqual({ kind: 'venv', file: '.mlops/requirements.txt', buildOn: 'job' });
    expect(config.require).toEqual({});
  });

  test.each([
    ['a few notebooks are a pipeline', ['1.ipynb', '2.ipynb', '3.ipynb'], ['1.ipynb', '2.ipynb', '3.ipynb']],
    [
      'of many the one that trains is taken',
      ['a.ipynb', 'b.ipynb', 'my-training.ipynb', 'd.ipynb'],
      ['my-training.ipynb'],
    ],
  ])('%s', (_, paths, taken) => {
    const config = proposed({ notebooks: paths.map((path) => ({ path, metrics: ['acc'] })) });
    expect(config.steps.map((step) => (step.kind === 'notebook' ? step.notebook : step.run))).toEqual(taken);
    // A metric has one place.
    expect(config.steps.filter((step) => step.metrics !== undefined)).toHaveLength(1);
  });

  test.each([
    [{ script: 'train.py', tests: true }, ['python train.py', 'pytest -q --junitxml=$MLOPS_OUT/tests.xml']],
    [{ script: "it's a train.py" }, ["python 'it'\\''s a train.py'"]],
    [{ tests: true }, ['pytest -q --junitxml=$MLOPS_OUT/tests.xml']],
    [{}, ['true']],
  ])('without a notebook (%p) runs what there is', (facts, runs) => {
    expect(proposed(facts).steps.map((step) => (step.kind === 'run' ? step.run : ''))).toEqual(runs);
    expect(proposedSteps({ ...nothing, ...facts })).toBe(Object.keys(facts).length === 0 ? 'none' : 'run');
  });

  test('a notebook that is written for its own folder starts there', () => {
    const step = { path: 'notebooks/train.ipynb', cwd: 'notebooks', metrics: [] };
    expect(proposed({ notebooks: [step] }).steps).toMatchObject([{ notebook: step.path, cwd: 'notebooks' }]);
  });

  test.each(['null', '1.0', '- x', 'a: b', 'a #b', '"x"', '*', '!x', '数据/x.csv', 'with space', "it's"])(
    'the path %p is data as it stands',
    (path) => {
      expect(proposed({ data: [path] }).data).toEqual([{ kind: 'path', path, writable: false }]);
    },
  );

  test('names every key of the interface, if only in a comment, and is short enough to read', () => {
    const text = proposeConfig({ ...nothing, notebooks: [{ path: 'a.ipynb', metrics: [] }] });
    for (const key of Object.keys(configSchema.shape)) expect(text).toMatch(new RegExp(`^[# ]*${key}:`, 'm'));
    for (const key of [
      'host',
      'workdir',
      'modules',
      'slurm',
      'transport',
      'require_master',
      'group',
      'mem',
      'cpus',
      'gpus',
      'writable',
      'fingerprint',
      'channels',
      'uv',
      'container',
      'prefix',
      'kernel',
      'build_on',
      'parameters',
      'seeds',
      'matrix',
      'throttle',
      'cwd',
      'junit',
      'file',
      'baseline',
      'max_drop',
      'without_baseline',
      'infrastructure',
    ])
      expect(text).toContain(`${key}:`);
    expect(text.split('\n').length).toBeLessThan(70);
  });

  test.each([[['accuracy']], [['rmse']]])('its examples are right when their # is taken away (%p)', (metrics) => {
    const text = proposeConfig({ ...nothing, notebooks: [{ path: 'a.ipynb', parameters: { lr: 1 }, metrics }] });
    const uncommented = text
      .replace(
        /^# (cluster|code|data|require|artifacts|env|secrets|setup|retry|push|on_commit|supersede|publish|reports):/gm,
        '$1:',
      )
      .replace(/^# {3}(host|workdir|modules|slurm|transport|group):/gm, '  $1:')
      .replace(/^# {3}(- |\w+: \{ m)/gm, '  $1')
      .replace(/^( {2,4})# (?=- run|seeds|parameters)/gm, '$1')
      .replace(/^ {2}# {3}(?=junit|metrics)/gm, '    ');
    const loaded = loadConfig(uncommented.replace('environment: none', 'environment: { packages: [a] }'), 'c.yaml');
    expect(loaded.ok ? [] : loaded.error.map((diagnostic) => formatDiagnostic(diagnostic))).toEqual([]);
  });
});

describe('what Python code says without being run', () => {
  test('imports, at any depth, without the standard library, local modules and where they are called otherwise', () => {
    const code =
      'import os, numpy as np\nfrom sklearn.linear_model import Ridge\n  import cv2\nfrom . import x\nfrom mine import y\nimport google.colab\n%matplotlib inline\nimport torch # later\nimport PIL.Image';
    expect(packagesOf(importedModules(code), new Set(['mine']))).toEqual([
      'numpy',
      'opencv-python',
      'pillow',
      'scikit-learn',
      'torch',
    ]);
  });

  test('metrics, the last first, from the left edge only', () => {
    expect(
      assignedMetrics([
        'acc = 0',
        'for x in y:\n    f1 = 2\nloss, val_acc = model.evaluate(x)\naccuracy == 3\nscores = []',
      ]),
    ).toEqual(['loss', 'val_acc', 'acc']);
  });

  test('parameters with plain values', () => {
    expect(
      parameterDefaults(
        'lr = 1e-3\nn: int = 1_000  # how many\nname = "a"\nflag = True\nnone = None\nlist_ = [1]\n# x = 1',
      ),
    ).toEqual({ lr: 0.001, n: 1000, name: 'a', flag: true, none: null });
  });

  test('texts that could be paths', () => {
    expect(possiblePaths('pd.read_csv("data/x.csv"); open(\'y.txt\'); "https://a.b/c.csv"; "word"; "%d.png"')).toEqual([
      'data/x.csv',
      'y.txt',
      '%d.png',
    ]);
  });
});
