import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { openRunStore, type RunStore } from '../../lib/cluster/run-store.ts';
import { describeWith } from '../rig/requirements.ts';
import { slurmNeeds } from '../rig/slurm.ts';
import { type FakeCommands, fakeCommands } from './fake-commands.ts';
import {
  hasEnded,
  isRunning,
  type JobOptions,
  jobOf,
  statusOf,
  submitTo,
  value,
  whenJob,
} from './scheduler-contract.ts';
import { type SlurmPlace, slurmPlace } from './slurm-place.ts';

describeWith(slurmNeeds, 'what happens to a job on Slurm', () => {
  let commands: FakeCommands;
  let place: SlurmPlace;
  let runs: RunStore;
  beforeAll(async () => {
    commands = await fakeCommands();
    place = await slurmPlace({
      slurm: { minJobAge: 2, conf: ['PreemptType=preempt/partition_prio', 'PreemptMode=REQUEUE', 'SlurmdTimeout=4'] },
      env: { PATH: `${commands.folder}:${process.env.PATH}` },
    });
    runs = openRunStore(place);
  });
  afterEach(() => commands.clear());
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]();
    await commands?.[Symbol.asyncDispose]();
  });
  const submit = async (body: string, options: JobOptions = {}) =>
    jobOf((await submitTo(runs, body, options)).submitted);
  const scontrol = async (...args: string[]) => {
    const done = await place.slurm.run('scontrol', ...args);
    if (done.code !== 0) throw new Error(done.stderr);
  };

  test('a partition that is down is the reason why it waits', async () => {
    const job = await submit('exit 0', { sbatch: ['--partition=down'] });
    const waiting = await whenJob(place.scheduler, job, (it) => it.state === 'queued' && it.reason !== 'None');
    expect(waiting).toEqual({ state: 'queued', reason: 'PartitionDown', partition: 'down', ahead: 0 });
    await place.scheduler.cancel(job);
  });

  test('how many are before it is counted, by priority in its partition', async () => {
    const held = { sbatch: ['--partition=down'] };
    const first = await submit('exit 0', held);
    const second = await submit('exit 0', held);
    expect(await statusOf(place.scheduler, second)).toMatchObject({ state: 'queued', ahead: 1 });
    // Whoever asks again a moment later is told the same count, and the queue is not counted again.
    await place.scheduler.cancel(first);
    expect(await statusOf(place.scheduler, second)).toMatchObject({ ahead: 1 });
    const both = value(await place.scheduler.query([first, second]));
    expect(both.get(second.id)).toMatchObject({ state: 'queued', ahead: 0 });
    // So is it where all that goes on below a folder is asked for.
    const live = async (folder: string) => value(await place.scheduler.live(folder, 'everyone'));
    expect((await live(`${place.workdir}/runs`)).filter(({ job }) => job.id === second.id)).toMatchObject([
      { job: { name: second.name }, user: 'root', status: { state: 'queued', ahead: 0 } },
    ]);
    expect(await live(`${place.workdir}/run`)).toEqual([]);
    for (const job of [first, second]) await place.scheduler.cancel(job);
  });

  test('requeued by an operator it is back in the queue: not ended, not absent', async () => {
    const job = await submit('sleep 600', { sbatch: ['--requeue'] });
    await whenJob(place.scheduler, job, isRunning);
    await scontrol('requeuehold', job.id);
    const back = await whenJob(place.scheduler, job, ({ state }) => state !== 'running');
    expect(back).toMatchObject({ state: 'queued' });
    const held = await whenJob(place.scheduler, job, (it) => it.state === 'queued' && /held/i.test(it.reason));
    expect(held).toMatchObject({ state: 'queued' });
    expect(value(await place.scheduler.cancel(job))).toMatchObject({ state: 'ended', how: 'cancelled' });
  });

  test('given another name while it runs, it is the same job: not absent, and it can be cancelled', async () => {
    const job = await submit('sleep 600');
    await whenJob(place.scheduler, job, isRunning);
    await scontrol('update', `JobId=${job.id}`, 'JobName=theirs');
    expect(await statusOf(place.scheduler, job)).toMatchObject({ state: 'running' });
    expect(value(await place.scheduler.cancel(job))).toMatchObject({ state: 'ended', how: 'cancelled' });
  });

  test('its node fails: it has ended, and that is the reason', async () => {
    const job = await submit('sleep 600');
    const running = await whenJob(place.scheduler, job, isRunning);
    const node = running.state === 'running' ? running.node : '';
    // It comes back by itself when its slurmd reports (ReturnToService=2).
    await scontrol('update', `nodename=${node}`, 'state=down', 'reason=test');
    expect(await whenJob(place.scheduler, job, hasEnded)).toMatchObject({ how: 'node-failed', word: 'NODE_FAIL' });
  });

  test('the controller is down: nothing is known, and that is no absence', async () => {
    const job = await submit('sleep 600');
    await whenJob(place.scheduler, job, isRunning);
    await place.slurm.stop('slurmctld');
    const asked = await place.scheduler.query([job]);
    const found = await place.scheduler.find(job.name);
    const cancelled = await place.scheduler.cancel(job);
    await place.slurm.start('slurmctld');
    const error = {
      reason: 'scheduler',
      command: 'squeue',
      code: 1,
      stderr: expect.stringContaining('Unable to contact'),
    };
    expect(asked).toMatchObject({ ok: false, error });
    expect(found).toMatchObject({ ok: false, error });
    expect(cancelled).toMatchObject({ ok: false, error: { reason: 'scheduler' } });
    expect(await whenJob(place.scheduler, job, ({ state }) => state !== 'absent')).toMatchObject({ state: 'running' });
    await place.scheduler.cancel(job);
  });

  test('forgotten by the controller while accounting is down: nothing is known, and that is no absence', async () => {
    const job = await submit('exit 0');
    await whenJob(place.scheduler, job, hasEnded);
    await place.slurm.stop('slurmdbd');
    const answers: unknown[] = [];
    // slurmctld forgets what ended two seconds ago when it next looks, after half a minute at the latest.
    for (let tries = 0; tries < 60; tries++) {
      const asked = await place.scheduler.query([job]);
      answers.push(asked.ok ? asked.value.get(job.id)?.state : asked.error.reason);
      if (!asked.ok) break;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    await place.slurm.start('slurmdbd');
    expect(new Set(answers.slice(0, -1))).toEqual(new Set(['ended']));
    expect(answers.at(-1)).toBe('scheduler');
    expect(await whenJob(place.scheduler, job, hasEnded)).toMatchObject({ how: 'completed' });
  });

  test('in a state that is in no table it is unknown, by that word', async () => {
    const job = await submit('sleep 600');
    await commands.put('squeue', `"$real" "$@" | sed 's/|PENDING|/|HIBERNATING|/;s/|RUNNING|/|HIBERNATING|/'`);
    expect(await statusOf(place.scheduler, job)).toEqual({ state: 'unknown', word: 'HIBERNATING' });
    await commands.clear();
    await place.scheduler.cancel(job);
  });

  test('commands that talk before they answer are understood', async () => {
    const job = await submit('exit 3');
    await whenJob(place.scheduler, job, hasEnded);
    for (const name of ['squeue', 'sacct', 'scontrol', 'scancel']) {
      await commands.put(name, 'echo "Maintenance on Friday!"', 'echo "quota: 98 %" >&2', '"$real" "$@"');
    }
    expect(await statusOf(place.scheduler, job)).toMatchObject({ state: 'ended', how: 'failed', exitCode: 3 });
    const waiting = await submit('sleep 600');
    expect(value(await place.scheduler.find(waiting.name))).toMatchObject([{ id: waiting.id }]);
    expect(value(await place.scheduler.cancel(waiting))).toMatchObject({ how: 'cancelled' });
  });

  test('what the scheduler has learned about the site is told', async () => {
    expect(place.scheduler.facts()).toEqual({
      accounting: true,
      privateJobs: false,
      version: expect.stringMatching(/^\d+\.\d+/),
      minJobAge: 2,
      preemptMode: 'REQUEUE',
    });
  });
});
