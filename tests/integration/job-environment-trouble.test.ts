import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { venvScene } from '../rig/environment.ts';
import { type Scene, Workdir } from '../rig/job.ts';
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
