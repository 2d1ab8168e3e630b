import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { asFingerprint, asJobId } from '../../lib/base/ids.ts';
import type { Host } from '../../lib/cluster/host.ts';
import { openRunStore, type RunStore, type SubmitError, type Submitted } from '../../lib/cluster/run-store.ts';
import type { JobRef, JobStatus, Scheduler } from '../../lib/cluster/scheduler.ts';
import { until } from '../rig/until.ts';

/** A scheduler that runs, and a folder (of this machine) in which its jobs live. */
export interface SchedulerPlace extends AsyncDisposable {
  readonly host: Host;
  readonly scheduler: Scheduler;
  readonly workdir: string;
}

export interface JobOptions {
  /** Lines for sbatch; comments elsewhere. */
  readonly sbatch?: readonly string[];
  readonly seconds?: number;
  /** Bytes. */
  readonly mem?: number;
  readonly signalSeconds?: number;
  /** The script of a job that goes before. */
  readonly build?: string;
}

export const value = <T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};

let count = 0;
export const freshFingerprint = () => asFingerprint(`${process.pid.toString(16)}${++count}`.padEnd(64, 'a'));

const clock = (seconds: number) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
const scriptOf = (body: string, { sbatch = [], seconds = 600, mem, signalSeconds }: JobOptions) =>
  [
    '#!/bin/sh',
    `#SBATCH --time=${clock(seconds)}`,
    '#SBATCH --no-requeue',
    ...(mem === undefined ? [] : [`#SBATCH --mem=${Math.ceil(mem / 1024)}K`]),
    ...(signalSeconds === undefined ? [] : [`#SBATCH --signal=B:USR1@${Math.ceil(signalSeconds)}`]),
    ...sbatch.map((option) => `#SBATCH ${option}`),
    'mkdir -p state',
    body,
    '',
  ].join('\n');

/** Lays out an attempt with this script and submits it as the gate does. */
export async function submitTo(
  runs: RunStore,
  body: string,
  options: JobOptions & { readonly fingerprint?: ReturnType<typeof freshFingerprint>; readonly attempt?: number } = {},
) {
  const fingerprint = options.fingerprint ?? freshFingerprint();
  const attempt = options.attempt ?? 1;
  const incoming = value(await runs.prepare(fingerprint));
  const { seconds = 600, mem, signalSeconds, build } = options;
  const files = new Map([['job.sh', { content: scriptOf(body, options) }]]);
  if (build !== undefined) files.set('build.sh', { content: build });
  value(await runs.writeFiles(incoming, files));
  const early = signalSeconds === undefined ? {} : { signalSeconds };
  const limits = { seconds, ...(mem === undefined ? {} : { mem }), ...early };
  const submitted = await runs.submit({ fingerprint, incoming, attempt, ...limits, buildFirst: build !== undefined });
  return { fingerprint, attempt, submitted };
}

export function jobOf(submitted: { ok: true; value: Submitted } | { ok: false; error: SubmitError }): JobRef {
  const answer = value(submitted);
  if (answer.kind !== 'submitted') throw new Error(answer.kind);
  return answer.job;
}

export async function statusOf(scheduler: Scheduler, job: JobRef): Promise<JobStatus> {
  const status = value(await scheduler.query([job])).get(job.id);
  if (status === undefined) throw new Error(`nothing was said of job ${job.id}`);
  return status;
}

/** Asks until it is so, and gives the last answer. */
export async function whenJob(
  scheduler: Scheduler,
  job: JobRef,
  is: (status: JobStatus) => boolean,
  seconds = 60,
): Promise<JobStatus> {
  let status: JobStatus = { state: 'absent' };
  await until(async () => {
    status = await statusOf(scheduler, job);
    return is(status);
  }, seconds);
  return status;
}
export const hasEnded = ({ state }: JobStatus) => state === 'ended';
export const isRunning = ({ state }: JobStatus) => state === 'running';

export interface SchedulerTraits {
  /** The least seconds of wall-clock time that a job can be held to; absent: not tried here. */
  readonly shortestLimit?: number;
  /** False: it kills a job for its memory, and nobody says that this was why. */
  readonly saysOutOfMemory?: boolean;
}

