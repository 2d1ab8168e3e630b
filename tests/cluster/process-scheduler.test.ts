import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildSync } from 'esbuild';
import { openLocalHost } from '../../lib/cluster/local-host.ts';
import { processScheduler } from '../../lib/cluster/process-scheduler.ts';
import { startOf } from '../../lib/cluster/process-table.ts';
import { openRunStore, type RunStore } from '../../lib/cluster/run-store.ts';
import { until } from '../rig/until.ts';
import {
  describeScheduler,
  freshFingerprint,
  hasEnded,
  isRunning,
  type JobOptions,
  jobOf,
  type SchedulerPlace,
  statusOf,
  submitTo,
  value,
  whenJob,
} from './scheduler-contract.ts';

/** With a supervisor built as the package has it, in a folder whose name needs quoting. */
async function processPlace(): Promise<SchedulerPlace> {
  const workdir = mkdtempSync(join(tmpdir(), "mlops process's "));
  const program = join(workdir, 'supervisor.mjs');
  const entry = join(import.meta.dirname, '../../lib/cluster/supervisor.ts');
  buildSync({ entryPoints: [entry], outfile: program, bundle: true, platform: 'node', format: 'esm' });
  const host = openLocalHost(process.env);
  const now = () => Math.floor(Date.now() / 1000);
  const scheduler = processScheduler({ workdir, supervisor: [process.execPath, program], now });
  return {
    host,
    scheduler,
    workdir,
    async [Symbol.asyncDispose]() {
      await host.close();
      rmSync(workdir, { recursive: true, force: true });
    },
  };
}

describeScheduler('this machine', processPlace, { shortestLimit: 1 });

describe('a job on this machine', () => {
  let place: SchedulerPlace;
  let runs: RunStore;
  beforeAll(async () => {
    place = await processPlace();
    runs = openRunStore(place);
  });
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]();
  });
  const submit = async (body: string, options: JobOptions = {}) => {
    const sent = await submitTo(runs, body, options);
    return { job: jobOf(sent.submitted), folder: runs.folder(sent.fingerprint, 1), fingerprint: sent.fingerprint };
  };
  const aside = 'setsid sleep 300 & echo $! >child.tmp; mv child.tmp child; wait';
  const childOf = async (folder: string) => {
    await until(() => existsSync(join(folder, 'child')));
    return Number(readFileSync(join(folder, 'child'), 'utf8'));
  };

  test('waits while another one runs, and is the next', async () => {
    const first = await submit('while [ ! -f go ]; do sleep 0.1; done');
    await whenJob(place.scheduler, first.job, isRunning);
    const second = await submit('exit 0');
    expect(await statusOf(place.scheduler, second.job)).toEqual({ state: 'queued', reason: 'Resources' });
    writeFileSync(join(first.folder, 'go'), '');
    expect(await whenJob(place.scheduler, second.job, hasEnded)).toMatchObject({ how: 'completed' });
  });

  test('that outlasts its limit is ended with its children, those in a session of their own too', async () => {
    const { job, folder } = await submit(aside, { seconds: 1 });
    const child = await childOf(folder);
    expect(await whenJob(place.scheduler, job, hasEnded)).toMatchObject({ how: 'timeout' });
    await until(() => startOf(child) === undefined);
  });

  test('is cancelled with its children, even where they do not listen', async () => {
    const { job, folder } = await submit(`trap "" TERM; ${aside}`);
    const child = await childOf(folder);
    expect(value(await place.scheduler.cancel(job))).toMatchObject({ state: 'ended', how: 'cancelled' });
    await until(() => startOf(child) === undefined);
  });

  test('whose supervisor is killed is a lost node, and the next job does not have to share the machine with it', async () => {
    const { job, folder } = await submit(aside);
    const child = await childOf(folder);
    await whenJob(place.scheduler, job, isRunning);
    process.kill(Number(job.id), 'SIGKILL');
    expect(await whenJob(place.scheduler, job, hasEnded)).toMatchObject({ how: 'node-failed' });
    const next = await submit('exit 0');
    expect(await whenJob(place.scheduler, next.job, hasEnded)).toMatchObject({ how: 'completed' });
    await until(() => startOf(child) === undefined);
  });

  test('knows its own id', async () => {
    const { job, folder } = await submit('echo "$MLOPS_JOB" >id');
    await whenJob(place.scheduler, job, hasEnded);
    expect(readFileSync(join(folder, 'id'), 'utf8')).toBe(`${job.id}\n`);
  });

  test('that cannot be started is refused in the words of what was to start it', async () => {
    const scheduler = processScheduler({ workdir: place.workdir, supervisor: ['/nowhere/node'], now: () => 0 });
    const { submitted } = await submitTo(openRunStore({ ...place, scheduler }), 'exit 0');
    expect(submitted).toMatchObject({
      ok: false,
      error: { reason: 'refused', scheduler: 'process', code: 127, stderr: expect.stringContaining('/nowhere/node') },
    });
  });
});

describe('the run folders', () => {
  let place: SchedulerPlace;
  let runs: RunStore;
  beforeAll(async () => {
    place = await processPlace();
    runs = openRunStore(place);
  });
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]();
  });

  test('are claimed once: of two submissions at the same moment one submits, and the other is told', async () => {
    const fingerprint = freshFingerprint();
    const script = 'echo ran >>../ran';
    const both = await Promise.all([1, 2].map(() => submitTo(runs, script, { fingerprint })));
    expect(both.map(({ submitted }) => value(submitted).kind).sort()).toEqual(['claimed', 'submitted']);
    const [attempt] = value(await runs.look(fingerprint));
    if (attempt?.job === undefined) throw new Error('no job');
    await whenJob(place.scheduler, attempt.job, hasEnded);
    expect(readFileSync(join(runs.folder(fingerprint, 1), '../ran'), 'utf8')).toBe('ran\n');
  });

  test('give what the job writes as it comes, and end with its last word', async () => {
    const { fingerprint } = await submitTo(runs, 'echo "hello log"; echo "step 1" >state/now; echo done >state/end');
    const seen: string[] = [];
    for await (const event of runs.watch(fingerprint, 1, new AbortController().signal)) {
      if (event.kind === 'log') seen.push(event.text);
      if (event.kind === 'state' && event.name === 'end') seen.push(event.text);
    }
    expect(seen).toEqual(['hello log\n', 'done\n']);
  });

  test('are brought back with binary results and the log', async () => {
    const { fingerprint, submitted } = await submitTo(
      runs,
      'mkdir result; printf "a\\000b\\n\\n" >result/bytes; echo said',
    );
    await whenJob(place.scheduler, jobOf(submitted), hasEnded);
    const collected = value(await runs.collect(fingerprint, 1));
    expect(Buffer.from(collected.files.get('result/bytes') ?? []).toString()).toBe('a\0b\n\n');
    expect(collected.log).toBe('said\n');
    expect(existsSync(join(runs.folder(fingerprint, 1), 'state', 'submitted'))).toBe(true);
  });

  test('of a run that nobody has started are none', async () => {
    expect(value(await runs.look(freshFingerprint()))).toEqual([]);
  });
});
