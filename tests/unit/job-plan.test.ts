import { describe, expect, test } from '@jest/globals';
import type { Json } from '../../lib/base/canonical-json.ts';
import { asFingerprint, asOid, asSha256 } from '../../lib/base/ids.ts';
import type { Config } from '../../lib/config/types.ts';
import type { Pin } from '../../lib/fingerprint/types.ts';
import { instrumentNotebook } from '../../lib/job/instrument.ts';
import { readMetrics } from '../../lib/job/metrics-file.ts';
import { readNotebook } from '../../lib/job/notebook.ts';
import { planJob } from '../../lib/job/plan.ts';
import { jobResources, sbatchOptions } from '../../lib/job/resources.ts';
import type { PlanRequest } from '../../lib/job/types.ts';
import { baseConfig, expressions, notebookOf, notebookStep, runStep } from '../rig/job.ts';

const hex = (digit: string, length = 64) => digit.repeat(length);
const request = (config: Partial<Config>, more: Partial<PlanRequest> = {}): PlanRequest => {
  const whole = { ...baseConfig, ...config };
  return {
    config: whole,
    fingerprinted: {
      fingerprint: asFingerprint(hex('a')),
      inputs: {
        format: 1,
        code: {},
        data: {},
        environment: null,
        env: {},
        steps: whole.steps.map((_, index) => ({
          definition: null,
          without: [],
          fingerprint: asFingerprint(hex(String(index))),
        })),
      },
      data: {},
    },
    tree: [],
    notebooks: new Map(),
    secrets: {},
    driver: 'driver',
    ...more,
  };
};
const errors = (config: Partial<Config>, more?: Partial<PlanRequest>) => {
  const planned = planJob(request(config, more));
  return planned.ok ? [] : planned.error;
};
const withNotebook = (text: string, step = notebookStep('a.ipynb')) =>
  errors({ steps: [step] }, { notebooks: new Map([['a.ipynb', text]]) });
const r = { kernelspec: { name: 'ir', display_name: 'R', language: 'R' } };

