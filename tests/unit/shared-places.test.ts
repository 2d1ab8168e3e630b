import { expect, test } from '@jest/globals';
import { asJobId } from '../../lib/base/ids.ts';
import { err, ok } from '../../lib/base/result.ts';
import type { JobRef, JobStatus } from '../../lib/cluster/scheduler.ts';
import type { Config } from '../../lib/config/types.ts';
import type { Connection, Place, PlaceError } from '../../lib/gate/place.ts';
import { sharePlaces } from '../../lib/gate/shared-places.ts';

const config = {} as Config;
const { signal } = new AbortController();
const unreachable: PlaceError = {
  reason: 'host',
  cause: { reason: 'unreachable', host: 'cluster', detail: 'refused' },
};

/** A cluster that says what was opened, closed and asked there. */
function cluster(statuses: Readonly<Record<string, JobStatus>> = {}, isThere = true) {
  const said: string[] = [];
  let opened = 0;
  const place: Place = {
    name: 'cluster',
    async connect() {
      const number = ++opened;
      said.push(`open ${number}`);
      if (!isThere) return err(unreachable);
      const scheduler = {
        async query(jobs: readonly JobRef[]) {
          said.push(`asked ${jobs.map(({ id }) => id).join()}`);
          return ok(new Map(jobs.flatMap(({ id }) => (statuses[id] === undefined ? [] : [[id, statuses[id]]]))));
        },
      };
      return ok({ scheduler, close: async () => void said.push(`close ${number}`) } as unknown as Connection);
    },
  };
  return { said, shared: sharePlaces(() => place) };
}
const job = (id: string): JobRef => ({ id: asJobId(id), name: `mlops-${id}`, submittedAt: 0 });
const connect = async (place: Place): Promise<Connection> => {
  const connected = await place.connect(signal);
  if (!connected.ok) throw new Error(connected.error.reason);
  return connected.value;
};

test('runs of one place take one login, whoever of them closes it', async () => {
  const { said, shared } = cluster();
  for (let run = 0; run < 3; run += 1) await (await connect(shared.placeFor(config))).close();
  expect(said).toEqual(['open 1']);
  await shared.close();
  expect(said).toEqual(['open 1', 'close 1']);
});

test('who has lost the connection gets a new one, and so do those that come after it', async () => {
  const { said, shared } = cluster();
  const one = shared.placeFor(config);
  await connect(one);
  await connect(one);
  await connect(shared.placeFor(config));
  expect(said).toEqual(['open 1', 'close 1', 'open 2']);
});

test('where no connection could be opened the next run does not wait for the same again', async () => {
  const { said, shared } = cluster({}, false);
  for (let run = 0; run < 3; run += 1)
    expect(await shared.placeFor(config).connect(signal)).toMatchObject({ ok: false, error: unreachable });
  expect(said).toEqual(['open 1']);
});

test('a job that has ended is not asked about again; one that goes on is', async () => {
  const ended: JobStatus = { state: 'ended', how: 'completed', word: 'COMPLETED' };
  const running: JobStatus = { state: 'running', node: 'c1', elapsedSeconds: 1 };
  const { said, shared } = cluster({ 1: ended, 2: running });
  const first = await connect(shared.placeFor(config));
  await first.scheduler.query([job('1'), job('2')]);
  const second = await connect(shared.placeFor(config));
  const answer = await second.scheduler.query([job('1'), job('2')]);
  expect(answer.ok && [answer.value.get(asJobId('1')), answer.value.get(asJobId('2'))]).toEqual([ended, running]);
  expect(said.slice(1)).toEqual(['asked 1,2', 'asked 2']);
});
