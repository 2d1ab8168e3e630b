import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { asFingerprint, asJobId } from '../../lib/base/ids.ts';
import { err, ok } from '../../lib/base/result.ts';
import type { HostError } from '../../lib/cluster/host.ts';
import type { WatchEvent } from '../../lib/cluster/run-store.ts';
import type { JobRef } from '../../lib/cluster/scheduler.ts';
import type { GateContext } from '../../lib/gate/context.ts';
import { follow } from '../../lib/gate/follow.ts';
import type { Identified } from '../../lib/gate/identify.ts';
import type { Connection, Place } from '../../lib/gate/place.ts';
import { runCommit } from '../../lib/gate/run-commit.ts';

beforeEach(() => {
  jest.useFakeTimers();
});
afterEach(() => {
  jest.useRealTimers();
});

const fingerprint = asFingerprint('a'.repeat(64));
const job = { id: asJobId('7'), name: 'mlops-aaaaaaaaaaaaaaaa.1', submittedAt: 0 };
const lost: HostError = { reason: 'lost', host: 'cluster', detail: 'reset' };

/** A cluster on which the run has a job, and that is lost once it has been seen to run, for so many minutes. */
function cluster(minutes: number) {
  const said: string[] = [];
  const begun = Date.now();
  let connections = 0;
  const isBack = () => Date.now() - begun >= minutes * 60_000;
  const connection = {
    host: { kind: 'ssh2', name: 'cluster' },
    scheduler: {
      kind: 'slurm',
      query: async () =>
        ok(
          new Map([
            [job.id, isBack() ? { state: 'ended', how: 'completed', word: 'COMPLETED' } : { state: 'running' }],
          ]),
        ),
    },
    runs: {
      look: async () =>
        ok([{ attempt: 1, job, abandoned: false, finished: false, state: new Map(), silentSeconds: 0 }]),
      async *watch(): AsyncGenerator<WatchEvent> {
        if (isBack()) yield { kind: 'state', name: 'end', text: '' };
        else yield { kind: 'lost', error: lost };
      },
      collect: async () => {
        said.push('collect');
        return err({ reason: 'folder', path: '', detail: 'enough' });
      },
      prepare: async () => {
        said.push('prepare');
        return err({ reason: 'host', cause: lost });
      },
      submit: async () => {
        said.push('submit');
        return err({ reason: 'host', cause: lost });
      },
    },
    close: async () => undefined,
  } as unknown as Connection;
  const place: Place = {
    name: 'cluster',
    async connect() {
      connections += 1;
      if (connections === 1 || isBack()) return ok(connection);
      return err({ reason: 'host', cause: { reason: 'unreachable', host: 'cluster', detail: 'no route' } });
    },
  };
  const memory = {
    note: (attempt: number, job: JobRef | undefined) => void said.push(`note ${attempt} ${job?.id}`),
    forget: () => void said.push('forget'),
  };
  const context = {
    now: () => new Date(),
    signal: new AbortController().signal,
    emit: (event) => {
      if (event.event === 'status' && event.status.state !== 'running') said.push(event.status.state);
    },
  } as GateContext;
  const identified = { fingerprint, commit: 'c', config: { retry: { infrastructure: 2 } } } as unknown as Identified;
  const options = { wait: 'until-ended', start: 'if-needed' } as const;
  return {
    said,
    connections: () => connections,
    outcome: () => runCommit(context, identified, place, options, memory),
    async followed() {
      const first = await place.connect(context.signal);
      if (!first.ok) throw new Error(first.error.reason);
      const patience = { signal: context.signal, holdUntil: undefined, now: () => Date.now(), emit: context.emit };
      return follow({ place, connection: first.value }, { fingerprint, attempt: 1, job }, patience);
    },
  };
}

/** Lets the time pass, minute by minute, until it is settled. */
async function passing<T>(work: Promise<T>, minutes: number): Promise<T | 'goes on'> {
  let result: T | 'goes on' = 'goes on';
  void work.then((value) => {
    result = value;
  });
  for (let minute = 0; minute < minutes && result === 'goes on'; minute += 1)
    await jest.advanceTimersByTimeAsync(60_000);
  return result;
}

test('a cluster that cannot be reached for half an hour says nothing about its job: the run is remembered, not failed, and not submitted again', async () => {
  const { said, connections, outcome } = cluster(24 * 60);
  expect(await passing(outcome(), 60)).toMatchObject({
    ok: false,
    error: { reason: 'out-of-reach', fingerprint, job: '7', cause: { cause: { reason: 'unreachable' } } },
  });
  expect(said).toEqual(['note 1 7']);
  // With growing pauses: a minute each, give or take a half.
  expect(connections()).toBeGreaterThan(20);
  expect(connections()).toBeLessThan(80);
});

test('one that is back before half an hour is over is asked, and the run is followed to its end', async () => {
  const { said, followed } = cluster(28);
  expect(await passing(followed(), 40)).toMatchObject({ how: 'ended', job: { word: 'COMPLETED' } });
  expect(said).toEqual(['collect', 'ended']);
});