describe('what cannot run is named before anything is sent', () => {
  test('files of the commit where data of the cluster is to be seen, or above it', () => {
    const pin: Pin = {
      as: 'data/ml',
      cluster: '/datasets/ml',
      how: 'stat',
      hash: asSha256(hex('a')),
      listing: asSha256(hex('b')),
      files: 1,
      bytes: 1,
      pinnedAt: '2026-11-24T09:00:00Z',
    };
    const withTree = (...paths: string[]) => {
      const base = request({ steps: [runStep('true')] });
      const tree = paths.map((path) => ({ path, mode: '100644' as const, oid: asOid(hex('1', 40)) }));
      return planJob({ ...base, tree, fingerprinted: { ...base.fingerprinted, pins: { 'data/ml': pin } } });
    };
    for (const path of ['data/ml', 'data/ml/README', 'data'])
      expect(withTree(path)).toEqual({ ok: false, error: [{ reason: 'data-in-the-way', entry: 'data/ml', path }] });
    const planned = withTree('data/mlx', 'README');
    expect(planned.ok && planned.value.view.pinned).toEqual(['/datasets/ml']);
    expect(planned.ok && planned.value.inputs.get('pinned.sh')?.content).toContain(
      `check_pin data/ml /datasets/ml ${hex('b')}`,
    );
  });

  test('a notebook that the commit does not have', () => {
    expect(errors({ steps: [notebookStep('a.ipynb')] })).toEqual([
      { reason: 'notebook-missing', step: 1, notebook: 'a.ipynb' },
    ]);
  });
  test('a folder to start in that is in neither the commit nor its data', () => {
    const text = notebookOf(['x = 1']);
    expect(withNotebook(text, notebookStep('a.ipynb', { cwd: 'notebook' }))).toEqual([
      { reason: 'cwd-missing', step: 1, cwd: 'notebook' },
    ]);
    const tree = [{ path: 'notebooks/a.ipynb', mode: '100644' as const, oid: asOid(hex('1', 40)) }];
    expect(errors({ steps: [runStep('true', { cwd: 'notebooks' })] }, { tree })).toEqual([]);
    expect(errors({ steps: [runStep('true', { cwd: 'notebook' })] }, { tree })).toEqual([
      { reason: 'cwd-missing', step: 1, cwd: 'notebook', near: 'notebooks' },
    ]);
  });
  test('a notebook that is not JSON, or of no format that is known', () => {
    expect(withNotebook('<<<<<<< HEAD')).toMatchObject([{ reason: 'notebook-not-json', notebook: 'a.ipynb' }]);
    expect(withNotebook('{"nbformat": 5, "cells": []}')).toMatchObject([
      { reason: 'notebook-format', detail: 'nbformat 5' },
    ]);
  });
  test('a NaN that Python’s json wrote into an output is no reason to refuse a notebook', () => {
    expect(readNotebook('{"nbformat": 4, "cells": [], "metadata": {"mean": NaN, "text": "a NaN"}}')).toMatchObject({
      ok: true,
      value: { raw: { metadata: { mean: null, text: 'a NaN' } } },
    });
  });
  test('parameters for a notebook without a cell tagged parameters', () => {
    expect(withNotebook(notebookOf(['lr = 0.1']), notebookStep('a.ipynb', { parameters: { lr: 0.5 } }))).toMatchObject([
      { reason: 'no-parameters-cell', parameters: ['lr'] },
    ]);
  });
  test('parameters for a notebook in which two cells are tagged parameters: the second would win', () => {
    const text = notebookOf([
      { source: 'lr = 0.1', tags: ['parameters'] },
      'x = 1',
      { source: 'lr = 0.5', tags: ['parameters'] },
    ]);
    expect(withNotebook(text, notebookStep('a.ipynb', { parameters: { lr: 0.9 } }))).toMatchObject([
      { reason: 'parameters-cells', cells: [1, 3] },
    ]);
    expect(withNotebook(text, notebookStep('a.ipynb'))).toEqual([]);
  });
  test('parameters where the only such cell is one that papermill injected', () => {
    const text = notebookOf([{ source: 'lr = 9', tags: ['parameters', 'injected-parameters'] }]);
    expect(withNotebook(text, notebookStep('a.ipynb', { parameters: { lr: 0.5 } }))).toMatchObject([
      { reason: 'no-parameters-cell', parameters: ['lr'] },
    ]);
  });
  test('expressions for a kernel that is no Python', () => {
    expect(withNotebook(notebookOf(['x <- 1'], r), notebookStep('a.ipynb', expressions({ x: 'x' })))).toMatchObject([
      { reason: 'expressions-need-python', language: 'r', metrics: ['x'] },
    ]);
  });
  test('an empty line, a missing environment file, a secret that is not set: all at once', () => {
    const environment: Config['environment'] = { kind: 'venv', file: 'requirements.txt', buildOn: 'job' };
    expect(errors({ environment, steps: [runStep(' ')], secrets: ['TOKEN'] })).toEqual([
      { reason: 'run-empty', step: 1 },
      { reason: 'environment-file-missing', file: 'requirements.txt' },
      { reason: 'secret-missing', name: 'TOKEN' },
    ]);
  });
  test('what this version cannot do yet, by its key', () => {
    const seeds = { parameter: 'seed', values: [1] };
    const steps = [runStep('true', { seeds }), runStep('true', { matrix: { lr: [1] } })];
    const environment: Config['environment'] = { kind: 'container', image: 'a.sif', kernel: 'user', buildOn: 'job' };
    expect(errors({ steps, environment })).toEqual(
      ['steps[1].matrix', 'environment.kernel'].map((key) => ({
        reason: 'unsupported',
        key,
      })),
    );
  });
});

test('the plan says what is sent, and keeps secrets out of the script', () => {
  const planned = planJob(
    request(
      { steps: [notebookStep('a.ipynb'), runStep('true')], secrets: ['TOKEN'], setup: 'a' },
      {
        notebooks: new Map([['a.ipynb', notebookOf(['1'])]]),
        secrets: { TOKEN: "s'x" },
        tree: [
          { path: 'a.ipynb', mode: '100644', oid: asOid(hex('1', 40)) },
          { path: 'd.csv', mode: '100644', oid: asOid(hex('2', 40)) },
        ],
        fingerprinted: {
          ...request({ steps: [runStep(''), runStep('')] }).fingerprinted,
          data: {
            'd.csv': [
              { path: 'd.csv', sha256: asSha256(hex('d')), size: 3 },
              { path: 'odd\nname', sha256: asSha256(hex('e')), size: 1 },
            ],
          },
        },
      },
    ),
  );
  if (!planned.ok) throw new Error(JSON.stringify(planned.error));
  const { value } = planned;
  expect([...value.inputs].map(([path, { mode }]) => `${mode.toString(8)} ${path}`).sort()).toEqual([
    '600 secrets',
    '644 data',
    '644 notebook.py',
    '644 setup.sh',
    '644 step-1.ipynb',
    '644 step-1.json',
  ]);
  expect(value.inputs.get('secrets')?.content).toBe(`export TOKEN='s'\\''x'\n`);
  expect(value.inputs.get('data')?.content).toBe(`${hex('d')} d.csv\n`);
  expect(value.data.map(({ how }) => how)).toEqual(['link', 'copy']);
  expect(value.tree.map(({ path }) => path)).toEqual(['a.ipynb']);
  expect(JSON.stringify(value.view)).not.toContain("s'x");
});

