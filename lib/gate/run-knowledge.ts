import type { WatchEvent } from '../cluster/run-store.ts';
import type { JobStatus } from '../cluster/scheduler.ts';
import { askAgain, askEvery, askFirst, lookEvery, loopSeconds } from './pacing.ts';
import { lagSeconds, type OwnWord, type RunState, runStates } from './run-state.ts';

export interface KnownBefore {
  /** Processes of this machine: the loop may watch them for ever, since nobody else looks at its files, and asking costs nothing. */
  readonly lingers: boolean;
  readonly logFrom: number;
  /** Submitted a moment ago: it may speak for itself before anybody is asked. */
  readonly isNew: boolean;
  /** What the scheduler said a moment ago. */
  readonly said?: JobStatus | undefined;
}

/**
 * What is known of a run that is followed, over all connections, and so what is to be looked at next: a new connection is no reason to ask the
 * scheduler before it is its turn. Times are milliseconds of the caller's clock.
 */
export class RunKnowledge {
  readonly #begun: number;
  readonly #before: KnownBefore;
  #own: OwnWord = 'nothing';
  #last: JobStatus | undefined;
  #log: number;
  #lookedAt: number;
  /** When the scheduler has last been asked, and has answered or not. */
  #askedAt: number | undefined;
  /** Since when the scheduler has said that the job is over, in answer after answer. */
  #overSince: number | undefined;
  /** Questions since the last word, or since the scheduler first said that the job is over. */
  #askedForEnd = 0;
  /** When the job's files, or the scheduler, first showed that it runs. */
  #runsSince: number | undefined;
  /** Where, by its own word. */
  #node: string | undefined;

  constructor(begun: number, before: KnownBefore) {
    this.#begun = begun;
    this.#before = before;
    this.#lookedAt = begun;
    this.#log = before.logFrom;
    if (before.said === undefined) return;
    this.asked(begun);
    this.heed(before.said, begun);
  }

  get state(): RunState {
    return runStates[this.#own][this.#last?.state ?? 'not-asked'];
  }
  get last(): JobStatus | undefined {
    return this.#last;
  }
  /** How many bytes of the log have been told. */
  get log(): number {
    return this.#log;
  }
  /** Enough for whoever cannot stay. */
  get suffices(): boolean {
    return this.#before.isNew || this.#askedAt !== undefined;
  }

  /** Something that the job's files say. Gives the status that follows from it, where the scheduler has not said so yet. */
  hear(event: WatchEvent, now: number): JobStatus | undefined {
    if (event.kind === 'lost') return undefined;
    if (event.kind === 'log') this.#log = event.until;
    if (event.kind === 'log' || event.name === 'now' || event.name === 'started') {
      this.#runsSince ??= now;
      if (this.#own === 'nothing') this.#own = 'begun';
    } else if (event.name === 'end' && this.#own !== 'last-word') {
      this.#own = 'last-word';
      this.#askedForEnd = 0;
    }
    if (event.kind === 'state' && event.name === 'started') this.#node ??= /\bnode=(\S+)/.exec(event.text)?.[1];
    const isFirst = this.#last === undefined ? this.#before.isNew : this.#last.state === 'queued';
    if (this.#node === undefined || !isFirst || !this.#hasJustBegun(now)) return undefined;
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

  /** What the scheduler says. True: it is over, by both words, or by the scheduler's alone once the job's files had time to arrive. */
  heed(status: JobStatus, now: number): boolean {
    const isBehind = status.state === 'queued' && this.#node !== undefined && this.#hasJustBegun(now);
    // What is queued long after it has begun has been put back, and will begin anew.
    if (status.state === 'queued' && this.#own === 'begun' && !this.#hasJustBegun(now)) this.#own = 'nothing';
    this.#last = isBehind ? { state: 'running', node: this.#node ?? '', elapsedSeconds: 0 } : status;
    if (status.state === 'running') this.#runsSince ??= now;
    if (status.state !== 'ended' && status.state !== 'absent') {
      if (this.#own !== 'last-word') this.#askedForEnd = 0;
      this.#overSince = undefined;
      return false;
    }
    if (this.#overSince === undefined) {
      this.#overSince = now;
      this.#askedForEnd ||= 1;
    }
    return this.state === 'collecting' || now - this.#overSince >= this.#lag * 1000;
  }

  /** Whether the loop on the far side watches now. The other way is a look once in a while. */
  isWatched(now: number): boolean {
    return this.#before.lingers || this.#isEnding || this.#waited(now) < loopSeconds;
  }

  secondsToLook(now: number): number {
    if (this.isWatched(now)) return Number.POSITIVE_INFINITY;
    return lookEvery(this.#waited(now)) - (now - this.#lookedAt) / 1000;
  }

  secondsToQuestion(now: number): number {
    const runs = this.#runsSince !== undefined;
    const isFirst = this.#askedAt === undefined;
    if (isFirst && (!this.#before.isNew || this.#before.lingers)) return 0;
    const every = this.#isEnding
      ? askAgain(this.#askedForEnd)
      : isFirst && !runs
        ? askFirst
        : askEvery(this.#waited(now), runs);
    const asked = this.#askedAt ?? this.#begun;
    const patienceEnds = this.#overSince === undefined ? Number.POSITIVE_INFINITY : this.#overSince + this.#lag * 1000;
    const due = asked + every * 1000;
    return ((asked < patienceEnds ? Math.min(due, patienceEnds) : due) - now) / 1000;
  }

  /** Since the beginning, or since the job began: what follows then is worth attention again. */
  #waited(now: number): number {
    return (now - (this.#runsSince ?? this.#begun)) / 1000;
  }

  /** Its files are ahead of the scheduler then. */
  #hasJustBegun(now: number): boolean {
    return this.#runsSince !== undefined && now - this.#runsSince < 15_000;
  }

  get #isEnding(): boolean {
    return this.#own === 'last-word' || this.#overSince !== undefined;
  }

  /** Of a job that was cancelled in the queue no word is on its way. */
  get #lag(): number {
    const { last } = this;
    const neverBegan =
      this.#own === 'nothing' && last?.state === 'ended' && last.how === 'cancelled' && last.elapsedSeconds === 0;
    return neverBegan ? 0 : (lagSeconds[this.state] ?? 0);
  }
}
