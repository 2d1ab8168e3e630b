import type { Result } from '../base/result.ts';
import type { HostError } from '../cluster/host.ts';
import type { Collected, RunStoreError } from '../cluster/run-store.ts';
import type { JobEnd, JobStatus } from '../cluster/scheduler.ts';
import { beforeLetGo, isHoldOver, sleepUntil } from './let-go.ts';
import type { Connection, PlaceError } from './place.ts';
import { type ReconnectOptions, Reconnector, type Session } from './reconnect.ts';
import { type Following, RunEars } from './run-ears.ts';
import { RunKnowledge } from './run-knowledge.ts';

export type FollowEnd =
  /** The scheduler says so; `job` is absent where it has forgotten the job, and the job's own last word is there. */
  | {
      readonly how: 'ended';
      readonly job?: JobEnd;
      /** What it left, as far as that was fetched already. */
      readonly collected?: Promise<Result<Collected, RunStoreError>>;
    }
  /** The push connection may not be held longer. */
  | { readonly how: 'hold-over'; readonly last: JobStatus | undefined }
  | { readonly how: 'detached'; readonly last: JobStatus | undefined }
  /** Nothing is known about the job: the place could not be reached for a long time. */
  | { readonly how: 'out-of-reach'; readonly error: PlaceError };

export interface FollowOptions extends ReconnectOptions {
  /** Submitted a moment ago; or what the scheduler said of it a moment ago. Neither: it is asked at once. */
  readonly begins?: 'new' | JobStatus;
}

/** Watches one attempt to its end, through lost connections and a scheduler that does not answer. "I can't ask" is never "it failed". */
export async function follow(session: Session, run: Following, options: FollowOptions): Promise<FollowEnd> {
  const { begins } = options;
  const said = begins === 'new' ? undefined : begins;
  const known = new RunKnowledge(options.now(), {
    lingers: session.connection.scheduler.kind === 'process',
    logFrom: run.logFrom ?? 0,
    isNew: begins === 'new',
    said,
  });
  if (said !== undefined) options.emit({ event: 'status', status: said, job: run.job.id });
  const reconnector = new Reconnector(session, options);
  for (;;) {
    const watched = await watchOnce(session.connection, run, options, known);
    if (watched.how !== 'lost') return watched;
    const again = await reconnector.reconnect(watched.error, watched.heard, true);
    if (again.how === 'out-of-reach') return again;
    if (again.how !== 'back') return { how: again.how, last: known.last };
  }
}

type Watched =
  | Exclude<FollowEnd, { how: 'out-of-reach' }>
  | { readonly how: 'lost'; readonly error: HostError; readonly heard: boolean };

/** One connection's worth: the job's own files, the scheduler rarely, until something ends it. */
async function watchOnce(
  connection: Connection,
  run: Following,
  options: FollowOptions,
  known: RunKnowledge,
): Promise<Watched> {
  const ears = new RunEars(connection, run, known, options);
  try {
    for (;;) {
      if (options.signal.aborted) return { how: 'detached', last: known.last };
      if (ears.lost !== undefined) return { how: 'lost', error: ears.lost, heard: ears.heard };
      // The last word has come after the scheduler's.
      if (known.state === 'collecting') return endOf(known.last, ears);
      // Whoever only looks has a hold that is over from the first, and one question.
      if (isHoldOver(options) && known.suffices) return { how: 'hold-over', last: known.last };
      await ears.listen(known.isWatched(options.now()));
      const toLook = known.secondsToLook(options.now());
      const wait = Math.min(toLook, known.secondsToQuestion(options.now()));
      if (wait > 0) await sleepUntil(wait, options, (awake) => ears.onEvent(awake));
      else if (toLook <= 0) await beforeLetGo(ears.look(), options);
      else {
        const asked = await beforeLetGo(connection.scheduler.query([run.job]), options);
        known.asked(options.now());
        if (asked === undefined) continue;
        if (!asked.ok) {
          if (asked.error.reason === 'host') return { how: 'lost', error: asked.error.cause, heard: ears.heard };
          options.emit({ event: 'scheduler-silent', detail: asked.error.stderr.trim() });
          continue;
        }
        ears.heard = true;
        const status = asked.value.get(run.job.id) ?? { state: 'absent' as const };
        const isOver = known.heed(status, options.now());
        options.emit({ event: 'status', status: known.last ?? status, job: run.job.id });
        if (isOver) return endOf(status, ears);
        // A last word of a job that goes on was none: what was fetched then is not what it will have left.
        ears.collected = undefined;
      }
    }
  } finally {
    await ears.close();
  }
}

const endOf = (status: JobStatus | undefined, { collected }: RunEars): FollowEnd & { readonly how: 'ended' } => ({
  how: 'ended',
  ...(status?.state === 'ended' ? { job: status } : {}),
  ...(collected === undefined ? {} : { collected }),
});