test('an image that the commit brings along counts for the environment by its content, any other by its reference', () => {
  const key = (image: string, sha256: string) => {
    const planned = planJob(
      request(
        { environment: { kind: 'container', image, buildOn: 'job' }, steps: [runStep('true')] },
        {
          fingerprinted: {
            ...request({ steps: [runStep('true')] }).fingerprinted,
            data: { 'a.sif': [{ path: 'a.sif', sha256: asSha256(sha256), size: 3 }] },
          },
        },
      ),
    );
    return planned.ok ? planned.value.environmentKey : planned.error;
  };
  expect(key('a.sif', hex('1'))).not.toEqual(key('a.sif', hex('2')));
  expect(key('/a.sif', hex('1'))).toEqual(key('/a.sif', hex('2')));
  expect(key('docker://a.sif', hex('1'))).toEqual(key('docker://a.sif', hex('2')));
});

test('a job asks for the most that a step asks for; the config’s own sbatch options win', () => {
  const config: Config = {
    ...baseConfig,
    resources: { seconds: 90061, mem: 16 * 1024 ** 3, cpus: 4, gpus: 1 },
    steps: [
      runStep('a'),
      {
        ...runStep('b'),
        resources: { seconds: 90061, mem: 32 * 1024 ** 3, gpus: 2, signal: { name: 'USR2', seconds: 90 } },
      },
    ],
    cluster: {
      workdir: '/w',
      modules: [],
      slurm: { partition: 'gpu', gpus: 'a100:1', requeue: true },
      transport: 'auto',
      requireMaster: false,
    },
  };
  expect(sbatchOptions(config, jobResources(config), 'name')).toEqual([
    { option: 'job-name', value: 'name' },
    { option: 'time', value: '2-02:02:02' },
    { option: 'mem', value: '33554432K' },
    { option: 'cpus-per-task', value: 4 },
    { option: 'signal', value: 'B:USR1@90' },
    { option: 'partition', value: 'gpu' },
    { option: 'gpus', value: 'a100:1' },
    { option: 'requeue', value: true },
  ]);
});

test('the copy of a notebook that is run carries no outputs of an older one, and the user’s own numbers of cells', () => {
  const read = readNotebook(notebookOf([{ source: 'text', kind: 'markdown' }, 'x = 1'], { kernelspec: 'a string' }));
  if (!read.ok) throw new Error(read.error.detail);
  const copy = JSON.parse(instrumentNotebook(read.value, { x: 'x' })) as {
    cells: { metadata: object; source: string }[];
  };
  expect(copy.cells.map(({ metadata }) => metadata)).toEqual([
    { tags: [], mlops: { cell: 1 } },
    { tags: [], mlops: { cell: 2 } },
    { tags: [], mlops: { sentinel: true } },
  ]);
  expect(copy).toMatchObject({ metadata: { kernelspec: { name: 'python3', language: 'python' } } });
});

test('what papermill injected in an older run is taken out, and the cells below keep the user’s own numbers', () => {
  const cells = [
    { source: 'k = 1', tags: ['parameters'] },
    { source: 'k = 9', tags: ['injected-parameters'] },
    { source: 'text', kind: 'markdown' as const, tags: ['injected-parameters'] },
    'score = k',
  ];
  const planned = planJob(
    request({ steps: [notebookStep('a.ipynb')] }, { notebooks: new Map([['a.ipynb', notebookOf(cells)]]) }),
  );
  if (!planned.ok) throw new Error(JSON.stringify(planned.error));
  const copy = JSON.parse(planned.value.inputs.get('step-1.ipynb')?.content ?? '') as {
    cells: { metadata: object; source: string }[];
  };
  expect(copy.cells.slice(0, -1)).toMatchObject([
    { source: 'k = 1', metadata: { mlops: { cell: 1 } } },
    { source: 'score = k', metadata: { mlops: { cell: 4 } } },
  ]);
  expect(JSON.parse(planned.value.inputs.get('step-1.json')?.content ?? '')).toMatchObject({ cells: 4 });
});

test('what is no file of metrics is refused', async () => {
  expect(await readMetrics('[1]', 'm')).toMatchObject({ ok: false });
  const many = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [i, i]));
  expect(await readMetrics(JSON.stringify(many), 'm')).toMatchObject({ ok: false });
  expect(
    await readMetrics('{"a": 1e999, "b": {}, "c": [NaN], "d\\"NaN": 1, "e": NaN, "f": -Infinity}', 'm'),
  ).toMatchObject({
    value: {
      readings: {
        a: { kind: 'infinity' },
        b: { kind: 'object' },
        c: { kind: 'list', shown: '["NaN"]' },
        'd"NaN': { value: 1 },
        e: { kind: 'nan' },
        f: { kind: 'minus-infinity' },
      },
    },
  });
});

