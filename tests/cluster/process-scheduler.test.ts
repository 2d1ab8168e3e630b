import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { buildSync } from 'esbuild';
import { asFingerprint } from '../../lib/base/ids.ts';
import { openLocalHost } from '../../lib/cluster/local-host.ts';
import { processScheduler } from '../../lib/cluster/process-scheduler.ts';
import { openRunStore } from '../../lib/cluster/run-store.ts';
import type { JobRef, JobStatus } from '../../lib/cluster/scheduler.ts';
import { until } from '../rig/until.ts';

const workdir = mkdtempSync(join(tmpdir(), "mlops process's "));
const program = join(workdir, 'supervisor.mjs');
const host = openLocalHost(process.env);
const scheduler = processScheduler({
  workdir,
  supervisor: [process.execPath, program],
  now: () => Math.floor(Date.now() / 1000),
});
const runs = openRunStore({ host, scheduler, workdir });
let count = 0;

beforeAll(() => {
  const entry = join(import.meta.dirname, '../../lib/cluster/supervisor.ts');
  buildSync({ entryPoints: [entry], outfile: program, bundle: true, platform: 'node', format: 'esm' });
});
afterAll(async () => {
  await host.close();
  rmSync(workdir, { recursive: true, force: true });
});

const fresh = () => asFingerprint((++count).toString(16).padStart(64, 'a'));
const value = <T>(result: { ok: true; value: T } | { ok: false; error: unknown }): T => {
  if (!result.ok) throw new Error(JSON.stringify(result.error));
  return result.value;
};

async function submit(script: string, limits: { seconds?: number; fingerprint?: ReturnType<typeof fresh> } = {}) {
  const fingerprint = limits.fingerprint ?? fresh();
  const incoming = value(await runs.prepare(fingerprint));
  value(await runs.writeFiles(incoming, new Map([['job.sh', { content: script }]])));
  const submitted = value(await runs.submit({ fingerprint, incoming, attempt: 1, seconds: limits.seconds ?? 60 }));
  return { fingerprint, submitted };
}

async function ended(job: JobRef): Promise<JobStatus> {
  let status: JobStatus = { state: 'absent' };
  await until(async () => {
    status = value(await scheduler.query([job])).get(job.id) ?? { state: 'absent' };
    return status.state === 'ended';
  });
  return status;
}

const stateOf = (pid: number) =>
  spawnSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' })
    .stdout.trim()
    .slice(0, 1);

async function run(script: string, seconds?: number) {
  const { submitted } = await submit(script, seconds === undefined ? {} : { seconds });
  if (submitted.kind !== 'submitted') throw new Error(submitted.kind);
  return submitted.job;
}

describe('a job on this machine', () => {
  test('that ends well is completed', async () => {
    expect(await ended(await run('exit 0'))).toMatchObject({ how: 'completed', exitCode: 0 });
  });

  test('that exits 3 has failed with 3', async () => {
    expect(await ended(await run('exit 3'))).toMatchObject({ how: 'failed', exitCode: 3 });
  });

  test('that outlasts its limit is ended, with a child in a session of its own', async () => {
    const pidFile = join(workdir, 'child');
    const job = await run(`setsid sleep 300 & echo $! >'${pidFile.replaceAll("'", `'\\''`)}'; wait`, 1);
    expect(await ended(job)).toMatchObject({ how: 'timeout' });
    const pid = Number(readFileSync(pidFile, 'utf8'));
    // An orphan that has ended is a zombie until its new parent looks.
    await until(() => /^Z?$/.test(stateOf(pid)));
  });

  test('can be cancelled, and its end is seen', async () => {
    const job = await run('sleep 300');
    await until(async () => value(await scheduler.query([job])).get(job.id)?.state === 'running');
    expect(value(await scheduler.cancel(job))).toMatchObject({ state: 'ended', how: 'cancelled' });
  });

  test('waits while another one runs', async () => {
    const gate = join(workdir, 'gate');
    const quoted = `'${gate.replaceAll("'", `'\\''`)}'`;
    const first = await run(`while [ ! -f ${quoted} ]; do sleep 0.1; done`);
    await until(async () => value(await scheduler.query([first])).get(first.id)?.state === 'running');
    const second = await run('exit 0');
    expect(value(await scheduler.query([second])).get(second.id)).toMatchObject({ state: 'queued' });
    writeFileSync(gate, '');
    expect(await ended(second)).toMatchObject({ how: 'completed' });
  });

  test('that nobody has submitted is absent', async () => {
    const job = { ...(await run('exit 0')), name: 'mlops-nobody.1' };
    expect(value(await scheduler.query([job])).get(job.id)).toEqual({ state: 'absent' });
  });
});

describe('the run folders', () => {
  test('are claimed once: of two submissions at the same moment one submits, and the other is told', async () => {
    const fingerprint = fresh();
    const marker = join(workdir, 'ran');
    const script = `echo ran >>'${marker.replaceAll("'", `'\\''`)}'`;
    const both = await Promise.all([submit(script, { fingerprint }), submit(script, { fingerprint })]);
    expect(both.map(({ submitted }) => submitted.kind).sort()).toEqual(['claimed', 'submitted']);
    const [attempt] = value(await runs.look(fingerprint));
    if (attempt?.job === undefined) throw new Error('no job');
    await ended(attempt.job);
    expect(readFileSync(marker, 'utf8')).toBe('ran\n');
  });

  test('give what the job writes as it comes, and end with its last word', async () => {
    const script = 'echo "hello log"; echo "step 1" >state/now; sleep 0.1; echo done >state/end';
    const { fingerprint } = await submit(script);
    const seen: string[] = [];
    for await (const event of runs.watch(fingerprint, 1, new AbortController().signal)) {
      if (event.kind === 'log') seen.push(event.text);
      if (event.kind === 'state' && event.name === 'end') seen.push(event.text);
    }
    expect(seen).toContain('hello log\n');
    expect(seen.at(-1)).toBe('done\n');
  });

  test('are brought back with binary results and the log', async () => {
    const { fingerprint, submitted } = await submit('mkdir result; printf "a\\000b\\n\\n" >result/bytes; echo said');
    if (submitted.kind !== 'submitted') throw new Error(submitted.kind);
    await ended(submitted.job);
    const collected = value(await runs.collect(fingerprint, 1));
    expect(Buffer.from(collected.files.get('result/bytes') ?? []).toString()).toBe('a\0b\n\n');
    expect(collected.log).toBe('said\n');
    expect(existsSync(join(runs.folder(fingerprint, 1), 'state', 'submitted'))).toBe(true);
  });

  test('of a run that nobody has started are none', async () => {
    expect(value(await runs.look(fresh()))).toEqual([]);
  });
});
