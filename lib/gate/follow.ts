import type { Fingerprint } from '../base/ids.ts';
import type { HostError } from '../cluster/host.ts';
import type { JobEnd, JobRef, JobStatus } from '../cluster/scheduler.ts';
import { beforeLetGo, isHoldOver, sleepUntil } from './let-go.ts';
import type { Connection, PlaceError } from './place.ts';
import { type ReconnectOptions, Reconnector, type Session } from './reconnect.ts';

export interface Following {
  readonly fingerprint: Fingerprint;
  readonly attempt: number;
  readonly job: JobRef;
  /** How many bytes of the log are known already. */
  readonly logFrom?: number;
}

export type FollowEnd =
  /** The scheduler says so; `job` is absent where it has forgotten the job, and the job's own last word is there. */
  | { readonly how: 'ended'; readonly job?: JobEnd }
  /** The push connection may not be held longer. */
  | { readonly how: 'hold-over'; readonly last: JobStatus | undefined }
  | { readonly how: 'detached'; readonly last: JobStatus | undefined }
  /** Nothing is known about the job: the place could not be reached for a long time. */
  | { readonly how: 'out-of-reach'; readonly error: PlaceError };

export type FollowOptions = ReconnectOptions;

/** Slurm is asked at most once in this many seconds, less as the wait grows (facts of the peers: 2 to 60 s, users get banned). */
const askEvery = (waitedSeconds: number): number => Math.min(60, Math.max(15, waitedSeconds / 20));
/** After the job's last word Slurm needs a moment to say COMPLETED; a site's epilog may take minutes. */
const askAgain = (asked: number): number => (asked === 0 ? 0 : Math.min(15, 0.25 * 2 ** asked));
/** How long the job's files may lag behind the scheduler on a network file system before the job counts as ended without a last word. */
const lagSeconds = { ended: 20, absent: 120 } as const;

/** What is known of the run, over all connections: a new one is no reason to ask the scheduler before it is its turn. */
interface Known {
  readonly begun: number;
  last: JobStatus | undefined;
  /** How many bytes of the log have been told. */
  log: number;
  /** When the scheduler has last been asked, and has answered or not. */
  askedAt: number | undefined;
  /** The job's own last word has been seen. */
  finished: boolean;
  /** Since when the scheduler has said that the job is over, in answer after answer. */
  endedSince: number | undefined;
  /** Questions since the last word, or since the scheduler first said that the job is over. */
  askedForEnd: number;
  /** The job's files show that it runs. If the scheduler's word was "queued", it is asked once more, at once. */
  jobSeen: boolean;
  askedForIt: boolean;
}

/** Watches one attempt to its end, through lost connections and a scheduler that does not answer. "I can't ask" is never "it failed". */
export async function follow(session: Session, run: Following, options: FollowOptions): Promise<FollowEnd> {
  const known: Known = {
    begun: options.now(),
    last: undefined,
    log: run.logFrom ?? 0,
    askedAt: undefined,
    finished: false,
    endedSince: undefined,
    askedForEnd: 0,
    jobSeen: false,
    askedForIt: false,
  };
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

/** One connection's worth: the job's own files by one remote loop, the scheduler rarely, until something ends it. */
async function watchOnce(
  connection: Connection,
  run: Following,
  options: FollowOptions,
  known: Known,
): Promise<Watched> {
  const stop = new AbortController();
  const onAbort = () => stop.abort();
  options.signal.addEventListener('abort', onAbort, { once: true });
  let heard = false;
  let wake: () => void = () => {};
  let lost: HostError | undefined;

  const watching = (async () => {
    for await (const event of connection.runs.watch(run.fingerprint, run.attempt, stop.signal, known.log)) {
      heard = true;
      if (event.kind === 'log') {
        known.log = event.until;
        options.emit({ event: 'log', text: event.text, left: event.left });
      } else if (event.kind === 'lost') lost = event.error;
      else if (event.name === 'now') options.emit({ event: 'progress', line: event.text.trim() });
      else if (event.name === 'end' && !known.finished) {
        known.finished = true;
        known.askedForEnd = 0;
      }
      known.jobSeen ||= event.kind === 'log' || (event.kind === 'state' && event.name === 'now');
      wake();
    }
  })();

  try {
    for (;;) {
      if (options.signal.aborted) return { how: 'detached', last: known.last };
      if (lost !== undefined) return { how: 'lost', error: lost, heard };
      // Whoever only looks has a hold that is over from the first, and one question.
      if (isHoldOver(options) && known.askedAt !== undefined) return { how: 'hold-over', last: known.last };
      const wait = secondsToQuestion(known, options.now());
      if (wait > 0) {
        await sleepUntil(wait, options, (awake) => {
          wake = awake;
        });
        continue;
      }
      known.askedForIt ||= known.jobSeen;
      const asked = await beforeLetGo(connection.scheduler.query([run.job]), options);
      known.askedAt = options.now();
      if (isEnding(known)) known.askedForEnd += 1;
      if (asked === undefined) continue;
      if (asked.ok) {
        heard = true;
        const end = heed(known, asked.value.get(run.job.id) ?? { state: 'absent' }, run, options);
        if (end !== undefined) return end;
      } else if (asked.error.reason === 'host') {
        return { how: 'lost', error: asked.error.cause, heard };
      } else {
        options.emit({ event: 'scheduler-silent', detail: asked.error.stderr.trim() });
      }
    }
  } finally {
    options.signal.removeEventListener('abort', onAbort);
    stop.abort();
    await watching;
  }
}

const isEnding = ({ finished, endedSince }: Known): boolean => finished || endedSince !== undefined;

function secondsToQuestion(known: Known, now: number): number {
  const { askedAt, begun, jobSeen, askedForIt, askedForEnd, endedSince } = known;
  if (askedAt === undefined || (jobSeen && !askedForIt)) return 0;
  const every = (isEnding(known) ? askAgain(askedForEnd) : askEvery((now - begun) / 1000)) * 1000;
  const patienceEnds = endedSince === undefined ? Number.POSITIVE_INFINITY : endedSince + lagOf(known) * 1000;
  const due = askedAt < patienceEnds ? Math.min(askedAt + every, patienceEnds) : askedAt + every;
  return (due - now) / 1000;
}

/** What the scheduler says; an end only by both signals, or by the scheduler's alone once the job's files had time to arrive. */
function heed(
  known: Known,
  status: JobStatus,
  run: Following,
  { emit, now }: FollowOptions,
): Extract<FollowEnd, { how: 'ended' }> | undefined {
  known.last = status;
  emit({ event: 'status', status, job: run.job.id });
  if (status.state !== 'ended' && status.state !== 'absent') {
    if (!known.finished) known.askedForEnd = 0;
    known.endedSince = undefined;
    return undefined;
  }
  if (known.endedSince === undefined) {
    known.endedSince = now();
    known.askedForEnd ||= 1;
  }
  // Without a last word, judging finds none: an error, and no pass.
  if (!known.finished && now() - known.endedSince < lagOf(known) * 1000) return undefined;
  return { how: 'ended', ...(status.state === 'ended' ? { job: status } : {}) };
}

/** Of a job that was cancelled in the queue no word is on its way. */
function lagOf({ last, jobSeen }: Known): number {
  if (last?.state !== 'ended') return lagSeconds.absent;
  return last.how === 'cancelled' && !jobSeen && last.elapsedSeconds === 0 ? 0 : lagSeconds.ended;
}
