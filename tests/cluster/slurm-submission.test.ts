import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import { openLocalHost } from '../../lib/cluster/local-host.ts';
import { openRunStore, type RunStore } from '../../lib/cluster/run-store.ts';
import { slurmScheduler } from '../../lib/cluster/slurm-scheduler.ts';
import { describeWith } from '../rig/requirements.ts';
import { slurmNeeds } from '../rig/slurm.ts';
import { until } from '../rig/until.ts';
import { type FakeCommands, fakeCommands } from './fake-commands.ts';
import { freshFingerprint, hasEnded, type JobOptions, jobOf, submitTo, value, whenJob } from './scheduler-contract.ts';
import { connect, type SlurmPlace, slurmPlace } from './slurm-place.ts';

let commands: FakeCommands;
let place: SlurmPlace;
let runs: RunStore;

/** Ids of all jobs of that name that Slurm knows, ended ones too. */
async function jobsCalled(name: string): Promise<string[]> {
  const { stdout } = await place.slurm.run('squeue', '-h', '-t', 'all', '-n', name, '-o', '%A');
  return stdout.split('\n').filter((line) => line !== '');
}
const submit = (body = 'exit 0', options: JobOptions = {}) => submitTo(runs, body, options);
const state = (fingerprint: ReturnType<typeof freshFingerprint>, file: string) =>
  join(runs.folder(fingerprint, 1), 'state', file);
const only = async (fingerprint: ReturnType<typeof freshFingerprint>) => {
  const attempts = value(await runs.look(fingerprint));
  expect(attempts).toHaveLength(1);
  return attempts[0];
};
/** As if it had been so long ago that the submitter last gave a sign of life. */
const silentFor = (fingerprint: ReturnType<typeof freshFingerprint>, seconds: number) =>
  writeFileSync(state(fingerprint, 'claimed'), `${Math.floor(Date.now() / 1000) - seconds}\n`);

