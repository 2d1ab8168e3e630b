import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Config } from '../../lib/config/types.ts';
import { exists, venvScene } from '../rig/environment.ts';
import { runStep, Workdir } from '../rig/job.ts';
import { pythonEnvironment } from '../rig/python.ts';

let workdir: Workdir;
let python: string;
beforeAll(async () => {
  workdir = await Workdir.make();
  python = await pythonEnvironment();
}, 300_000);
afterAll(async () => workdir[Symbol.asyncDispose]());

describe('an environment that is given by its prefix', () => {
  const prefix = (folder: string, more: { kernel?: 'user'; name?: string } = {}): Config['environment'] => ({
    kind: 'prefix',
    prefix: folder,
    buildOn: 'job',
    ...more,
  });

  test('that is not there is named', async () => {
    const { result } = await workdir.run({
      config: { environment: prefix('/no/such/prefix'), steps: [runStep('true')] },
    });
    expect(result.preparation).toMatchObject({ reason: 'no-python', detail: 'there is no /no/such/prefix/bin/python' });
  });

  test('may begin with a variable, which is expanded where the job runs', async () => {
    const { result } = await workdir.run({
      config: { environment: prefix('$SITE_PYTHONS/it’s here'), steps: [runStep('true')] },
      env: { SITE_PYTHONS: '/no/such' },
    });
    expect(result.preparation?.detail).toBe('there is no /no/such/it’s here/bin/python');
  });

  test('is compared with what the last run there found, and what changed is a finding', async () => {
    const one = { config: { environment: prefix(python), steps: [runStep('python -c "import papermill"')] } };
    const first = await workdir.run(one);
    expect([first.result.steps[0]?.outcome, first.result.findings]).toEqual(['passed', []]);
    expect(await readFile(join(first.folder, 'result/lock.txt'), 'utf8')).toMatch(
      /^# mlops lock 1: Python 3.*\nnumpy==/s,
    );
    // A package that comes from another folder of the interpreter's path is as good as one that was installed since.
    const extra = join(workdir.folder, 'extra');
    await mkdir(join(extra, 'surprise-1.0.dist-info'), { recursive: true });
    await writeFile(
      join(extra, 'surprise-1.0.dist-info/METADATA'),
      'Metadata-Version: 2.1\nName: surprise\nVersion: 1.0\n',
    );
    const second = await workdir.run({ config: { ...one.config, setup: `export PYTHONPATH='${extra}'` } });
    expect(second.result.findings).toEqual([
      { name: 'environment-changed', severity: 'warn', detail: '+surprise==1.0' },
    ]);
  });

  test('offers its kernel in the user’s Jupyter with kernel: user, by its name', async () => {
    const environment = prefix(python, { kernel: 'user', name: 'my-model' });
    const { log } = await workdir.run({ config: { environment, steps: [runStep('true')] } });
    const folder = join(workdir.home, '.local/share/jupyter/kernels/my-model');
    expect(log).toContain('the kernel my-model is in ');
    expect(JSON.parse(await readFile(join(folder, 'kernel.json'), 'utf8'))).toMatchObject({
      argv: expect.arrayContaining([`${python}/bin/python`, 'ipykernel_launcher', '{connection_file}']),
      display_name: 'Python (my-model)',
    });
    expect((await workdir.run({ config: { environment, steps: [runStep('echo again')] } })).log).not.toContain(
      'the kernel',
    );
  });

  test('passes all the same where the home cannot be written, and says that the kernel is not there', async () => {
    const { result } = await workdir.run({
      config: { environment: prefix(python, { kernel: 'user' }), steps: [runStep('true')] },
      env: { HOME: '/proc/no-home' },
    });
    expect(result.steps).toMatchObject([{ outcome: 'passed' }]);
    expect(result.findings).toMatchObject([
      {
        name: 'kernel-not-installed',
        severity: 'warn',
        detail: expect.stringMatching(/^the kernel mlops could not be installed in \/proc\/no-home.*Error/s),
      },
    ]);
  });
});

