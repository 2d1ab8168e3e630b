import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { baseConfig, expressions, notebookOf, notebookStep, runStep, Workdir } from '../rig/job.ts';
import { condaInstallation, condaModule, environmentModules, lmod } from '../rig/modules.ts';
import { describeWith } from '../rig/requirements.ts';

const cluster = (...modules: string[]) => ({
  workdir: '/w',
  modules,
  slurm: {},
  transport: 'auto' as const,
  requireMaster: false,
});

for (const kind of [lmod, environmentModules]) {
  describeWith(kind, `modules of ${kind.name}`, () => {
    let workdir: Workdir;
    let modules: string;
    beforeAll(async () => {
      workdir = await Workdir.make();
      // Lmod's reader of Tcl knows no blanks in paths.
      modules = join(dirname(workdir.folder), 'modulefiles');
      for (const name of ['CUDA/12.1', 'CUDA/11.8', 'Python/3.11', 'Anaconda3/2021.11']) {
        await mkdir(join(modules, dirname(name)), { recursive: true });
        await writeFile(join(modules, name), `#%Module\nsetenv LOADED_${dirname(name).toUpperCase()} ${name}\n`);
      }
    });
    afterAll(async () => workdir[Symbol.asyncDispose]());
    const run = (...names: string[]) =>
      workdir.run({
        config: { ...baseConfig, cluster: cluster(...names), steps: [runStep('echo "loaded $LOADED_CUDA"')] },
        env: { ...kind.env(), MODULEPATH: modules },
      });

    test('are loaded although the job’s shell knows no module command', async () => {
      const { result, log } = await run('CUDA/11.8');
      expect([result.preparation, log]).toEqual([undefined, expect.stringContaining('loaded CUDA/11.8')]);
    });

    test.each([
      ['CUDA/13.0', ['CUDA/11.8', 'CUDA/12.1']],
      ['Anacondda3/2021.11', ['Anaconda3/2021.11']],
      ['python/3.11', ['Python/3.11']],
    ])('%s, which does not exist, is an error with what there is of a similar name', async (name, near) => {
      const { result, log } = await run(name);
      expect(result.preparation).toMatchObject({ side: 'infrastructure', reason: 'missing-module' });
      const [, listed = ''] = (result.preparation?.detail ?? '').split('there are:\n');
      expect(
        listed
          .split('\n')
          .filter((line) => /\/./.test(line))
          .sort(),
      ).toEqual(near);
      expect(log).not.toContain('loaded ');
    });
  });
}

/** Whichever is there. */
const modules = lmod.missing() === undefined ? lmod : environmentModules;
describeWith([modules, condaModule], 'the recipe: module load, conda create, ipykernel install, papermill', () => {
  test('is a line of the config, from nothing to the metric', async () => {
    await using workdir = await Workdir.make();
    const { result, plan } = await workdir.run({
      config: {
        ...baseConfig,
        cluster: cluster('Anaconda3/2021.11'),
        environment: {
          kind: 'packages',
          packages: ['numpy', 'ipykernel', 'papermill'],
          channels: ['conda-forge'],
          name: 'mlops',
          kernel: 'user',
          buildOn: 'job',
        },
        steps: [notebookStep('movie-recs.ipynb', expressions({ rprec: 'rprec', base: 'sys.prefix' }))],
      },
      files: { 'movie-recs.ipynb': notebookOf(['import numpy as np, sys', 'rprec = np.mean([0.3, 0.5])']) },
      env: { ...modules.env(), MODULEPATH: join(condaInstallation, 'modulefiles') },
    });
    expect(result.preparation).toBeUndefined();
    const prefix = join(workdir.folder, 'envs', plan.environmentKey ?? '', 'env');
    expect(result.metrics).toMatchObject({ rprec: { value: 0.4 }, base: { shown: `'${prefix}'` } });
    expect(existsSync(join(workdir.home, '.local/share/jupyter/kernels/mlops/kernel.json'))).toBe(true);
    expect(result.findings).toEqual([]);
  }, 300_000);
});
