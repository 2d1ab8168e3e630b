/** How long somebody stays: until the user lets go, or the push may not be held longer. */
export interface LettingGo {
  /** The user's: Ctrl-C leaves the job running. */
  readonly signal: AbortSignal;
  /** Milliseconds of the clock `now`; undefined is without limit. */
  readonly holdUntil: number | undefined;
  readonly now: () => number;
}

export const isHoldOver = ({ holdUntil, now }: LettingGo): boolean => holdUntil !== undefined && now() >= holdUntil;

/** Aborted when the user lets go, and when the hold is over: a login node that does not answer must not outlast either. */
export function untilLetGo({ signal, holdUntil, now }: LettingGo): AbortSignal {
  return holdUntil === undefined
    ? signal
    : AbortSignal.any([signal, AbortSignal.timeout(Math.max(0, holdUntil - now()))]);
}

/** The answer; undefined where the user, or the hold, does not wait for it. squeue may try for two minutes to reach its controller. */
export async function beforeLetGo<T>(answer: Promise<T>, options: LettingGo): Promise<T | undefined> {
  // Whoever only looks has a hold that is over from the first, and one question.
  const bounded = isHoldOver(options) ? options.signal : untilLetGo(options);
  if (bounded.aborted) return undefined;
  const letGo = new AbortController();
  try {
    return await Promise.race([
      answer,
      new Promise<undefined>((resolve) => {
        bounded.addEventListener('abort', () => resolve(undefined), { once: true, signal: letGo.signal });
      }),
    ]);
  } finally {
    letGo.abort();
  }
}

/** Sleeps, but not beyond the hold's end, and not after the user's signal; `asleep` is given what ends it before, with all that it holds. */
export function sleepUntil(
  seconds: number,
  { signal, holdUntil, now }: LettingGo,
  asleep: (awake: () => void) => void = () => {},
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
    asleep(done);
  });
}
