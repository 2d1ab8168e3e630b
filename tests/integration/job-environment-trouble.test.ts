import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Config } from '../../lib/config/types.ts';
import { venvScene } from '../rig/environment.ts';
import { runStep, type Scene, Workdir } from '../rig/job.ts';
import { describeWith } from '../rig/requirements.ts';

const exec = promisify(execFile);

describeWith('root', 'file systems that give trouble', () => {
  let workdir: Workdir;
  const mounted: string[] = [];
  beforeEach(async () => {
    workdir = await Workdir.make();
  });
  afterEach(async () => {
    for (const place of mounted.splice(0)) await exec('umount', [place]);
    await workdir[Symbol.asyncDispose]();
  });
  const mount = async (place: string, options: string) => {
    await mkdir(place, { recursive: true });
    await exec('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', place]);
    mounted.push(place);
  };

  test('a disk that is full half way through the installation is named as that, and the half is removed', async () => {
    await mount(join(workdir.folder, 'envs'), 'size=12m');
    const { result, plan } = await workdir.run(venvScene('numpy\n'));
    expect(result.preparation).toMatchObject({
      side: 'infrastructure',
      reason: 'disk-full',
      detail: expect.stringContaining('No space left on device'),
    });
    expect((await readdir(join(workdir.folder, 'envs', plan.environmentKey ?? ''))).sort()).toEqual([
      'failed.log',
      'progress',
      'specification.json',
    ]);
  }, 120_000);

  test('a workdir that is full before anything was written is an error, not a wait', async () => {
    await mount(join(workdir.folder, 'envs'), 'size=16k,nr_inodes=1');
    const { result } = await workdir.run(venvScene('# full\n'));
    expect(result.preparation).toMatchObject({ side: 'infrastructure', reason: 'disk-full' });
  });

  test('a home that cannot be written is not needed', async () => {
    await mount(workdir.home, 'ro,size=64k');
    const { result } = await workdir.run(venvScene('six\n', 'python -c "import six"'));
    expect([result.preparation, result.steps[0]?.outcome]).toEqual([undefined, 'passed']);
  }, 60_000);
});

describe('what cannot be installed is an error of the environment, in the installer’s words', () => {
  let workdir: Workdir;
  beforeAll(async () => {
    workdir = await Workdir.make();
  });
  afterAll(async () => workdir[Symbol.asyncDispose]());
  const failure = async (scene: Scene) => {
    const { result, log } = await workdir.run(scene);
    expect(result.preparation).toMatchObject({ side: 'infrastructure' });
    expect(log).not.toContain('trained');
    return result.preparation?.detail;
  };

  test('a wheel that was made for another platform', async () => {
    const wheel = 'thing-1.0-cp36-cp36m-macosx_10_9_x86_64.whl';
    const files = { [wheel]: '' };
    expect(await failure(venvScene(`./${wheel}\n`, 'echo trained', { files }))).toMatch(
      new RegExp(`${wheel} is not a supported wheel on this platform`),
    );
  }, 60_000);

  test('an index that cannot be reached', async () => {
    const env = { PIP_INDEX_URL: 'http://127.0.0.1:9/simple', PIP_RETRIES: '1', PIP_FIND_LINKS: '', PIP_NO_INDEX: '' };
    const words = await failure(venvScene('no-such-package-of-mlops-hpc\n', 'echo trained', { env }));
    expect(words).toContain('Connection refused');
  }, 60_000);

  test('two requirements that contradict each other', async () => {
    const words = await failure(
      venvScene('./one\n./two\n', 'echo trained', { files: { ...wants('one', '1'), ...wants('two', '2') } }),
    );
    expect(words).toMatch(/conflict/i);
  }, 60_000);

  test('a uv.lock where there is no uv', async () => {
    const folders = (process.env.PATH ?? '').split(':').filter((folder) => !existsSync(join(folder, 'uv')));
    const environment: Config['environment'] = { kind: 'uv', file: 'uv.lock', buildOn: 'job' };
    const words = await failure({
      config: { environment, steps: [runStep('echo trained')] },
      files: { 'uv.lock': 'version = 1\n', 'pyproject.toml': '[project]\nname = "a"\nversion = "1"\n' },
      env: { PATH: folders.join(':') },
    });
    expect(words).toMatch(/^no uv on PATH \(.*\), which uv\.lock needs\. .*uv export/);
  });
});

/** A package of the repository that needs this very version of pip. */
const wants = (name: string, version: string) => ({
  [`${name}/pyproject.toml`]: `[project]\nname = "${name}"\nversion = "1"\ndependencies = ["pip==${version}"]\n`,
  [`${name}/${name}/__init__.py`]: '',
});

test('a workdir that is reached through a link works like any other', async () => {
  await using workdir = await Workdir.make();
  const short = await mkdtemp(join(tmpdir(), 'mlops-link-'));
  await symlink(workdir.folder, join(short, 'w'));
  const one: Scene = venvScene('-e ./pkg\n', 'python -c "import pkg"', {
    files: { 'pkg/pyproject.toml': '[project]\nname = "pkg"\nversion = "1"\n', 'pkg/pkg/__init__.py': '' },
  });
  const { folder } = await workdir.prepare(one);
  const through = folder.replace(workdir.folder, join(short, 'w'));
  const { stdout } = await exec('sh', ['job.sh'], {
    cwd: through,
    env: { ...process.env, PWD: through, HOME: workdir.home },
  });
  expect(stdout).toContain('environment built');
  await rm(short, { recursive: true });
}, 60_000);
