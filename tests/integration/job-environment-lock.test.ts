import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { exists, slowPackage, venvScene } from '../rig/environment.ts';
import { collect, ended, runStep, Workdir } from '../rig/job.ts';
import { until } from '../rig/until.ts';

let workdir: Workdir;
beforeAll(async () => {
  workdir = await Workdir.make();
});
afterAll(async () => workdir[Symbol.asyncDispose]());
const folderOf = (key: string | undefined) => join(workdir.folder, 'envs', key ?? 'none');

/** Two jobs that want one environment, whose installation waits for `open`. */
const slowScene = (comment: string, gate: string, line = 'true') =>
  venvScene(`# ${comment}\n./slow\n`, line, { files: slowPackage, env: { GATE: gate } });

describe('one builder at a time', () => {
  test('a builder that was taken over while it was suspended leaves the other’s environment alone, and waits', async () => {
    const gate = join(workdir.folder, 'gate-lost');
    const one = slowScene('lost', gate);
    const { folder, plan } = await workdir.prepare(one);
    const environment = folderOf(plan.environmentKey);
    const child = await workdir.start(folder, one);
    const end = ended(child);
    await until(() => exists(`${gate}.reached`));
    // What another job does after 60 s without a beat.
    await writeFile(join(environment, 'lock/owner'), '1 another-node 1 none 1 pid:[1]\n');
    await writeFile(join(environment, 'env/theirs'), '');
    const log = () => readFile(join(folder, 'log'), 'utf8');
    await until(async () => (await log()).includes('another builder has taken over: waiting for it'));
    expect(await exists(join(environment, 'env/theirs'))).toBe(true);
    expect(await exists(join(environment, 'failed.log'))).toBe(false);
    await writeFile(gate, '');
    await rm(join(environment, 'lock'), { recursive: true });
    const { result } = await collect(folder, plan, await end);
    expect(result.steps).toMatchObject([{ outcome: 'passed' }]);
    expect(await exists(join(environment, 'env/theirs'))).toBe(false);
  }, 120_000);

  test('those that wait for a build that fails fail with it, in the same words, and do not try one after the other', async () => {
    const gate = join(workdir.folder, 'gate-shared');
    const builder = slowScene('shared', gate, 'echo builder');
    const waiter = slowScene('shared', gate, 'echo waiter');
    const [first, second] = [await workdir.prepare(builder), await workdir.prepare(waiter)];
    const building = ended(await workdir.start(first.folder, builder));
    await until(() => exists(`${gate}.reached`));
    const waiting = ended(await workdir.start(second.folder, waiter));
    await until(async () =>
      (await readFile(join(second.folder, 'state/now'), 'utf8').catch(() => '')).startsWith(
        'environment is being built by another job',
      ),
    );
    await writeFile(gate, 'two packages of mlops contradict each other');
    const one = await collect(first.folder, first.plan, await building);
    const two = await collect(second.folder, second.plan, await waiting);
    expect(one.result.preparation?.detail).toContain('two packages of mlops contradict each other');
    expect(two.result.preparation?.detail).toMatch(
      /^the job that built the environment, and that this one waited for, could not:.*two packages of mlops contradict/s,
    );
    expect(two.log).not.toContain('environment: starting');
  }, 120_000);

  test('a builder that is cancelled takes its installation along and leaves no lock', async () => {
    const gate = join(workdir.folder, 'gate-cancelled');
    const one = slowScene('cancelled', gate);
    const { folder, plan } = await workdir.prepare(one);
    const child = await workdir.start(folder, one);
    const end = ended(child);
    await until(() => exists(`${gate}.reached`));
    process.kill(child.pid ?? 0, 'SIGTERM');
    expect(await end).toBe(143);
    expect(await readdir(folderOf(plan.environmentKey))).not.toContain('lock');
    await writeFile(gate, '');
    expect((await workdir.run(one)).result.steps).toMatchObject([{ outcome: 'passed' }]);
  }, 120_000);

  test('a builder of another node that gives no sign of life for 60 s is taken over, by one of those that wait', async () => {
    const scenes = ['echo one', 'echo two'].map((line) => venvScene('# silent\n', line));
    const { plan } = await workdir.prepare(scenes[0] ?? venvScene(''));
    const lock = join(folderOf(plan.environmentKey), 'lock');
    await mkdir(lock, { recursive: true });
    await writeFile(join(lock, 'owner'), '0 another-node 1 none 1 pid:[1]\n');
    await writeFile(join(lock, 'beat'), '7\n');
    // Seconds are counted by the sleeps in between: here all of them are short, also those between two beats of a living builder.
    const tools = join(workdir.folder, 'short sleeps');
    await mkdir(tools);
    await writeFile(join(tools, 'sleep'), '#!/bin/sh\nexec /bin/sleep "0.$1"\n');
    await chmod(join(tools, 'sleep'), 0o755);
    const outcomes = await Promise.all(scenes.map((one) => workdir.run({ ...one, path: tools })));
    expect(outcomes.map(({ result }) => result.steps[0]?.outcome)).toEqual(['passed', 'passed']);
    expect(outcomes.filter(({ log }) => log.includes('environment built'))).toHaveLength(1);
    expect(outcomes.map(({ log }) => log).join('')).toContain(
      'the builder (0 another-node 1 none 1 pid:[1]) is gone: taking over',
    );
    const left = await readdir(folderOf(plan.environmentKey));
    expect(left.filter((name) => /^(?:stale|lock$)/.test(name))).toEqual([]);
  }, 120_000);

  test('a lock that cannot be made is an error, not a wait without an end', async () => {
    const one = venvScene('# no lock\n');
    const { plan } = await workdir.prepare(one);
    await mkdir(folderOf(plan.environmentKey), { recursive: true });
    await writeFile(join(folderOf(plan.environmentKey), 'lock'), '');
    const { result } = await workdir.run(one);
    expect(result.preparation).toMatchObject({
      side: 'infrastructure',
      reason: 'environment',
      detail: expect.stringMatching(/^the environment's lock could not be made:\n.*File exists/),
    });
  });
});

test('nodes of another processor get an environment of their own', async () => {
  const tools = join(workdir.folder, 'other processor');
  await mkdir(tools);
  await writeFile(join(tools, 'uname'), '#!/bin/sh\n[ "$1" = -m ] || exec /usr/bin/uname "$@"\necho aarch64\n');
  await chmod(join(tools, 'uname'), 0o755);
  const one = venvScene('# processors\n', '', {
    config: { steps: [runStep('case $VIRTUAL_ENV in *.aarch64/env) ;; *) exit 1 ;; esac')] },
  });
  const { result, plan } = await workdir.run({ ...one, path: tools });
  expect(result.steps).toMatchObject([{ outcome: 'passed' }]);
  expect(await readFile(join(`${folderOf(plan.environmentKey)}.aarch64`, 'complete'), 'utf8')).toMatch(
    /^version=1\nkind=venv\nplatform=aarch64\nmanager=.*python3\nmanager_version=Python 3/,
  );
  expect(await exists(folderOf(plan.environmentKey))).toBe(false);
});