describeWith(slurmNeeds, 'a submission to Slurm', () => {
  beforeAll(async () => {
    commands = await fakeCommands();
    const env = { PATH: `${commands.folder}:${process.env.PATH}` };
    place = await slurmPlace({ slurm: { accounting: false }, env });
    runs = openRunStore(place);
  });
  afterEach(() => commands.clear());
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]();
    await commands?.[Symbol.asyncDispose]();
  });

  test('that Slurm refuses brings its own words, and leaves no attempt', async () => {
    const { submitted, fingerprint } = await submit('exit 0', { sbatch: ['--partition=nowhere'] });
    expect(submitted).toMatchObject({ ok: false, error: { reason: 'refused', scheduler: 'slurm', code: 1 } });
    expect(!submitted.ok && submitted.error.reason === 'refused' && submitted.error.stderr).toBe(
      'sbatch: error: invalid partition specified: nowhere\n' +
        'sbatch: error: Batch job submission failed: Invalid partition name specified',
    );
    expect(value(await runs.look(fingerprint))).toEqual([]);
    expect(await runs.settle(fingerprint, 1)).toEqual({ ok: true, value: { kind: 'gone' } });
  });

  test('of a run that waits for the job that builds takes that back where Slurm refuses the run', async () => {
    const build = '#!/bin/sh\nexec sleep 300\n';
    const { submitted, fingerprint } = await submit('exit 0', { sbatch: ['--partition=nowhere'], build });
    expect(submitted).toMatchObject({ ok: false, error: { reason: 'refused', code: 1 } });
    expect(!submitted.ok && submitted.error.reason === 'refused' && submitted.error.stderr).toMatch(
      /^sbatch: error: invalid partition specified: nowhere\n/,
    );
    expect(value(await runs.look(fingerprint))).toEqual([]);
    const name = `${runs.jobName(fingerprint, 1)}.build`;
    expect(await jobsCalled(name)).toHaveLength(1);
    await until(async () => (await place.slurm.run('squeue', '-h', '-n', name)).stdout === '');
  });

  test('of a run that waits for the job that builds ends both when it is cancelled', async () => {
    const { submitted, fingerprint } = await submit('exit 0', { build: '#!/bin/sh\nexec sleep 300\n' });
    const name = `${runs.jobName(fingerprint, 1)}.build`;
    expect(await jobsCalled(name)).toHaveLength(1);
    expect(await place.scheduler.cancel(jobOf(submitted))).toMatchObject({ ok: true, value: { how: 'cancelled' } });
    await until(async () => (await place.slurm.run('squeue', '-h', '-n', name)).stdout === '');
  });

  test('where there is no sbatch is refused in the shell’s words', async () => {
    await commands.put('sbatch', 'echo "sh: 1: sbatch: not found" >&2', 'exit 127');
    expect((await submit()).submitted).toMatchObject({
      ok: false,
      error: { reason: 'refused', code: 127, stderr: expect.stringContaining('sbatch: not found') },
    });
  });

  test('through a wrapper that talks on both streams gives the job’s id', async () => {
    await commands.put(
      'sbatch',
      'echo "Quota: 12 of 100 h"',
      'echo "2024 was fine" >&2',
      '"$real" "$@"',
      'echo bye >&2',
    );
    const { submitted } = await submit();
    const job = jobOf(submitted);
    expect(await jobsCalled(job.name)).toEqual([job.id]);
  });

  test('that a wrapper refuses on standard output is refused in its words', async () => {
    await commands.put('sbatch', 'echo "Your project has ended."', 'exit 1');
    expect((await submit()).submitted).toMatchObject({
      ok: false,
      error: { reason: 'refused', code: 1, stderr: 'Your project has ended.' },
    });
  });

  test('takes no option from the profile of the user where the job’s script has its own', async () => {
    await commands.put('sbatch', 'env | grep "^SBATCH_" | sort >"$(dirname "$0")/seen"', '"$real" "$@"');
    const SBATCH = { SBATCH_TIMELIMIT: '1', SBATCH_WAIT: '1', SBATCH_ARRAY_INX: '1-3', SBATCH_ACCOUNT: 'mine' };
    const PATH = `${commands.folder}:${process.env.PATH}`;
    const host = openLocalHost({ ...process.env, ...place.slurm.env, ...SBATCH, PATH });
    const theirs = openRunStore({ host, scheduler: slurmScheduler(host), workdir: place.workdir });
    jobOf((await submitTo(theirs, 'exit 0')).submitted);
    expect(readFileSync(join(commands.folder, 'seen'), 'utf8')).toBe('SBATCH_ACCOUNT=mine\n');
    await host.close();
  });

  test('of which nobody knows whether it was accepted is ambiguous, and its job is found by its name', async () => {
    await commands.put(
      'sbatch',
      '"$real" "$@" >/dev/null',
      'echo "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation" >&2',
      'exit 1',
    );
    const { submitted, fingerprint } = await submit('sleep 600');
    expect(submitted).toMatchObject({
      ok: false,
      error: { reason: 'ambiguous', detail: expect.stringContaining('Socket timed out') },
    });
    expect(await only(fingerprint)).not.toHaveProperty('job');
    const name = runs.jobName(fingerprint, 1);
    const settled = value(await runs.settle(fingerprint, 1));
    expect(settled).toMatchObject({ kind: 'job', job: { name } });
    expect([settled.kind === 'job' && settled.job.id]).toEqual(await jobsCalled(name));
    // The next who looks sees it at once.
    expect(await only(fingerprint)).toMatchObject(settled.kind === 'job' ? { job: settled.job } : {});
  });

  test('that is killed after sbatch and before it could be written down is found by the next client, and taken over once', async () => {
    await commands.put('sbatch', '"$real" "$@" >/dev/null', 'kill -KILL 0');
    const { submitted, fingerprint } = await submit('sleep 600');
    expect(submitted).toMatchObject({ ok: false, error: { reason: 'ambiguous' } });
    expect(await only(fingerprint)).not.toHaveProperty('job');
    const both = await Promise.all([runs.settle(fingerprint, 1), runs.settle(fingerprint, 1)]);
    const [first, second] = both.map(value);
    expect(first).toMatchObject({ kind: 'job' });
    expect(second).toEqual(first);
    expect(await jobsCalled(runs.jobName(fingerprint, 1))).toHaveLength(1);
  });

  test('that is killed before sbatch is given up when it has been silent for long', async () => {
    await commands.put('sbatch', 'kill -KILL 0');
    const { fingerprint } = await submit();
    expect(value(await runs.settle(fingerprint, 1))).toMatchObject({ kind: 'pending' });
    silentFor(fingerprint, 31);
    expect(value(await runs.settle(fingerprint, 1))).toEqual({ kind: 'gone' });
    expect(await only(fingerprint)).toMatchObject({ abandoned: true });
    expect(value(await runs.settle(fingerprint, 1))).toEqual({ kind: 'gone' });
  });

  test('whose sender stalls for long and comes back is not made after it was given up', async () => {
    const fingerprint = freshFingerprint();
    // mkdir is the first thing that a submission does: the one here is of a client that stalls right after it.
    await commands.put(
      'mkdir',
      '"$real" "$@" || exit',
      'case $1 in */state) echo ok >"$1/../stalled"; sleep 2 ;; esac',
    );
    const sending = submitTo(runs, 'exit 0', { fingerprint });
    await until(() => existsSync(join(runs.folder(fingerprint, 1), 'stalled')));
    expect(await runs.abandon(fingerprint, 1)).toEqual({ ok: true, value: 'abandoned' });
    expect((await sending).submitted).toEqual({ ok: true, value: { kind: 'claimed' } });
    expect(await jobsCalled(runs.jobName(fingerprint, 1))).toEqual([]);
  });

  test('is not given up while Slurm does not answer', async () => {
    await commands.put('sbatch', 'kill -KILL 0');
    const { fingerprint } = await submit();
    silentFor(fingerprint, 1000);
    await commands.put('squeue', 'echo "slurm_load_jobs error: Unable to contact slurm controller" >&2', 'exit 1');
    expect(await runs.settle(fingerprint, 1)).toMatchObject({
      ok: false,
      error: { reason: 'scheduler', command: 'squeue', stderr: expect.stringContaining('Unable to contact') },
    });
    expect(await only(fingerprint)).toMatchObject({ abandoned: false });
  });

  test('is not given up when its job has begun: the job says so itself', async () => {
    await commands.put('sbatch', 'kill -KILL 0');
    const { fingerprint } = await submit();
    silentFor(fingerprint, 1000);
    writeFileSync(state(fingerprint, 'begun'), 'job=4711 restart=0 at=1700000000\n');
    const job = { id: '4711', name: runs.jobName(fingerprint, 1), submittedAt: expect.any(Number) };
    expect(await runs.abandon(fingerprint, 1)).toEqual({ ok: true, value: 'begun' });
    expect(value(await runs.settle(fingerprint, 1))).toEqual({ kind: 'job', job });
    expect(await only(fingerprint)).toMatchObject({ job });
  });

  test('of a client that has only just made the folder is pending', async () => {
    const fingerprint = freshFingerprint();
    await mkdir(runs.folder(fingerprint, 1), { recursive: true });
    expect(value(await runs.settle(fingerprint, 1))).toEqual({ kind: 'pending', silentSeconds: 0 });
  });

  test('in a folder that cannot be written says so and claims nothing', async () => {
    await commands.put('date', 'exit 1');
    const { submitted, fingerprint } = await submit();
    expect(submitted).toMatchObject({ ok: false, error: { reason: 'folder' } });
    expect(value(await runs.look(fingerprint))).toEqual([]);
  });

  test('ends well for a job that ends before anyone looks', async () => {
    const job = jobOf((await submit()).submitted);
    expect(await whenJob(place.scheduler, job, hasEnded)).toMatchObject({ how: 'completed' });
  });
});

