import { spawnSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Fingerprint } from '../../lib/base/ids.ts';
import { ok } from '../../lib/base/result.ts';
import { openStore } from '../../lib/cluster/content-store.ts';
import { openRunStore, type RunStore, type WatchEvent } from '../../lib/cluster/run-store.ts';
import { follow } from '../../lib/gate/follow.ts';
import { describeWith } from '../rig/requirements.ts';
import { slurmNeeds } from '../rig/slurm.ts';
import { until } from '../rig/until.ts';
import { jobOf, submitTo } from './scheduler-contract.ts';
import { connect, type SlurmPlace, slurmPlace } from './slurm-place.ts';

/** Processes of the watching loop: its script, with the run's folder in it, is their argument. */
const loops = (fingerprint: Fingerprint) =>
  spawnSync('ps', ['-A', '-ww', '-o', 'args='], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line.includes(`runs/${fingerprint}/`) && line.includes('beats=')).length;

describeWith([...slurmNeeds, 'sshd'], 'watching a job of Slurm over ssh2', () => {
  let place: SlurmPlace;
  let runs: RunStore;
  beforeAll(async () => {
    place = await slurmPlace({ slurm: { accounting: false }, sshd: {} });
    runs = openRunStore(place);
  });
  afterAll(async () => {
    await place?.[Symbol.asyncDispose]();
  });

  /** A job that goes on when its attempt has the file `go`. */
  const patient = 'echo "step 1" >state/now; echo one; while [ ! -f go ]; do sleep 0.1; done';
  const go = (fingerprint: Fingerprint) =>
    runs.writeFiles(runs.folder(fingerprint, 1), new Map([['go', { content: '' }]]));

  test('shows its progress, its log and its last word as they come', async () => {
    const { fingerprint } = await submitTo(runs, `${patient}; echo "zwei ü"; echo done >state/end`);
    const seen: string[] = [];
    for await (const event of runs.watch(fingerprint, 1, new AbortController().signal)) {
      if (event.kind === 'log') seen.push(`log ${event.text}`);
      if (event.kind === 'state' && ['now', 'end'].includes(event.name)) seen.push(`${event.name} ${event.text}`);
      if (event.kind === 'log' && event.text === 'one\n') await go(fingerprint);
      if (event.kind === 'lost') throw new Error(JSON.stringify(event));
    }
    expect(seen.sort()).toEqual(['end done\n', 'log one\n', 'log zwei ü\n', 'now step 1\n']);
    await until(() => loops(fingerprint) === 0);
  });

  test('shows a state that is as long as the one before, and of the same minute', async () => {
    const put = (text: string) => `echo "${text}" >state/now.tmp; mv -f state/now.tmp state/now`;
    const { fingerprint } = await submitTo(
      runs,
      `${put('cell 1')}; while [ ! -f go ]; do sleep 0.1; done; ${put('cell 2')}; while [ ! -f over ]; do sleep 0.1; done`,
    );
    const stop = new AbortController();
    const seen: string[] = [];
    for await (const event of runs.watch(fingerprint, 1, AbortSignal.any([stop.signal, AbortSignal.timeout(20_000)]))) {
      if (event.kind !== 'state' || event.name !== 'now') continue;
      seen.push(event.text.trim());
      await go(fingerprint);
      if (seen.length === 2) stop.abort();
    }
    await runs.writeFiles(runs.folder(fingerprint, 1), new Map([['over', { content: '' }]]));
    expect(seen).toEqual(['cell 1', 'cell 2']);
  });

  test('goes on from where the log was seen to', async () => {
    const { fingerprint } = await submitTo(runs, 'echo one; echo two; echo done >state/end');
    const texts: string[] = [];
    for await (const event of runs.watch(fingerprint, 1, new AbortController().signal, { logFrom: 'one\n'.length })) {
      if (event.kind === 'log') texts.push(event.text);
    }
    expect(texts).toEqual(['two\n']);
  });

  test('a look gives what is there, and leaves no loop', async () => {
    const { fingerprint } = await submitTo(runs, patient);
    await until(() => existsSync(`${runs.folder(fingerprint, 1)}/log`));
    const look = async (logFrom: number) => {
      const seen: string[] = [];
      for await (const event of runs.watch(fingerprint, 1, new AbortController().signal, { once: true, logFrom })) {
        if (event.kind === 'log') seen.push(`log ${event.text}`);
        if (event.kind === 'state' && event.name === 'now') seen.push(`now ${event.text}`);
      }
      return seen.sort();
    };
    await until(async () => (await look(0)).join() === 'log one\n,now step 1\n');
    expect(await look('one\n'.length)).toEqual(['now step 1\n']);
    expect(loops(fingerprint)).toBe(0);
    await go(fingerprint);
  });

  test('ends its loop after ten minutes, and looks at the run by single commands from then on', async () => {
    const { fingerprint, submitted } = await submitTo(runs, patient);
    let ahead = 0;
    const progress: string[] = [];
    const stop = new AbortController();
    const connection = {
      ...place,
      runs,
      store: openStore(place.host, place.workdir),
      close: async () => undefined,
    };
    const session = { place: { name: 'cluster', connect: async () => ok(connection) }, connection };
    const following = follow(
      session,
      { fingerprint, attempt: 1, job: jobOf(submitted) },
      {
        signal: stop.signal,
        holdUntil: undefined,
        now: () => Date.now() + ahead,
        emit: (event) => {
          if (event.event === 'progress') progress.push(event.line);
        },
      },
    );
    await until(() => progress.includes('step 1'));
    expect(loops(fingerprint)).toBeGreaterThan(0);
    ahead = 11 * 60_000;
    const say = (line: string) =>
      runs.writeFiles(runs.folder(fingerprint, 1), new Map([['state/now', { content: `${line}\n` }]]));
    await say('step 2');
    await until(() => progress.includes('step 2') && loops(fingerprint) === 0, 20);
    // Its first look comes at once, the next one half a minute later.
    stop.abort();
    expect(await following).toMatchObject({ how: 'detached' });
    expect(loops(fingerprint)).toBe(0);
    await go(fingerprint);
  });

  test('leaves no process on the far side when it is let go, and the job runs on', async () => {
    const { fingerprint, submitted } = await submitTo(runs, patient);
    const stop = new AbortController();
    const kinds = new Set<string>();
    for await (const event of runs.watch(fingerprint, 1, stop.signal)) {
      kinds.add(event.kind);
      if (event.kind !== 'log') continue;
      expect(loops(fingerprint)).toBeGreaterThan(0);
      stop.abort();
    }
    expect(kinds).not.toContain('lost');
    await until(() => loops(fingerprint) === 0, 10);
    const job = jobOf(submitted);
    expect((await place.slurm.run('squeue', '-h', '-j', job.id, '-o', '%T')).stdout).toBe('RUNNING\n');
    await go(fingerprint);
  });

  test('leaves none either when whoever reads stops reading', async () => {
    const { fingerprint } = await submitTo(runs, patient);
    for await (const event of runs.watch(fingerprint, 1, new AbortController().signal)) {
      if (event.kind === 'log') break;
    }
    await until(() => loops(fingerprint) === 0, 10);
    await go(fingerprint);
  });

  test('waits for a folder that is not there yet, and for one that has gone', async () => {
    const { fingerprint } = await submitTo(runs, 'echo one');
    const stop = new AbortController();
    const kinds: string[] = [];
    for await (const event of runs.watch(fingerprint, 1, stop.signal)) {
      kinds.push(event.kind);
      if (event.kind !== 'log') continue;
      rmSync(runs.folder(fingerprint, 1), { recursive: true });
      setTimeout(() => stop.abort(), 2500);
    }
    expect(kinds).not.toContain('lost');
    await until(() => loops(fingerprint) === 0, 10);
  });

  test('is lost with its connection, and its loop ends by itself', async () => {
    const { fingerprint } = await submitTo(runs, patient);
    if (place.sshd === undefined) throw new Error('no sshd');
    const host = await connect(place.sshd);
    const theirs = openRunStore({ ...place, host });
    const events: WatchEvent[] = [];
    for await (const event of theirs.watch(fingerprint, 1, new AbortController().signal)) {
      events.push(event);
      if (event.kind === 'log') expect(await place.sshd.killConnections()).toBeGreaterThan(0);
    }
    expect(events.at(-1)).toMatchObject({ kind: 'lost', error: { reason: 'lost', host: 'cluster' } });
    await until(() => loops(fingerprint) === 0, 20);
    await host.close();
  });
});
