import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { chmod, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Config } from '../../lib/config/types.ts';
import { ended, expressions, notebookOf, notebookStep, runStep, type Scene, Workdir } from '../rig/job.ts';
import { describeWith, findProgram } from '../rig/requirements.ts';
import { until } from '../rig/until.ts';

/** MLOPS_TEST_CONDA is an installation's folder or its conda; else the one on PATH. */
function findConda(): string | undefined {
  const named = process.env.MLOPS_TEST_CONDA;
  const places = named === undefined ? [findProgram('conda')] : [named, join(named, 'bin/conda')];
  return places.find((place) => {
    try {
      accessSync(place ?? '', constants.X_OK);
      return place?.endsWith('conda') === true;
    } catch {
      return false;
    }
  });
}
const exec = promisify(execFile);
const conda = findConda();
const path = dirname(conda ?? '/');

describeWith(
  {
    name: 'conda',
    missing: () => (conda === undefined ? 'no conda: MLOPS_TEST_CONDA is not set, and PATH has none' : undefined),
  },
  'a conda environment',
  () => {
    let workdir: Workdir;
    beforeAll(async () => {
      workdir = await Workdir.make();
    });
    afterAll(async () => workdir[Symbol.asyncDispose]());
    const packages = (...names: string[]): Config['environment'] => ({
      kind: 'packages',
      packages: names,
      channels: ['conda-forge'],
      buildOn: 'job',
    });
    const scene = (environment: Config['environment'], line: string, more: Partial<Scene> = {}): Scene => ({
      path,
      ...more,
      config: { environment, steps: [runStep(line)], ...more.config },
    });
    const folderOf = (key: string | undefined) => join(workdir.folder, 'envs', key ?? 'none');

    test('of a list of packages gets what notebooks need, and runs one', async () => {
      const { result, plan, log, folder } = await workdir.run(
        scene(packages('numpy'), '', {
          files: {
            'a.ipynb': notebookOf([
              'import numpy as np, os, sys\nscore = np.float64(0.5)\nplace = os.environ["CONDA_PREFIX"]',
            ]),
          },
          config: { steps: [notebookStep('a.ipynb', expressions({ score: 'score', place: 'place' }))] },
        }),
      );
      const prefix = join(folderOf(plan.environmentKey), 'env');
      expect([result.preparation, log.includes('environment built')]).toEqual([undefined, true]);
      expect(result.metrics).toMatchObject({ score: { value: 0.5 }, place: { shown: `'${prefix}'` } });
      expect(result.findings).toContainEqual({
        name: 'environment-added',
        severity: 'info',
        detail: 'papermill ipykernel',
      });
      expect(result.place.environment?.packages).toContainEqual(expect.stringMatching(/^numpy==/));
      // What conda itself says of it, line by line.
      const lock = (await readFile(join(folder, 'result/lock.txt'), 'utf8'))
        .split('\n')
        .filter((line) => !line.startsWith('#'));
      const listed = await exec(conda ?? '', ['list', '--explicit', '--md5', '-p', prefix]);
      expect(lock.sort()).toEqual(
        listed.stdout
          .split('\n')
          .filter((line) => !line.startsWith('#'))
          .sort(),
      );
    }, 400_000);

    test('from environment.yml with a pip section is built once by two jobs at once', async () => {
      const yml = 'name: mlops\nchannels: [conda-forge]\ndependencies:\n  - python\n  - pip\n  - pip:\n    - six\n';
      const environment: Config['environment'] = { kind: 'conda', file: 'environment.yml', buildOn: 'job' };
      const outcomes = await Promise.all(
        ['one', 'two'].map((word) =>
          workdir.run(
            scene(environment, `echo ${word}; python -c "import six"`, { files: { 'environment.yml': yml } }),
          ),
        ),
      );
      expect(outcomes.map(({ result }) => [result.preparation, result.steps[0]?.outcome])).toEqual([
        [undefined, 'passed'],
        [undefined, 'passed'],
      ]);
      expect(outcomes.filter(({ log }) => log.includes('environment built'))).toHaveLength(1);
      // The lock names what conda and what pip installed, and makes the same environment without a solver.
      const lock = await readFile(join(outcomes[0]?.folder ?? '', 'result/lock.txt'), 'utf8');
      expect(lock).toMatch(/^# mlops lock 1: .*\n@EXPLICIT\n.*\n# pip: six==/s);
      const locked = await workdir.run(
        scene(environment, 'python -c "import six"', { files: { 'environment.yml': lock } }),
      );
      expect(locked.result.preparation).toBeUndefined();
      expect(locked.result.place.environment?.packages).toEqual(outcomes[0]?.result.place.environment?.packages);
    }, 400_000);

    test('whose pip section fails is an error in pip’s words, and the half of it that conda made is gone', async () => {
      const yml = 'dependencies: [python, pip, { pip: [no-such-package-of-mlops-hpc] }]\n';
      const environment: Config['environment'] = { kind: 'conda', file: 'environment.yml', buildOn: 'job' };
      const { result, plan } = await workdir.run(scene(environment, 'true', { files: { 'environment.yml': yml } }));
      expect(result.preparation).toMatchObject({ side: 'infrastructure', reason: 'environment' });
      expect(result.preparation?.detail).toMatch(/no-such-package-of-mlops-hpc.*Pip failed/s);
      expect((await readdir(folderOf(plan.environmentKey))).sort()).toEqual([
        'failed.log',
        'progress',
        'specification.json',
      ]);
    }, 400_000);

    test('from a channel that cannot be reached is an error that names it', async () => {
      const environment: Config['environment'] = {
        kind: 'packages',
        packages: ['python'],
        channels: ['http://127.0.0.1:9/nowhere'],
        buildOn: 'job',
      };
      const { result } = await workdir.run(scene(environment, 'true', { env: { CONDA_REMOTE_MAX_RETRIES: '0' } }));
      expect(result.preparation).toMatchObject({ side: 'infrastructure', reason: 'environment' });
      expect(result.preparation?.detail).toContain('http://127.0.0.1:9/nowhere');
    }, 400_000);

    test('needs no home that can be written', async () => {
      const { result } = await workdir.run(
        scene(packages('tqdm'), 'python -c "import tqdm"', { env: { HOME: '/proc/no-home' } }),
      );
      expect([result.preparation, result.steps[0]?.outcome]).toEqual([undefined, 'passed']);
    }, 400_000);

    test('whose builder was killed half way is taken over', async () => {
      const one = scene(packages('python', 'pip'), 'python -c "print(1)"');
      const { folder, plan } = await workdir.prepare(one);
      const child = await workdir.start(folder, one);
      await until(
        async () => (await readdir(join(folderOf(plan.environmentKey), 'env')).catch(() => [])).length > 0,
        120,
      );
      process.kill(-(child.pid ?? 0), 'SIGKILL');
      await ended(child);
      const outcome = await workdir.run(one);
      expect(outcome.log).toContain('is gone: taking over');
      expect(outcome.result.steps).toMatchObject([{ outcome: 'passed' }]);
    }, 400_000);

    test('is built by the conda that the config names, though PATH has none', async () => {
      const environment = {
        ...packages('no-such-package-of-mlops-hpc'),
        manager: conda ?? '',
      } as Config['environment'];
      const { result } = await workdir.run(scene(environment, 'true', { path: '/none' }));
      expect(result.preparation?.detail).toMatch(/^\S*\/conda ended with status 1.*no-such-package-of-mlops-hpc/s);
    }, 400_000);

    test('that cannot be solved is an error in the solver’s own words', async () => {
      const { result, plan } = await workdir.run(scene(packages('no-such-package-of-mlops-hpc'), 'true'));
      expect(result.preparation).toMatchObject({ side: 'infrastructure', reason: 'environment' });
      expect(result.preparation?.detail).toContain('no-such-package-of-mlops-hpc');
      expect((await readdir(folderOf(plan.environmentKey))).sort()).toEqual([
        'failed.log',
        'progress',
        'specification.json',
      ]);
      expect(await readFile(join(folderOf(plan.environmentKey), 'failed.log'), 'utf8')).toContain('+ ');
    }, 400_000);
  },
);

describeWith([], 'without any conda', () => {
  test('the places that were looked at are named', async () => {
    await using workdir = await Workdir.make();
    const environment: Config['environment'] = { kind: 'packages', packages: ['numpy'], channels: [], buildOn: 'job' };
    const system = (process.env.PATH ?? '')
      .split(':')
      .filter((folder) => findProgram('conda') !== join(folder, 'conda'));
    const { result } = await workdir.run({
      config: { environment, steps: [runStep('true')] },
      env: { PATH: system.join(':') },
    });
    expect(result.preparation).toMatchObject({
      reason: 'environment',
      detail: expect.stringMatching(/^no conda: looked for micromamba, mamba and conda on PATH/),
    });
  });
});

test('a manager that is not where the config says is named, and no other is taken', async () => {
  await using workdir = await Workdir.make();
  const environment: Config['environment'] = {
    kind: 'packages',
    packages: ['numpy'],
    channels: [],
    manager: '$HOME/none/bin/conda',
    buildOn: 'job',
  };
  const { result } = await workdir.run({ config: { environment, steps: [runStep('true')] } });
  expect(result.preparation).toMatchObject({
    reason: 'environment',
    detail: expect.stringContaining(`there is no program ${workdir.home}/none/bin/conda (environment.manager) on `),
  });
});

describe('a conda that ends with 0', () => {
  const packages: Config['environment'] = { kind: 'packages', packages: ['numpy'], channels: [], buildOn: 'job' };
  /** A program of the name that does what the real one was seen to do. */
  const run = async (workdir: Workdir, script: string) => {
    const path = join(workdir.folder, `conda ${script.length}`);
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'conda'), `#!/bin/sh\n${script}\n`);
    await chmod(join(path, 'conda'), 0o755);
    return workdir.run({ config: { environment: packages, steps: [runStep('echo trained')] }, path });
  };

  test('and has made no environment is not believed, and its words are shown', async () => {
    await using workdir = await Workdir.make();
    const { result, log } = await run(workdir, 'echo "CondaSystemExit: Exiting 1" >&2');
    expect(result.preparation).toMatchObject({
      side: 'infrastructure',
      reason: 'environment',
      detail: expect.stringMatching(
        /conda ended with status 0, and there is no Python that starts in .*CondaSystemExit: Exiting 1/s,
      ),
    });
    expect(log).not.toContain('trained');
  });

  test('and has made one that does not start is not believed either', async () => {
    await using workdir = await Workdir.make();
    const broken =
      'while [ "$1" != -p ]; do shift; done; mkdir -p "$2/bin"; echo "#!/bin/false" >"$2/bin/python"; chmod +x "$2/bin/python"';
    const { result } = await run(workdir, broken);
    expect(result.preparation?.detail).toContain('there is no Python that starts in');
  });
});
