import type { JobId } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import type { JobStatus, Scheduler } from '../cluster/scheduler.ts';
import type { Config } from '../config/types.ts';
import type { GateContext } from './context.ts';
import type { Connection, Place, PlaceError } from './place.ts';

export interface SharedPlaces {
  readonly placeFor: GateContext['placeFor'];
  close(): Promise<void>;
}

/**
 * Places for many runs, one after the other: a login for each place and not for each run, and no second try where one has failed. Whoever
 * connects a second time has lost the connection, and gets a new one.
 */
export function sharePlaces(placeFor: GateContext['placeFor']): SharedPlaces {
  const kept = new Map<string, Result<Connection, PlaceError>>();
  const share = (config: Config): Place => {
    const place = placeFor(config);
    const key = JSON.stringify(config.cluster ?? null);
    let mine: Result<Connection, PlaceError> | undefined;
    return {
      name: place.name,
      async connect(signal) {
        let there = kept.get(key);
        if (there === undefined || there === mine) {
          if (there?.ok) await there.value.close();
          const opened = await place.connect(signal);
          there = opened.ok ? ok({ ...opened.value, scheduler: rememberEnds(opened.value.scheduler) }) : opened;
          kept.set(key, there);
        }
        mine = there;
        return there.ok ? ok({ ...there.value, close: async () => undefined }) : there;
      },
    };
  };
  return {
    placeFor: share,
    async close() {
      for (const one of kept.values()) if (one.ok) await one.value.close();
    },
  };
}

/** What has ended stays so, and need not be asked about again. */
function rememberEnds(scheduler: Scheduler): Scheduler {
  const ends = new Map<JobId, JobStatus>();
  return {
    ...scheduler,
    async query(jobs) {
      const asked = await scheduler.query(jobs.filter(({ id }) => !ends.has(id)));
      if (!asked.ok) return asked;
      for (const [id, status] of asked.value) if (status.state === 'ended') ends.set(id, status);
      return ok(new Map([...ends, ...asked.value]));
    },
  };
}
