import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { venv, venvScene } from '../rig/environment.ts';
import { ended, runStep, type Scene, Workdir } from '../rig/job.ts';
import { describeWith, program } from '../rig/requirements.ts';
import { until } from '../rig/until.ts';

let workdir: Workdir;
let disk: string;
beforeAll(async () => {
  workdir = await Workdir.make();
  disk = await mkdtemp(join(tmpdir(), 'mlops node disk '));
});
afterAll(async () => {
  await workdir[Symbol.asyncDispose]();
  await rm(disk, { recursive: true, force: true });
});

const packed = { ...venv, packed: true } as typeof venv;
const scene = (line: string, more: Partial<Scene> = {}): Scene =>
  venvScene('# nothing\n', line, {
    ...more,
    env: { SLURM_TMPDIR: disk, ...more.env },
    config: { environment: packed, steps: [runStep(line)], ...more.config },
  });
const environmentOf = (key: string | undefined) => join(workdir.folder, 'envs', key ?? 'none');
/** A PATH without that program. */
const without = async (name: string) => {
  const bin = join(workdir.folder, `no ${name}`);
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, name), '#!/bin/sh\necho "unshare failed: Operation not permitted" >&2\nexit 1\n');
  await chmod(join(bin, name), 0o755);
  return bin;
};

describeWith(program('unshare', 'util-linux'), 'an environment that is packed', () => {
  test('is one file beside an empty folder; a step and what it starts see it at its path, from the disk of the node', async () => {
    const child =
      'import subprocess, sys; subprocess.run([sys.executable, "-c", "import pip, sys; print(sys.prefix)"], check=True)';
    const { result, log, plan } = await workdir.run(scene(`python -c '${child}'`));
    expect(result.preparation).toBeUndefined();
    expect(result.steps).toMatchObject([{ outcome: 'passed' }]);
    expect(result.findings).toEqual([]);
    const environment = environmentOf(plan.environmentKey);
    expect(log).toContain(`${environment}/env\n`);
    expect(await readdir(join(environment, 'env'))).toEqual([]);
    expect((await readdir(environment)).filter((name) => name.startsWith('env.tar.'))).toHaveLength(1);
    expect(await readFile(join(environment, 'size'), 'utf8')).toMatch(/^\d{6,} 1\n$/);
    expect(await readdir(disk)).toEqual([]);
  }, 120_000);

  test('where a node allows no namespaces is unpacked in its place, and the report says so', async () => {
    const path = await without('unshare');
    const first = await workdir.run(scene('python -c "import pip"', { path }));
    expect(first.result.steps).toMatchObject([{ outcome: 'passed' }]);
    expect(first.result.findings).toMatchObject([
      { name: 'environment-unpacked', severity: 'warn', detail: expect.stringContaining('Operation not permitted') },
    ]);
    const environment = environmentOf(first.plan.environmentKey);
    const python = join(environment, 'env/pyvenv.cfg');
    const before = (await stat(python)).ctimeMs;
    expect((await readdir(environment)).filter((name) => name.startsWith('unpacking'))).toEqual([]);
    // The next one there finds it.
    const second = await workdir.run(scene('python -c "import pip; print(2)"', { path }));
    expect(second.result.steps).toMatchObject([{ outcome: 'passed' }]);
    expect((await stat(python)).ctimeMs).toBe(before);
    expect(await readdir(disk)).toEqual([]);
  }, 60_000);

  test('whose archive was cut is built anew', async () => {
    const one = scene('python -c "import pip; print(3)"');
    const { plan } = await workdir.prepare(one);
    const environment = environmentOf(plan.environmentKey);
    const [archive = ''] = (await readdir(environment)).filter((name) => name.startsWith('env.tar.'));
    await truncate(join(environment, archive), 1000);
    const { result, log } = await workdir.run(one);
    expect(log).toMatch(/has lost its archive[\s\S]*environment built/);
    expect(result.steps).toMatchObject([{ outcome: 'passed' }]);
  }, 60_000);

  test('leaves nothing on the node, and what a killed job left there goes with the next', async () => {
    const one = scene('exec sleep 300');
    const { folder } = await workdir.prepare(one);
    const child = await workdir.start(folder, one);
    const copies = async () => (await readdir(disk)).filter((name) => name.startsWith('mlops-'));
    await until(
      async () => (await readFile(join(folder, 'state/now'), 'utf8').catch(() => '')).startsWith('step 1'),
      60,
    );
    expect(await copies()).toHaveLength(1);
    process.kill(-(child.pid ?? 0), 'SIGKILL');
    await ended(child);
    expect(await copies()).toHaveLength(1);
    await workdir.run(scene('true'));
    expect(await copies()).toEqual([]);
  }, 60_000);

  (process.getuid?.() === 0 ? test : test.skip)(
    'gives a step of an ordinary user no more rights than it has outside: read-only data stays as it is',
    async () => {
      await using shared = await Workdir.make();
      const user = { uid: 61_703, gid: 61_700 };
      await chown(shared.home, user.uid, user.gid);
      await chmod(disk, 0o777);
      const line =
        'printf a >data; chmod 444 data; if (printf b >data) 2>/dev/null; then echo "written"; fi; python -c "import os, sys; print(os.getuid(), open(\\"data\\").read(), sys.prefix)"';
      const { log, result, plan } = await shared.run(
        scene(line, {
          user,

          config: {
            environment: packed,
            steps: [runStep(line)],
            cluster: {
              workdir: shared.folder,
              group: 'lab',
              modules: [],
              slurm: {},
              transport: 'auto',
              requireMaster: false,
            },
          },
        }),
      );
      expect(result.findings).toEqual([]);
      expect(log).toContain(`61703 a ${shared.folder}/envs/${plan.environmentKey}/env\n`);
      expect(log).not.toContain('written');
    },
    60_000,
  );
});
