import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Config } from '../../lib/config/types.ts';
import { exists, venv, venvScene } from '../rig/environment.ts';
import { ended, expressions, notebookOf, notebookStep, runStep, type Scene, Workdir } from '../rig/job.ts';
import { until } from '../rig/until.ts';

const exec = promisify(execFile);
let workdir: Workdir;
beforeAll(async () => {
  workdir = await Workdir.make();
});
afterAll(async () => workdir[Symbol.asyncDispose]());

const scene = venvScene;
const environmentOf = (key: string | undefined) => join(workdir.folder, 'envs', key ?? 'none');

let uvInstalled: Promise<string> | undefined;
/** A uv of this suite's own. */
const uvProgram = (): Promise<string> => {
  uvInstalled ??= (async () => {
    const tools = join(workdir.folder, 'tools');
    await exec('python3', ['-m', 'venv', tools]);
    await exec(join(tools, 'bin/pip'), ['install', '-q', '--disable-pip-version-check', 'uv']);
    return join(tools, 'bin/uv');
  })();
  return uvInstalled;
};

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
    expect((await readdir(environmentOf(plan.environmentKey))).sort()).toEqual([
      'failed.log',
      'progress',
      'specification.json',
    ]);
  });

  test('is built with uv where that is found', async () => {
    const bin = join(workdir.folder, 'uv only');
    await mkdir(bin);
    await exec('ln', ['-s', await uvProgram(), bin]);
    const { result, plan } = await workdir.run(scene('six\n', 'python -c "import six"', { path: bin }));
    expect(result.preparation).toBeUndefined();
    expect(result.steps).toMatchObject([{ outcome: 'passed' }]);
    expect(await readFile(join(environmentOf(plan.environmentKey), 'build.log'), 'utf8')).toContain('uv');
  });

  test('from a uv.lock that names a package of the repository never runs another commit’s, built by the uv that the config names', async () => {
    const manager = await uvProgram();
    const files = (value: number) => ({
      'pyproject.toml':
        '[project]\nname = "top"\nversion = "0"\nrequires-python = ">=3.9"\ndependencies = ["pkg"]\n[tool.uv.sources]\npkg = { path = "pkg", editable = true }\n',
      'uv.lock':
        'version = 1\nrevision = 3\nrequires-python = ">=3.9"\n\n[[package]]\nname = "pkg"\nversion = "1"\nsource = { editable = "pkg" }\n\n[[package]]\nname = "top"\nversion = "0"\nsource = { virtual = "." }\ndependencies = [\n    { name = "pkg" },\n]\n\n[package.metadata]\nrequires-dist = [{ name = "pkg", editable = "pkg" }]\n',
      'pkg/pyproject.toml':
        '[project]\nname = "pkg"\nversion = "1"\n[tool.setuptools.packages.find]\nwhere = ["src"]\n',
      'pkg/src/pkg/__init__.py': `value = ${value}\n`,
    });
    const commit = (value: number): Scene => ({
      files: files(value),
      config: {
        environment: { kind: 'uv', file: 'uv.lock', manager, buildOn: 'job' },
        steps: [runStep(`python -c "import pkg; assert pkg.value == ${value}"`)],
      },
    });
    const { planned } = await workdir.plan(commit(1));
    const { result, plan } = await workdir.run(commit(2));
    expect(result.preparation).toBeUndefined();
    expect(result.steps).toMatchObject([{ outcome: 'passed' }]);
    expect(planned.ok && planned.value.environmentKey).not.toBe(plan.environmentKey);
  });

  test('leaves the resolved packages as a lock that makes the same environment again', async () => {
    const { folder, result } = await workdir.run(scene('six<1.17\n'));
    const lock = await readFile(join(folder, 'result/lock.txt'), 'utf8');
    expect(lock).toMatch(/^# mlops lock 1: Python 3\S+, linux .*\n(?:.*\n)*six==1\.16\.0\n/);
    const again = await workdir.run(scene(lock));
    expect(again.result.preparation).toBeUndefined();
    expect(again.result.place.environment?.packages).toEqual(result.place.environment?.packages);
  });

  test('with a package of the repository in it, also an editable one, never runs another commit’s', async () => {
    const files = (value: number) => ({
      'pkg/pyproject.toml':
        '[project]\nname = "pkg"\nversion = "1"\n[tool.setuptools.packages.find]\nwhere = ["src"]\n',
      'pkg/src/pkg/__init__.py': `import os\nvalue = ${value}\nprint("from", os.path.dirname(__file__))\n`,
    });
    for (const requirement of ['-e ./pkg\n', './pkg\n']) {
      const keys = [];
      for (const value of [1, 2]) {
        const line = `python -c "import pkg; assert pkg.value == ${value}"`;
        const { result, plan, log, folder } = await workdir.run(scene(requirement, line, { files: files(value) }));
        expect(result.steps).toMatchObject([{ outcome: 'passed' }]);
        const origin = requirement.startsWith('-e') ? folder : environmentOf(plan.environmentKey);
        expect(log).toContain(`from ${origin}/`);
        keys.push(plan.environmentKey);
      }
      expect(new Set(keys).size).toBe(2);
    }
  }, 180_000);

  test('whose import is broken is an error of the environment, not a failed model', async () => {
    const { result } = await workdir.run(
      scene('./broken\n', '', {
        files: {
          'a.ipynb': notebookOf(['1']),
          'broken/pyproject.toml': '[project]\nname = "papermill"\nversion = "99"\n',
          'broken/papermill/__init__.py': 'import no_such_library_of_mlops',
        },
        config: { steps: [notebookStep('a.ipynb')] },
      }),
    );
    expect(result.preparation).toMatchObject({ side: 'infrastructure', reason: 'environment' });
    expect(result.preparation?.detail).toMatch(
      /^the environment was built, and an import fails: papermill ipykernel\n.*No module named 'no_such_library_of_mlops'/s,
    );
  });
});