describeWith([...slurmNeeds, 'sshd'], 'a submission over SSH', () => {
  test('is finished and written down when the connection is cut in the middle of it', async () => {
    await using slow = await fakeCommands();
    // PATH is of the login shell, as a site's profile sets it.
    const account = { home: { '.profile': `PATH=${slow.folder}:$PATH\n` } };
    await slow.put('sbatch', 'echo now >"$HOME/called"', 'sleep 2', '"$real" "$@"');
    await using at = await slurmPlace({ slurm: { accounting: false }, sshd: { account } });
    const { sshd } = at;
    if (sshd === undefined) throw new Error('no sshd');
    const sending = submitTo(openRunStore(at), 'sleep 600');
    await until(() => existsSync(join(sshd.home, 'called')));
    expect(await sshd.killConnections()).toBeGreaterThan(0);
    const { fingerprint, submitted } = await sending;
    expect(submitted).toMatchObject({ ok: false, error: { reason: 'ambiguous' } });

    const host = await connect(sshd);
    const again = openRunStore({
      ...at,
      host,
      scheduler: slurmScheduler(host),
    });
    await until(async () => value(await again.look(fingerprint))[0]?.job !== undefined);
    const settled = value(await again.settle(fingerprint, 1));
    const name = again.jobName(fingerprint, 1);
    const { stdout } = await at.slurm.run('squeue', '-h', '-t', 'all', '-n', name, '-o', '%A');
    expect(settled).toMatchObject({ kind: 'job', job: { id: stdout.trim(), name } });
    await host.close();
  });
});