/** What every scheduler does alike. */
export function describeScheduler(
  name: string,
  open: () => Promise<SchedulerPlace>,
  { shortestLimit, saysOutOfMemory = true }: SchedulerTraits,
): void {
  describe(`a job of ${name}`, () => {
    let place: SchedulerPlace;
    let scheduler: Scheduler;
    let runs: RunStore;
    let tooLong: Awaited<ReturnType<typeof submitTo>> | undefined;
    const submit = async (body: string, options: JobOptions = {}) =>
      jobOf((await submitTo(runs, body, options)).submitted);
    const run = async (body: string, options: JobOptions = {}) =>
      whenJob(scheduler, await submit(body, options), hasEnded);

    beforeAll(async () => {
      place = await open();
      ({ scheduler } = place);
      runs = openRunStore(place);
      // Slurm counts minutes: this one is awaited by the last test.
      const late = { seconds: shortestLimit ?? 0, signalSeconds: (shortestLimit ?? 0) / 2 };
      const waits = "trap 'echo told before' USR1; while :; do sleep 0.2; done";
      if (shortestLimit !== undefined) tooLong = await submitTo(runs, waits, late);
    });
    afterAll(async () => {
      await place?.[Symbol.asyncDispose]();
    });

    const limited = () => {
      test('that outlasts its limit is ended, and its script is told before, if it asked for that', async () => {
        if (tooLong === undefined) throw new Error('not submitted');
        const { submitted, fingerprint } = tooLong;
        expect(await whenJob(scheduler, jobOf(submitted), hasEnded, 180)).toMatchObject({
          how: 'timeout',
          word: 'TIMEOUT',
        });
        expect(readFileSync(`${runs.folder(fingerprint, 1)}/log`, 'utf8')).toMatch(/^told before$/m);
      });
    };
    // Where one job runs at a time it has to be over before the others.
    if (shortestLimit !== undefined && shortestLimit < 10) limited();

    test('that ends well is completed; it runs in its own folder and writes its log there', async () => {
      const { fingerprint, submitted } = await submitTo(runs, 'pwd; echo to standard error >&2; cat job.sh >copy');
      const ended = await whenJob(scheduler, jobOf(submitted), hasEnded);
      expect(ended).toMatchObject({ state: 'ended', how: 'completed', exitCode: 0, word: 'COMPLETED' });
      const folder = runs.folder(fingerprint, 1);
      expect(readFileSync(`${folder}/log`, 'utf8')).toBe(`${folder}\nto standard error\n`);
      expect(readFileSync(`${folder}/copy`, 'utf8')).toContain('to standard error');
    });

    test('that exits with 3 has failed with 3', async () => {
      expect(await run('exit 3')).toMatchObject({ state: 'ended', how: 'failed', exitCode: 3 });
    });

    test('that is killed by a signal has failed by that signal', async () => {
      expect(await run('kill -KILL $$')).toMatchObject({ state: 'ended', how: 'failed', signal: 9 });
    });

    test(`that needs more memory than it may have is ${saysOutOfMemory ? 'out of memory' : 'killed'}`, async () => {
      // A shell variable of 150 MB.
      const hungry = 'big=$(head -c 150000000 /dev/zero | tr "\\0" x); sleep 60; echo ${#big}';
      const end = saysOutOfMemory ? { how: 'out-of-memory' } : { how: 'failed', signal: 9 };
      expect(await run(hungry, { mem: 60_000_000 })).toMatchObject({ state: 'ended', ...end });
    });

    test('is seen while it runs, is cancelled, and its end is seen', async () => {
      const job = await submit('sleep 600');
      expect(await whenJob(scheduler, job, isRunning)).toMatchObject({ node: expect.stringMatching(/./) });
      expect(await scheduler.cancel(job)).toMatchObject({ ok: true, value: { state: 'ended', how: 'cancelled' } });
    });

    test('that waits says why, and is cancelled without having run', async () => {
      const blocker = await submit('sleep 600');
      await whenJob(scheduler, blocker, isRunning);
      const waiting = await submitTo(runs, 'echo ran >ran', { sbatch: ['--begin=now+1hour'] });
      const job = jobOf(waiting.submitted);
      expect(await statusOf(scheduler, job)).toMatchObject({ state: 'queued', reason: expect.stringMatching(/./) });
      expect(await scheduler.cancel(job)).toMatchObject({ ok: true, value: { state: 'ended', how: 'cancelled' } });
      expect(() => readFileSync(`${runs.folder(waiting.fingerprint, 1)}/ran`)).toThrow('ENOENT');
      await scheduler.cancel(blocker);
    });

    test('that has ended stays as it ended when it is cancelled', async () => {
      const job = await submit('exit 3');
      await whenJob(scheduler, job, hasEnded);
      expect(await scheduler.cancel(job)).toMatchObject({ ok: true, value: { state: 'ended', how: 'failed' } });
    });

    test('is found by its name, and among all that goes on below its folder, while it lives and not afterwards', async () => {
      const job = await submit('sleep 600');
      const living = async () => value(await scheduler.live(`${place.workdir}/runs`, 'own')).map((one) => one.job.id);
      expect(await living()).toContain(job.id);
      const found = value(await scheduler.find(job.name));
      expect(found).toEqual([{ id: job.id, name: job.name, submittedAt: expect.any(Number) }]);
      expect(Math.abs((found[0]?.submittedAt ?? 0) - job.submittedAt)).toBeLessThan(10);
      await scheduler.cancel(job);
      expect(value(await scheduler.find(job.name))).toEqual([]);
      expect(await living()).not.toContain(job.id);
    });

    test('that nobody has submitted is absent, also where its id was an earlier job', async () => {
      const job = await submit('exit 0');
      const ended = await whenJob(scheduler, job, hasEnded);
      const unknown: JobRef = { id: asJobId('4000000'), name: 'mlops-nobody.1', submittedAt: job.submittedAt };
      const recycled: JobRef = { ...job, name: 'mlops-nobody.1', submittedAt: job.submittedAt + 1000 };
      expect(await statusOf(scheduler, unknown)).toEqual({ state: 'absent' });
      expect(await statusOf(scheduler, recycled)).toEqual({ state: 'absent' });
      expect(value(await scheduler.query([unknown, job]))).toEqual(
        new Map<string, JobStatus>([
          [unknown.id, { state: 'absent' }],
          [job.id, ended],
        ]),
      );
      expect(value(await scheduler.query([]))).toEqual(new Map());
    });

    if (shortestLimit !== undefined && shortestLimit >= 10) limited();
  });
}
