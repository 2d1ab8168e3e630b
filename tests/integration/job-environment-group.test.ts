import { execFileSync } from 'node:child_process';
import { chmod, chown, copyFile, mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { venv, venvScene } from '../rig/environment.ts';
import { runStep, type Scene, Workdir } from '../rig/job.ts';
import { describeWith, program } from '../rig/requirements.ts';

/** Two users without names, in one group: what matters to a group is whose file it is. */
describeWith(['root', program('python3', 'python3-venv')], 'an environment in a folder that a group shares', () => {
  const gid = 61_700;
  const [ada, ben] = [
    { uid: 61_701, gid },
    { uid: 61_702, gid },
  ];
  let workdir: Workdir;
  beforeAll(async () => {
    workdir = await Workdir.make();
    for (const { uid } of [ada, ben]) {
      await mkdir(homeOf(uid), { mode: 0o700 });
      await chown(homeOf(uid), uid, gid);
    }
  });
  afterAll(async () => workdir[Symbol.asyncDispose]());
  const homeOf = (uid: number) => join(workdir.folder, '..', `home-${uid}`);
  const folderOf = (key: string | undefined) => join(workdir.folder, 'envs', key ?? 'none');

  const scene = (user: Scene['user'] & object, requirements: string, more: Partial<Scene> = {}): Scene =>
    venvScene(requirements, '', {
      ...more,
      user,
      env: { HOME: homeOf(user.uid), ...more.env },
      config: {
        environment: venv,
        cluster: {
          workdir: workdir.folder,
          group: 'lab',
          modules: [],
          slurm: {},
          transport: 'auto',
          requireMaster: false,
        },
        // Another line for each: it is another run on the same environment.
        steps: [runStep(`echo ${user.uid}; python -c 'import sys; print("prefix", sys.prefix)'`)],
      },
    });
  const prefixOf = ({ log }: { readonly log: string }) => /^prefix (.+)$/m.exec(log)?.[1];

  test('is used by a colleague of its builder, whatever the builder’s umask, and each has downloads of its own', async () => {
    const first = await workdir.run(scene(ada, '# shared\n'));
    expect(first.result.steps).toMatchObject([{ outcome: 'passed' }]);
    const folder = folderOf(first.plan.environmentKey);
    const closed = execFileSync('find', [
      folder,
      '!',
      '-type',
      'l',
      '(',
      '!',
      '-perm',
      '-g=rw',
      '-o',
      '!',
      '-group',
      `${gid}`,
      ')',
    ]);
    expect(closed.toString()).toBe('');
    const built = await readFile(join(folder, 'complete'), 'utf8');
    const second = await workdir.run(scene(ben, '# shared\n'));
    expect(second.result.steps).toMatchObject([{ outcome: 'passed' }]);
    expect(second.log).not.toContain('environment built');
    expect(prefixOf(second)).toBe(join(folder, 'env'));
    expect(await readFile(join(folder, 'complete'), 'utf8')).toBe(built);
    expect((await readdir(join(workdir.folder, 'cache'))).sort()).toEqual([`${ada.uid}`, `${ben.uid}`]);
  }, 120_000);

  test('that a colleague has left half built, with folders that are closed, is built anew', async () => {
    const prepared = await workdir.prepare(scene(ada, '# half\n'));
    const folder = folderOf(prepared.plan.environmentKey);
    await mkdir(join(folder, 'env/lib/closed'), { recursive: true });
    await writeFile(join(folder, 'env/lib/closed/file'), '');
    execFileSync('chown', ['-R', `${ada.uid}:${gid}`, folder]);
    execFileSync('chmod', ['2770', join(workdir.folder, 'envs'), folder, join(folder, 'env'), join(folder, 'env/lib')]);
    await chmod(join(folder, 'env/lib/closed'), 0o700);
    const second = await workdir.run(scene(ben, '# half\n'));
    expect(second.result.steps).toMatchObject([{ outcome: 'passed' }]);
    expect(prefixOf(second)).toBe(join(folder, 'env'));
    expect(await readdir(join(folder, 'env/lib'))).not.toContain('closed');
    // What cannot be removed is out of the way, where its owner's gc finds it.
    expect((await readdir(join(workdir.folder, 'tmp'))).filter((name) => name.startsWith('GONE-env-'))).toHaveLength(1);
  }, 120_000);

  test('whose builder, a colleague, gives no sign of life is taken over, with what is half built', async () => {
    const own = scene(ben, '# silent\n');
    const { plan } = await workdir.prepare(own);
    const folder = folderOf(plan.environmentKey);
    await mkdir(join(folder, 'env/half'), { recursive: true });
    await mkdir(join(folder, 'lock'));
    await writeFile(join(folder, 'lock/owner'), `${ada.uid} another-node 1 none 1 pid:[1]\n`);
    await writeFile(join(folder, 'lock/beat'), '7\n');
    execFileSync('chown', ['-R', `${ada.uid}:${gid}`, folder]);
    execFileSync('find', [folder, '-type', 'd', '-exec', 'chmod', '2770', '{}', '+']);
    execFileSync('find', [folder, '-type', 'f', '-exec', 'chmod', '660', '{}', '+']);
    // Silence is counted by the sleeps in between: here they are short.
    const tools = join(homeOf(ben.uid), 'short sleeps');
    await mkdir(tools);
    await writeFile(join(tools, 'sleep'), '#!/bin/sh\nexec /bin/sleep "0.$1"\n', { mode: 0o755 });
    execFileSync('chown', ['-R', `${ben.uid}:${gid}`, tools]);
    const { result, log } = await workdir.run({ ...own, path: tools });
    expect(result.steps).toMatchObject([{ outcome: 'passed' }]);
    expect(log).toContain(`the builder (${ada.uid} another-node 1 none 1 pid:[1]) is gone: taking over`);
    const left = await readdir(folder);
    expect(left.filter((name) => /^(?:stale|lock$)/.test(name))).toEqual([]);
    expect(await readdir(join(folder, 'env'))).not.toContain('half');
  }, 120_000);

  test('on a Python that is closed to the colleague is left alone: the colleague gets another one', async () => {
    const bin = join(homeOf(ada.uid), 'python/bin');
    await mkdir(bin, { recursive: true });
    // A copy, because a link would be looked through.
    const program = 'import os, sys; print(os.path.realpath(sys.executable), end="")';
    const python = execFileSync('python3', ['-c', program], { ...ada, cwd: '/', env: { PATH: process.env.PATH } });
    await copyFile(python.toString(), join(bin, 'python3'));
    execFileSync('chown', ['-R', `${ada.uid}:${gid}`, homeOf(ada.uid)]);
    const own = scene(ada, '# own\n', { path: bin });
    const first = await workdir.run(own);
    expect(first.result.steps).toMatchObject([{ outcome: 'passed' }]);
    const folder = folderOf(first.plan.environmentKey);
    const before = await stat(join(folder, 'env/pyvenv.cfg'));
    const second = await workdir.run(scene(ben, '# own\n'));
    expect(second.result.steps).toMatchObject([{ outcome: 'passed' }]);
    expect(second.log).toContain('only another member of the group can start');
    expect(prefixOf(second)).toBe(join(`${folder}.${ben.uid}`, 'env'));
    expect((await stat(join(folder, 'env/pyvenv.cfg'))).ino).toBe(before.ino);
    const again = await workdir.run(own);
    expect(again.log).not.toContain('environment built');
    expect(prefixOf(again)).toBe(join(folder, 'env'));
  }, 120_000);
});
