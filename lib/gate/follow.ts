import type { Fingerprint } from '../base/ids.ts';
import type { HostError } from '../cluster/host.ts';
import type { JobEnd, JobRef, JobStatus } from '../cluster/scheduler.ts';
import type { EventSink } from './events.ts';
import type { Connection, Place, PlaceError } from './place.ts';

export interface Following {
  readonly fingerprint: Fingerprint;
  readonly attempt: number;
  readonly job: JobRef;
}

export type FollowEnd =
  /** The scheduler says so; `job` is absent where it has forgotten the job, and the job's own last word is there. */
  | { readonly how: 'ended'; readonly job?: JobEnd }
  /** The push connection may not be held longer. */
  | { readonly how: 'hold-over'; readonly last: JobStatus | undefined }
  | { readonly how: 'detached'; readonly last: JobStatus | undefined }
  /** Nothing is known about the job: the place could not be reached for a long time. */
  | { readonly how: 'out-of-reach'; readonly error: PlaceError };

/** The connection to a place: replaced by a new one when it is lost. Whoever opened it closes what is there in the end. */
export interface Session {
  readonly place: Place;
  connection: Connection;
}

export interface FollowOptions {
  /** The user's: Ctrl-C leaves the job running. */
  readonly signal: AbortSignal;
  /** Milliseconds of the clock `now`; undefined is without limit. */
  readonly holdUntil: number | undefined;
  readonly now: () => number;
  readonly emit: EventSink;
}

/** Slurm is asked at most once in this many seconds, less as the wait grows (facts of the peers: 2 to 60 s, users get banned). */
const askEvery = (waitedSeconds: number): number => Math.min(60, Math.max(15, waitedSeconds / 20));
/** How long the job's files may lag behind the scheduler on a network file system before the job counts as ended without a last word. */
const lagSeconds = { ended: 20, absent: 120 } as const;
const giveUpReconnectingAfterSeconds = 30 * 60;

/** Watches one attempt to its end, through lost connections and a scheduler that does not answer. "I can't ask" is never "it failed". */
export async function follow(session: Session, run: Following, options: FollowOptions): Promise<FollowEnd> {
  let lostSince: number | undefined;
  let tries = 0;
  let last: JobStatus | undefined;
  const seen = { log: 0 };
  for (;;) {
    const watched = await watchOnce(session.connection, run, options, last, seen);
    if (watched.how !== 'lost') return watched;
    last = watched.last;
    const now = options.now();
    lostSince ??= now;
    if (watched.heard) {
      lostSince = now;
      tries = 0;
    }
    await session.connection.close();
    for (;;) {
      const wait = backoffSeconds(tries++);
      options.emit({ event: 'connection-lost', error: watched.error, retryInSeconds: Math.round(wait) });
      await sleepUntil(wait, options);
      if (options.signal.aborted) return { how: 'detached', last };
      const again = await session.place.connect(options.signal);
      if (again.ok) {
        session.connection = again.value;
        break;
      }
      if (options.signal.aborted) return { how: 'detached', last };
      const over = options.holdUntil !== undefined && options.now() >= options.holdUntil;
      if (over || options.now() - lostSince > giveUpReconnectingAfterSeconds * 1000) {
        return { how: 'out-of-reach', error: again.error };
      }
    }
  }
}

type Watched =
  | Exclude<FollowEnd, { how: 'out-of-reach' }>
  | { readonly how: 'lost'; readonly error: HostError; readonly heard: boolean; readonly last: JobStatus | undefined };

/** One connection's worth: the job's own files by one remote loop, the scheduler rarely, until something ends it. */
async function watchOnce(
  connection: Connection,
  run: Following,
  options: FollowOptions,
  lastKnown: JobStatus | undefined,
  /** How much of the log has been told, over all connections. */
  seen: { log: number },
): Promise<Watched> {
  const begun = options.now();
  const stop = new AbortController();
  const onAbort = () => stop.abort();
  options.signal.addEventListener('abort', onAbort, { once: true });
  let last = lastKnown;
  let heard = false;
  let finished = false; // the job's own last word has been seen
  let wake: () => void = () => {};
  let lost: HostError | undefined;
  // The job's files show that it runs, and the scheduler's last word was "queued": it is asked once more, at once.
  let jobSeen = false;
  let askedForIt = false;

  const watching = (async () => {
    for await (const event of connection.runs.watch(run.fingerprint, run.attempt, stop.signal, seen.log)) {
      heard = true;
      if (event.kind === 'log') {
        seen.log = event.until;
        options.emit({ event: 'log', text: event.text });
      } else if (event.kind === 'lost') lost = event.error;
      else if (event.name === 'now') options.emit({ event: 'progress', line: event.text.trim() });
      else if (event.name === 'end') finished = true;
      jobSeen ||= event.kind === 'log' || (event.kind === 'state' && event.name === 'now');
      if (finished || lost !== undefined || (jobSeen && !askedForIt)) wake();
    }
  })();

  try {
    let endedSince: number | undefined;
    for (let rounds = 0; ; rounds++) {
      if (options.signal.aborted) return { how: 'detached', last };
      if (lost !== undefined) return { how: 'lost', error: lost, heard, last };
      askedForIt ||= jobSeen;
      const asked = await connection.scheduler.query([run.job]);
      const now = options.now();
      if (asked.ok) {
        heard = true;
        const status = asked.value.get(run.job.id) ?? { state: 'absent' as const };
        last = status;
        options.emit({ event: 'status', status, job: run.job.id });
        if (status.state === 'ended' || status.state === 'absent') {
          endedSince ??= now;
          const job = status.state === 'ended' ? { job: status } : {};
          // Both signals, or the scheduler's alone once the job's files had time to arrive: judging then finds no last word.
          if (finished || now - endedSince > lagSeconds[status.state] * 1000) return { how: 'ended', ...job };
        } else {
          endedSince = undefined;
        }
      } else if (asked.error.reason === 'host') {
        return { how: 'lost', error: asked.error.cause, heard, last };
      } else {
        options.emit({ event: 'scheduler-silent', detail: asked.error.stderr.trim() });
      }
      if (options.holdUntil !== undefined && now >= options.holdUntil) return { how: 'hold-over', last };
      // After the last word Slurm needs a moment to say COMPLETED; before it, it is asked rarely.
      const ending = finished || endedSince !== undefined;
      const seconds = ending ? Math.min(5, 0.25 * 2 ** Math.min(rounds, 5)) : askEvery((now - begun) / 1000);
      if (!ending) rounds = 0;
      await Promise.race([
        new Promise<void>((resolve) => {
          wake = resolve;
          if (!ending && (finished || lost !== undefined || (jobSeen && !askedForIt))) resolve();
        }),
        sleepUntil(seconds, options),
      ]);
    }
  } finally {
    options.signal.removeEventListener('abort', onAbort);
    stop.abort();
    await watching;
  }
}

const backoffSeconds = (tries: number): number => Math.min(60, 2 ** tries) * (0.5 + Math.random());

/** Sleeps, but not beyond the hold's end, and not after the user's signal. */
function sleepUntil(
  seconds: number,
  { signal, holdUntil, now }: Pick<FollowOptions, 'signal' | 'holdUntil' | 'now'>,
): Promise<void> {
  const ms = Math.max(0, Math.min(seconds * 1000, (holdUntil ?? Number.POSITIVE_INFINITY) - now()));
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}