describe('where GPUs are asked for, they are looked for before the first step', () => {
  const gpus = { seconds: 600, gpus: 1 };
  /** A package of the name that says what it sees, as the real one does. */
  const torch = (cuda: string, sees: boolean) => ({
    'torch/pyproject.toml': '[project]\nname = "torch"\nversion = "2.4.0"\n',
    'torch/torch/__init__.py': `__version__ = "2.4.0"
class version:
    cuda = ${cuda}
class cuda:
    @staticmethod
    def is_available():
        return ${sees ? 'True' : 'False'}
`,
  });
  const steps = [runStep('echo trained')];
  const smi = async (words: string) => {
    const tools = join(workdir.folder, `smi ${words.length}`);
    await mkdir(tools, { recursive: true });
    await writeFile(join(tools, 'nvidia-smi'), `#!/bin/sh\necho '${words}'\n`);
    await chmod(join(tools, 'nvidia-smi'), 0o755);
    return tools;
  };
  const gpu = 'GPU 0: NVIDIA A100-SXM4-40GB (UUID: GPU-1)';

  test('a driver that names none is an error of the environment, with its words', async () => {
    const path = await smi('Failed to initialize NVML: Driver/library version mismatch');
    const { result, log } = await workdir.run({ config: { resources: gpus, steps }, path });
    expect(result.preparation).toMatchObject({
      side: 'infrastructure',
      reason: 'environment',
      detail: expect.stringMatching(
        /^the job asked for 1 GPU\(s\), and nvidia-smi -L on \S+ names none.*Driver\/library version mismatch/s,
      ),
    });
    expect(log).not.toContain('trained');
    expect(
      (await workdir.run({ config: { steps: [runStep('echo without')] }, path })).result.preparation,
    ).toBeUndefined();
  });

  test.each([
    [
      'a torch that is built for CUDA and sees none',
      torch('"12.1"', false),
      'torch 2.4.0 is built for CUDA 12.1 and sees no GPU',
    ],
    ['a torch that is built for CPUs only', torch('None', false), 'torch 2.4.0 is built for CPUs only'],
    [
      'a torch that cannot be imported',
      {
        ...torch('None', true),
        'torch/torch/__init__.py': 'raise ImportError("libcudart.so.12: cannot open shared object file")',
      },
      'import torch: ImportError: libcudart.so.12',
    ],
  ])(
    '%s is an error of the environment',
    async (_, files, words) => {
      const one = venvScene(`./torch\n# ${words}\n`, '', {
        files,
        path: await smi(gpu),
        config: { resources: gpus, steps },
      });
      const { result, log } = await workdir.run(one);
      expect(result.preparation).toMatchObject({ side: 'infrastructure', reason: 'environment' });
      expect(result.preparation?.detail).toContain(words);
      expect(log).not.toContain('trained');
    },
    60_000,
  );

  test.each([
    [
      'a jax with a plug-in for CUDA that sees none',
      'jax',
      '__version__ = "0.5.0"\ndef devices(kind):\n    raise RuntimeError("no CUDA-capable device is detected")\n',
      ['jax_cuda12_plugin'],
      'jax 0.5.0: no CUDA-capable device is detected',
    ],
    [
      'a tensorflow that is built for CUDA and sees none',
      'tensorflow',
      `__version__ = "2.17.0"
class config:
    @staticmethod
    def list_physical_devices(kind):
        return []
class test:
    @staticmethod
    def is_built_with_cuda():
        return True
`,
      [],
      'tensorflow 2.17.0 is built for CUDA and sees no GPU',
    ],
  ])('%s is an error of the environment', async (title, name, text, others, words) => {
    const site = join(workdir.folder, '..', `site ${name}`);
    for (const one of [name, ...others]) await mkdir(join(site, one), { recursive: true });
    for (const one of others) await writeFile(join(site, one, '__init__.py'), '');
    await writeFile(join(site, name, '__init__.py'), text);
    const setup = `export PYTHONPATH='${site}'`;
    const { result, log } = await workdir.run({
      config: { resources: gpus, setup, steps: [runStep(`echo trained # ${title}`)] },
      path: await smi(gpu),
    });
    expect(result.preparation).toMatchObject({ side: 'infrastructure', reason: 'environment' });
    expect(result.preparation?.detail).toContain(words);
    expect(log).not.toContain('trained');
  });

  test('a torch that sees one lets the training start', async () => {
    const one = venvScene('./torch\n# sees\n', '', {
      files: torch('"12.1"', true),
      path: await smi(gpu),
      config: { resources: gpus, steps },
    });
    const { result, log } = await workdir.run(one);
    expect([result.preparation, log.includes('trained'), result.place.gpus]).toEqual([undefined, true, 1]);
  }, 60_000);
});

test('nothing is written into the home otherwise', async () => {
  expect(await exists(join(workdir.home, '.conda'))).toBe(false);
  expect(await exists(join(workdir.home, '.cache'))).toBe(false);
});
