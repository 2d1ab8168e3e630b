import { readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { CliProject } from '../rig/cli.ts';
import { exists, slowPackage } from '../rig/environment.ts';
import { inTerminal } from '../rig/in-terminal.ts';
import { describeWith, program } from '../rig/requirements.ts';
import { shellProject } from '../rig/shell-project.ts';
import { until } from '../rig/until.ts';

/** The environment is empty but for what is written into requirements.txt: nothing is downloaded. */
async function projectWith(requirements: string, files: Readonly<Record<string, string>> = {}): Promise<CliProject> {
  const project = await shellProject();
  const config = await project.repository.read('.mlops/config.yaml');
  await project.repository.write(
    '.mlops/config.yaml',
    config.replace('environment: none', 'environment: { venv: requirements.txt }'),
  );
  for (const [path, text] of Object.entries(files)) await project.repository.write(path, text);
  await change(project, requirements);
  return project;
}
async function change(project: CliProject, requirements: string): Promise<void> {
  await project.repository.write('requirements.txt', requirements);
  await project.commit('Another environment');
}
const env = (project: CliProject, ...args: string[]) => project.mlops(['env', ...args]);
const keyIn = (list: string, state: string): string =>
  new RegExp(`([0-9a-f]{12}) .*${state}`).exec(list)?.[1] ?? `no ${state} environment in ${list}`;

describeWith(program('python3', 'python3-venv'), 'mlops env, on this machine', () => {
  test('an environment is built before any run, listed, shown, used by the run, and removed', async () => {
    await using project = await projectWith('# of nothing\n');
    expect((await env(project, 'list')).stdout).toMatch(
      /^mlops {2}no environment on this machine.*\n.*is not there yet/,
    );
    expect(await env(project, 'show')).toMatchObject({ code: 1, stderr: expect.stringContaining('mlops env build') });
    expect(await env(project, 'build')).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/building[\s\S]*environment [0-9a-f]{12} on this machine is ready/),
    });
    expect((await env(project, 'build')).stderr).toContain('is there already');
    const { stdout } = await env(project, 'list');
    expect(stdout).toMatch(/1 environment on this machine · \d+ MB · [\d,]+ files/);
    const key = keyIn(stdout, 'ready');
    expect(stdout).toContain(`* ${key}   venv   ready`);
    expect(await env(project, 'show', key.slice(0, 8))).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/made {5}by Python 3\.[\s\S]*packages .*pip==/),
    });
    await project.hold();
    const push = project.start('git', ['push', 'origin', 'main']);
    await project.training(1);
    expect(push.output()).toContain('environment requirements.txt ready');
    expect((await env(project, 'list')).stdout).toMatch(new RegExp(`${key}.*1 run\\n`));
    expect(await env(project, 'rm', key, '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/is used by 1 run not ended: nothing was removed\n.*runs\/[0-9a-f]{64}\/1/),
    });
    await project.release();
    expect(await push.done).toMatchObject({ code: 0, stderr: expect.not.stringContaining('building') });
    // Nobody can be asked here.
    expect(await env(project, 'rm', key)).toMatchObject({ code: 1, stderr: expect.stringContaining('--yes') });
    expect(await env(project, 'rm', key, '--yes')).toMatchObject({ code: 0, stderr: expect.stringContaining('freed') });
    expect(await env(project, 'rm', key, '--yes')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(`there is no environment ${key}`),
    });
  });

  test('what cannot be installed is told in the installer’s words, and its log is kept', async () => {
    await using project = await projectWith('./no-such-folder\n');
    expect(await env(project, 'build')).toMatchObject({ code: 1, stderr: expect.stringContaining('no-such-folder') });
    const { stdout } = await env(project, 'list');
    expect(stdout).toMatch(/\* [0-9a-f]{12} {3}venv {3}failed/);
    expect(await env(project, 'show', keyIn(stdout, 'failed'))).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/asks for requirements: \.\/no-such-folder[\s\S]*said[\s\S]*no-such-folder/),
    });
    await change(project, '# mended\n');
    expect(await env(project, 'build')).toMatchObject({ code: 0 });
  });

  test('a build that is interrupted takes its installer along, is seen as that, and goes on from the start', async () => {
    await using project = await projectWith('./slow\n', slowPackage);
    const gate = join(project.repository.root, 'gate');
    const building = project.start('mlops', ['env', 'build'], { env: { GATE: gate } });
    await until(async () => exists(`${gate}.reached`), 120);
    building.child.kill('SIGINT');
    expect(await building.done).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('stopped before a job was there'),
    });
    const workdir = join(project.repository.home, '.cache/mlops');
    await until(async () => (await readdir(join(workdir, 'tmp'))).length === 0);
    expect((await env(project, 'list')).stdout).toMatch(/\* [0-9a-f]{12} .*interrupted/);
    await writeFile(gate, '');
    expect(await project.mlops(['env', 'build'], { env: { GATE: gate } })).toMatchObject({ code: 0 });
    const [run = ''] = await readdir(join(workdir, 'runs'));
    expect(await readdir(join(workdir, 'runs', run))).toEqual(['keep']);
  });

  test('the lock is what is built from then on, and a specification that moves away from it stops the push', async () => {
    await using project = await projectWith('# of nothing\n');
    const { repository } = project;
    const locked = await env(project, 'lock');
    expect(locked).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(
        /\.mlops\/environment\.lock is written[\s\S]*environment: \{ venv: requirements\.txt, lock:/,
      ),
    });
    expect(await repository.read('.mlops/environment.lock')).toMatch(
      /^# mlops lock 1: Python 3.*\n# made for \{"kind":"venv","requirements":\[\]\}\npip==/,
    );
    const config = await repository.read('.mlops/config.yaml');
    const line = 'environment: { venv: requirements.txt, lock: .mlops/environment.lock }';
    await repository.write('.mlops/config.yaml', config.replace(/^environment: .*$/m, line));
    await project.commit('Lock the environment');
    expect((await env(project, 'lock')).stderr).toMatch(
      /nothing has changed[\s\S]*used by {2}\.mlops\/config\.yaml:\d+/,
    );
    await change(project, 'six\n');
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /asks for something else than when \.mlops\/environment\.lock was made\n +six \(new\)/,
      ),
    });
    expect(await project.trainings()).toBe(0);
    // What is there can be looked at all the same.
    expect((await env(project, 'list')).stdout).toContain('ready');
    await change(project, '# a comment only\n');
    expect(await project.git(['push', 'origin', 'main'])).toMatchObject({ code: 0 });
  });

  test('a shell opens where the run ran, in its environment, and leaves the attempt as it was', async () => {
    await using project = await projectWith('# of nothing\n');
    expect(await env(project, 'shell')).toMatchObject({ code: 1, stderr: expect.stringContaining('mlops run') });
    await project.hold();
    const push = project.start('git', ['push', 'origin', 'main']);
    await project.training(1);
    expect(await env(project, 'shell')).toMatchObject({ code: 1, stderr: expect.stringContaining('would disturb it') });
    await project.release();
    expect(await push.done).toMatchObject({ code: 0 });
    const lines = 'echo "in $PWD with $(command -v python)"; cat "$MLOPS_OUT/metrics.json"; exit 7\n';
    const shell = await inTerminal(project, 'mlops env shell', lines);
    expect(shell).toMatchObject({ code: 7, stdout: expect.stringMatching(/step 1 +sh train\.sh/) });
    expect(shell.stdout).toMatch(
      /\nin \/.*\/runs\/[0-9a-f]{64}\/1\/tree with \/.*\/envs\/[0-9a-f]{24}\/env\/bin\/python\r?\n/,
    );
    expect(shell.stdout).toContain('{"score": 0.9}');
    // Without a terminal: the line to be typed in one, which does the same.
    const line = (await env(project, 'shell')).stdout.trim();
    const typed = await inTerminal(project, line, 'exit 5\n');
    expect(typed).toMatchObject({ code: 5 });
    const left = await readdir(dirname(line.replace(/^sh /, '')));
    expect(left.filter((name) => name.startsWith('shell'))).toEqual(['shell-start.sh', 'shell.env', 'shell.sh']);
    expect(left).toEqual(expect.arrayContaining(['tree', 'out', 'state']));
  });

  test('with `none` there is nothing to build, and that is said', async () => {
    await using project = await shellProject();
    expect(await env(project, 'build')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('there is nothing to build'),
    });
  });
});
