import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Config } from '../../lib/config/types.ts';
import { ended, expressions, notebookOf, notebookStep, runStep, type Scene, Workdir } from '../rig/job.ts';
import { until } from '../rig/until.ts';

const exec = promisify(execFile);
let workdir: Workdir;
beforeAll(async () => {
  workdir = await Workdir.make();
});
afterAll(async () => workdir[Symbol.asyncDispose]());

const venv: Config['environment'] = { kind: 'venv', file: 'requirements.txt', buildOn: 'job' };
/** Different words in the requirements are different environments. */
const scene = (
  requirements: string,
  line = 'python -c "import sys; print(sys.prefix)"',
  more: Partial<Scene> = {},
): Scene => ({
  ...more,
  files: { 'requirements.txt': requirements, ...more.files },
  config: { environment: venv, steps: [runStep(line)], ...more.config },
});
const environmentOf = (key: string | undefined) => join(workdir.folder, 'envs', key ?? 'none');
const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  );

describe('a venv from requirements.txt', () => {
  test('is built in its place, believed after an import, listed, and used again', async () => {
    const cells = notebookOf(['import sys; score = sys.prefix']);
    const one = scene('# notebooks\n', '', {
      files: { 'a.ipynb': cells },
      config: { steps: [notebookStep('a.ipynb', expressions({ where: 'score' }))] },
    });
    const first = await workdir.run(one);
    const prefix = join(environmentOf(first.plan.environmentKey), 'env');
    expect(first.result.preparation).toBeUndefined();
    expect(first.result.metrics.where).toMatchObject({ kind: 'text', shown: `'${prefix}'` });
    expect(first.result.findings).toContainEqual({
      name: 'environment-added',
      severity: 'info',
      detail: 'papermill ipykernel',
    });
    expect(first.result.place.environment?.packages).toContainEqual(expect.stringMatching(/^papermill==/));
    const second = await workdir.run(one);
    expect(second.log).not.toContain('environment built');
    expect(second.result.metrics).toEqual(first.result.metrics);
  }, 180_000);

  test('is built once by two jobs at once; the second waits and says so', async () => {
    const two = ['echo one', 'echo two'].map((line) => scene('# twice\n', line));
    const outcomes = await Promise.all(two.map((one) => workdir.run(one)));
    expect(outcomes.map(({ result }) => result.steps[0]?.outcome)).toEqual(['passed', 'passed']);
    expect(outcomes.filter(({ log }) => log.includes('environment built'))).toHaveLength(1);
    expect(new Set(outcomes.map(({ plan }) => plan.environmentKey)).size).toBe(1);
    expect(await readdir(environmentOf(outcomes[0]?.plan.environmentKey))).not.toContain('lock');
  });

  test('whose builder was killed half way is taken over', async () => {
    const one = scene('# killed\n');
    const { folder, plan } = await workdir.prepare(one);
    const environment = environmentOf(plan.environmentKey);
    const child = await workdir.start(folder, one);
    await until(() => exists(join(environment, 'env/bin/python')));
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    await ended(child);
    expect(await exists(join(environment, 'complete'))).toBe(false);
    expect(await exists(join(environment, 'lock/owner'))).toBe(true);
    const outcome = await workdir.run(one);
    expect(outcome.log).toContain('is gone: taking over');
    expect(outcome.result.steps).toMatchObject([{ outcome: 'passed' }]);
  });

  test('that lost files to a purge of old files is noticed and built again', async () => {
    const one = scene('# purged\n');
    const { plan } = await workdir.run(one);
    const environment = environmentOf(plan.environmentKey);
    await rm(join(environment, 'env/bin/python'));
    expect((await workdir.run(one)).log).toContain('the environment has lost files');
    const site = (await exec('find', [join(environment, 'env'), '-name', 'METADATA'])).stdout.split('\n')[0] ?? '';
    await rm(site);
    const old = new Date(Date.now() - 3 * 86400_000);
    await utimes(join(environment, 'checked'), old, old);
    const again = await workdir.run(one);
    expect(again.log).toMatch(/environment has lost .*METADATA and 0 more/);
    expect(again.result.steps).toMatchObject([{ outcome: 'passed' }]);
  });

  test('that cannot be built is an error in pip’s own words, keeps its log and leaves no marker', async () => {
    const { result, plan } = await workdir.run(scene('no-such-package-of-mlops-hpc==0.0.1\n'));
    expect(result.preparation).toMatchObject({ side: 'infrastructure', reason: 'environment' });
    expect(result.preparation?.detail).toContain('no-such-package-of-mlops-hpc');
    expect((await readdir(environmentOf(plan.environmentKey))).sort()).toEqual(['failed.log', 'progress']);
  });

  test('is built with uv where that is found', async () => {
    const tools = join(workdir.folder, 'tools');
    await exec('python3', ['-m', 'venv', tools]);
    await exec(join(tools, 'bin/pip'), ['install', '-q', '--disable-pip-version-check', 'uv']);
    const bin = join(workdir.folder, 'uv only');
    await mkdir(bin);
    await exec('ln', ['-s', join(tools, 'bin/uv'), bin]);
    const { result, plan } = await workdir.run(scene('six\n', 'python -c "import six"', { path: bin }));
    expect(result.preparation).toBeUndefined();
    expect(result.steps).toMatchObject([{ outcome: 'passed' }]);
    expect(await readFile(join(environmentOf(plan.environmentKey), 'build.log'), 'utf8')).toContain('uv');
  });
});

describe('an environment that is given', () => {
  test('by a prefix that is not there is named', async () => {
    const environment: Config['environment'] = { kind: 'prefix', prefix: '/no/such/prefix', buildOn: 'job' };
    const { result } = await workdir.run({ config: { environment, steps: [runStep('true')] } });
    expect(result.preparation).toMatchObject({ reason: 'no-python', detail: 'there is no /no/such/prefix/bin/python' });
  });
});
