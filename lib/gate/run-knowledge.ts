import type { WatchEvent } from '../cluster/run-store.ts';
import type { JobStatus } from '../cluster/scheduler.ts';
import { askAgain, askEvery, lagSeconds, lookEvery, loopSeconds } from './pacing.ts';

/**
 * What is known of a run that is followed, over all connections, and so what is to be looked at next: a new connection is no reason to ask the
 * scheduler before it is its turn. Times are milliseconds of the caller's clock.
 */
export class RunKnowledge {
  readonly #begun: number;
  /** The loop may watch it for ever: processes of this machine, whose files nobody else looks at. */
  readonly #lingers: boolean;
  #last: JobStatus | undefined;
  #log: number;
  #lookedAt: number;
  /** When the scheduler has last been asked, and has answered or not. */
  #askedAt: number | undefined;
  /** The job's own last word has been seen. */
  #finished = false;
  /** Since when the scheduler has said that the job is over, in answer after answer. */
  #endedSince: number | undefined;
  /** Questions since the last word, or since the scheduler first said that the job is over. */
  #askedForEnd = 0;
  /** When the job's files, or the scheduler, first showed that it runs. */
  #runsSince: number | undefined;
  /** The job's files have shown it. */
  #jobSeen = false;
  /** Where, by its own word. */
  #node: string | undefined;

  constructor(begun: number, { lingers, logFrom }: { readonly lingers: boolean; readonly logFrom: number }) {
    this.#begun = begun;
    this.#lookedAt = begun;
    this.#lingers = lingers;
    this.#log = logFrom;
  }

  get last(): JobStatus | undefined {
    return this.#last;
  }
  /** How many bytes of the log have been told. */
  get log(): number {
    return this.#log;
  }
  get finished(): boolean {
    return this.#finished;
  }
  get wasAsked(): boolean {
    return this.#askedAt !== undefined;
  }

  /** Something that the job's files say. Gives the status that follows from it, where the scheduler has not said so yet. */
  hear(event: WatchEvent, now: number): JobStatus | undefined {
    if (event.kind === 'lost') return undefined;
    if (event.kind === 'log') this.#log = event.until;
    else if (event.name === 'end' && !this.#finished) {
      this.#finished = true;
      this.#askedForEnd = 0;
    }
    if (event.kind === 'log' || event.name === 'now' || event.name === 'started') {
      this.#jobSeen = true;
      this.#runsSince ??= now;
    }
    if (event.kind === 'state' && event.name === 'started') this.#node ??= /\bnode=(\S+)/.exec(event.text)?.[1];
    if (this.#node === undefined || this.#last?.state !== 'queued' || !this.#hasJustBegun(now)) return undefined;
    this.#last = { state: 'running', node: this.#node, elapsedSeconds: 0 };
    return this.#last;
  }

  looked(now: number): void {
    this.#lookedAt = now;
  }

  asked(now: number): void {
    this.#askedAt = now;
    if (this.#isEnding) this.#askedForEnd += 1;
  }

  /** What the scheduler says. True: it has ended, by both signals, or by the scheduler's alone once the job's files had time to arrive. */
  heed(status: JobStatus, now: number): boolean {
    const isBehind = status.state === 'queued' && this.#node !== undefined && this.#hasJustBegun(now);
    this.#last = isBehind ? { state: 'running', node: this.#node ?? '', elapsedSeconds: 0 } : status;
    if (status.state === 'running') this.#runsSince ??= now;
    if (status.state !== 'ended' && status.state !== 'absent') {
      if (!this.#finished) this.#askedForEnd = 0;
      this.#endedSince = undefined;
      return false;
    }
    if (this.#endedSince === undefined) {
      this.#endedSince = now;
      this.#askedForEnd ||= 1;
    }
    // Without a last word, judging finds none: an error, and no pass.
    return this.#finished || now - this.#endedSince >= this.#lag * 1000;
  }

  /** Whether the loop on the far side watches now. The other way is a look once in a while. */
  isWatched(now: number): boolean {
    return this.#lingers || this.#isEnding || this.#waited(now) < loopSeconds;
  }

  secondsToLook(now: number): number {
    if (this.isWatched(now)) return Number.POSITIVE_INFINITY;
    return lookEvery(this.#waited(now)) - (now - this.#lookedAt) / 1000;
  }

  secondsToQuestion(now: number): number {
    if (this.#askedAt === undefined) return 0;
    const runs = this.#runsSince !== undefined;
    const every = (this.#isEnding ? askAgain(this.#askedForEnd) : askEvery(this.#waited(now), runs)) * 1000;
    const patienceEnds =
      this.#endedSince === undefined ? Number.POSITIVE_INFINITY : this.#endedSince + this.#lag * 1000;
    const due = this.#askedAt + every;
    return ((this.#askedAt < patienceEnds ? Math.min(due, patienceEnds) : due) - now) / 1000;
  }

  /** Since the beginning, or since the job began: what follows then is worth attention again. */
  #waited(now: number): number {
    return (now - (this.#runsSince ?? this.#begun)) / 1000;
  }

  /** Its files are ahead of the scheduler then. What is queued long after that has been put back. */
  #hasJustBegun(now: number): boolean {
    return this.#runsSince !== undefined && now - this.#runsSince < 15_000;
  }

  get #isEnding(): boolean {
    return this.#finished || this.#endedSince !== undefined;
  }

  /** Of a job that was cancelled in the queue no word is on its way. */
  get #lag(): number {
    if (this.#last?.state !== 'ended') return lagSeconds.absent;
    const never = this.#last.how === 'cancelled' && !this.#jobSeen && this.#last.elapsedSeconds === 0;
    return never ? 0 : lagSeconds.ended;
  }
}