describe('a venv with a Python by its version', () => {
  const withPython = (version: string): Config['environment'] =>
    ({ ...venv, python: version }) as Config['environment'];
  const tools = async (...versions: string[]) => {
    const bin = join(workdir.folder, `pythons ${versions.join(' ')}`);
    await mkdir(bin, { recursive: true });
    for (const version of versions) {
      const name = join(bin, `python${version.split('.').slice(0, 2).join('.')}`);
      await writeFile(name, `#!/bin/sh\necho ${version}\n`, { mode: 0o755 });
    }
    // The first of its name on PATH, and of another version.
    await writeFile(join(bin, 'python3'), '#!/bin/sh\necho 3.2.1\n', { mode: 0o755 });
    return bin;
  };

  test('is made with that one, also where the first python3 on PATH is another', async () => {
    const { stdout } = await exec('python3', ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])']);
    const version = stdout.trim();
    const line = `[ "$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')" = ${version} ]`;
    const path = await tools();
    const { result } = await workdir.run(
      scene('# version\n', '', { path, config: { environment: withPython(version), steps: [runStep(line)] } }),
    );
    expect([result.preparation, result.steps[0]?.outcome]).toEqual([undefined, 'passed']);
  }, 60_000);

  test('that is nowhere is an error with the versions that are there', async () => {
    const path = await tools('3.98.4');
    const { result, log } = await workdir.run(
      scene('# nowhere\n', '', { path, config: { environment: withPython('3.99'), steps: [runStep('echo ran')] } }),
    );
    expect(result.preparation).toMatchObject({ side: 'infrastructure', reason: 'no-python' });
    expect(result.preparation?.detail).toMatch(/^no Python 3\.99 \(environment\.python\) on PATH \(/);
    expect(result.preparation?.detail).toContain(`3.2.1 ${path}/python3\n`);
    expect(result.preparation?.detail).toContain(`3.98.4 ${path}/python3.98`);
    expect(log).not.toContain('ran');
  }, 60_000);
});

describe('a venv from pyproject.toml', () => {
  const project: Config['environment'] = { kind: 'venv', file: 'pkg/pyproject.toml', buildOn: 'job' };
  const run = (toml: string, line: string, path?: string) =>
    workdir.run({
      config: { environment: project, steps: [runStep(line)] },
      files: { 'pkg/pyproject.toml': toml },
      ...(path === undefined ? {} : { path }),
    });
  const toml = '[project]\nname = "not-to-be-built"\nversion = "1"\ndependencies = ["six"]\n';
  const line = 'python -c "import six" && [ -z "$(python -m pip list 2>/dev/null | grep not-to-be-built)" ]';

  test('gets the dependencies; the project itself is not built', async () => {
    expect((await run(toml, line)).result.steps).toMatchObject([{ outcome: 'passed' }]);
  });

  test('whose dependencies are dynamic is told so', async () => {
    const { result } = await run('[project]\nname = "a"\nversion = "1"\ndynamic = ["dependencies"]\n', 'true');
    expect(result.preparation?.detail).toContain('the dependencies of pyproject.toml are dynamic');
  });
});