test('a file of metrics whose name says so is YAML', async () => {
  const text = 'f1: {cat: 0.5, dog: 1e-3}\nloss: .nan\ntop: -.inf\nwords: "0.9"\nnothing:\nsure: true\n';
  expect(await readMetrics(text, '$MLOPS_OUT/metrics.yaml')).toMatchObject({
    value: {
      readings: {
        'f1.cat': { kind: 'number', value: 0.5 },
        'f1.dog': { kind: 'number', value: 0.001 },
        loss: { kind: 'nan' },
        top: { kind: 'minus-infinity' },
        words: { kind: 'text', shown: '"0.9"' },
        nothing: { kind: 'null' },
        sure: { kind: 'boolean' },
      },
    },
  });
  expect(await readMetrics('a: 1\na: 2\n', 'metrics.yml')).toMatchObject({
    ok: false,
    error: expect.stringContaining('unique'),
  });
  expect(await readMetrics('- 1\n', 'metrics.yml')).toMatchObject({ ok: false });
});

describe('what language a notebook is in', () => {
  const languageOf = (metadata: Json): string => {
    const read = readNotebook(notebookOf(['1'], metadata));
    return read.ok ? read.value.language : '';
  };
  const cases: readonly (readonly [Json, string])[] = [
    [{}, 'python'],
    [{ kernelspec: { name: 'bash' } }, 'bash'],
    [{ kernelspec: 'bash' }, 'bash'],
    [{ kernelspec: { name: 'ir' } }, 'r'],
    [{ kernelspec: { name: 'julia-1.10' } }, 'julia'],
    [{ kernelspec: { name: 'xcpp17' } }, 'c++'],
    [{ kernelspec: { name: 'javascript' } }, 'javascript'],
    [{ kernelspec: { name: 'IJava' } }, 'java'],
    [{ kernelspec: { name: 'sagemaker-env' } }, 'python'],
    [{ kernelspec: { name: 'conda-env-bash-tools-py' } }, 'python'],
    [{ kernelspec: { name: 'python3' } }, 'python'],
    [{ kernelspec: { name: 'mine', language: 'R' } }, 'r'],
    [{ kernelspec: { name: 'bash' }, language_info: { name: 'python' } }, 'python'],
    [{ language_info: { name: 'ipython' } }, 'python'],
  ];
  test.each(cases)('%j: %s', (metadata, language) => {
    expect(languageOf(metadata)).toBe(language);
  });

  test('one that runs elsewhere than in Python keeps its kernel, and needs a file for its metrics', () => {
    const text = notebookOf(['echo 1'], { kernelspec: { name: 'bash' } });
    expect(withNotebook(text, notebookStep('a.ipynb', expressions({ x: 'x' })))).toMatchObject([
      { reason: 'expressions-need-python', language: 'bash' },
    ]);
    expect(withNotebook(text)).toEqual([]);
  });
});

test('a notebook of format 3 is made one of format 4, with the cells that its fingerprint counts', () => {
  const old = {
    nbformat: 3,
    nbformat_minor: 0,
    metadata: { name: '' },
    worksheets: [
      {
        cells: [
          { cell_type: 'heading', level: 2, metadata: {}, source: ['Load', ' data'] },
          {
            cell_type: 'code',
            collapsed: false,
            language: 'python',
            input: ['x = 1\n', 'print(x)'],
            outputs: [{ output_type: 'pyout', prompt_number: 1, text: ['1'] }],
            prompt_number: 1,
          },
        ],
      },
      { cells: [{ cell_type: 'html', metadata: {}, source: '<b>bold</b>' }] },
    ],
  };
  const read = readNotebook(JSON.stringify(old));
  if (!read.ok) throw new Error(read.error.detail);
  expect(read.value).toMatchObject({
    language: 'python',
    cells: [
      { kind: 'markdown', source: '## Load data' },
      { kind: 'code', source: 'x = 1\nprint(x)' },
      { kind: 'markdown', source: '<b>bold</b>' },
    ],
  });
  const copy = JSON.parse(instrumentNotebook(read.value, {}));
  expect(copy).toMatchObject({ nbformat: 4, cells: [{}, { outputs: [], execution_count: null }, {}, {}] });
  expect(copy.worksheets).toBeUndefined();
  expect(Object.keys(copy.cells[1]).sort()).toEqual(['cell_type', 'execution_count', 'metadata', 'outputs', 'source']);
});
