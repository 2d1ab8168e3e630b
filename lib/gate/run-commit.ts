import { setTimeout as sleep } from 'node:timers/promises';
import { err, ok, type Result } from '../base/result.ts';
import type { AttemptFolder } from '../cluster/run-store.ts';
import type { JobRef, JobStatus } from '../cluster/scheduler.ts';
import { failuresOf } from '../verdict/evidence.ts';
import type { FailureReason, RunResult } from '../verdict/types.ts';
import { type CollectedResult, Collector } from './collect.ts';
import type { GateContext } from './context.ts';
import { type FollowOptions, follow } from './follow.ts';
import type { Identified } from './identify.ts';
import { isHoldOver, type LettingGo } from './let-go.ts';
import { lostConnection } from './lost-connection.ts';
import type { GateError, WaitingOutcome } from './outcome.ts';
import { PartialResults } from './partial-results.ts';
import type { Place } from './place.ts';
import { type Prepared, prepare } from './prepare.ts';
import { type Reconnected, Reconnector, type Session } from './reconnect.ts';
import { remark } from './remark.ts';
import { submitAttempt } from './submit.ts';
import { takenFrom } from './taken.ts';

/** How long to stay: until the end, until a moment (milliseconds of the clock), or only until it is submitted. */
export type Wait = 'until-ended' | { readonly until: number } | 'no';

export interface RunOptions {
  readonly wait: Wait;
  /** Whether a new attempt may be started: where none has a result, even if one has, or not at all. */
  readonly start: 'if-needed' | 'again' | 'never';
}

/** What this clone remembers of the run, so that one that nobody waits for any more is found, whatever ended the waiting. */
export interface RunMemory {
  /** `job` undefined: it is about to be submitted. */
  note(attempt: number, job: JobRef | undefined): void;
  /** There is no job. */
  forget(): void;
}

export type RunOutcome = CollectedResult | { readonly kind: 'waiting'; readonly waiting: WaitingOutcome };

/** The result of the commit's run: of an attempt that is there, of one that goes on, or of a new one. No job is started twice. */
export async function runCommit(
  context: GateContext,
  identified: Identified,
  place: Place,
  options: RunOptions,
  memory: RunMemory,
): Promise<Result<RunOutcome, GateError>> {
  context.emit({ event: 'connecting', place: place.name });
  const connected = await place.connect(context.signal);
  if (!connected.ok) return err({ reason: 'place', cause: connected.error });
  const session: Session = { place, connection: connected.value };
  try {
    return await new CommitRun(context, identified, session, options, memory).toTheEnd();
  } finally {
    await session.connection.close();
  }
}

/** What trying again can mend; all else says what to change. */
const passing: ReadonlySet<FailureReason> = new Set([
  'node-failed',
  'boot-failed',
  'preempted',
  'infrastructure-exception',
]);

/** How often the connection may break outside of following, which comes back by itself, before the user is told. */
const mostLosses = 5;

class CommitRun {
  readonly #context: GateContext;
  readonly #identified: Identified;
  readonly #session: Session;
  readonly #options: RunOptions;
  readonly #memory: RunMemory;
  readonly #patience: LettingGo;
  readonly #reconnector: Reconnector;
  /** The job that was submitted or found last. */
  #followed: { readonly attempt: number; readonly job: JobRef } | undefined;
  readonly #collector: Collector;
  #prepared: Prepared | undefined;
  #retries: number;
  /** Satisfied by the first attempt that this call starts. */
  #wantsNew: boolean;

  constructor(context: GateContext, identified: Identified, session: Session, options: RunOptions, memory: RunMemory) {
    this.#context = context;
    this.#identified = identified;
    this.#session = session;
    this.#options = options;
    this.#memory = memory;
    this.#collector = new Collector(context, identified, session);
    this.#retries = identified.config.retry.infrastructure;
    this.#wantsNew = options.start === 'again';
    const { wait } = options;
    this.#patience = {
      signal: context.signal,
      holdUntil: typeof wait === 'string' ? undefined : wait.until,
      now: () => context.now().getTime(),
    };
    this.#reconnector = new Reconnector(session, { ...this.#patience, emit: context.emit });
  }

  /** Each turn begins with a look at what is there, so that a lost connection costs one turn and nothing else. */
  async toTheEnd(): Promise<Result<RunOutcome, GateError>> {
    for (let losses = 0; ; ) {
      if (this.#context.signal.aborted) return err({ reason: 'aborted' });
      const done = await this.#turn();
      if (done.ok) {
        if (done.value === undefined) continue;
        return ok(done.value);
      }
      const lost = lostConnection(done.error);
      losses += 1;
      if (lost === undefined || losses > mostLosses || !this.#mayWait()) return done;
      const again = await this.#reconnector.reconnect(lost, true, this.#followed !== undefined);
      if (again.how !== 'back') return this.#notBack(again, done);
    }
  }

  /** Undefined: look again. */
  async #turn(): Promise<Result<RunOutcome | undefined, GateError>> {
    const looked = await this.#runs.look(this.#identified.fingerprint);
    if (!looked.ok) return err({ reason: 'runs', cause: looked.error, place: this.#place });
    const last = looked.value.at(-1);
    const next: Result<Next, GateError> = last === undefined ? ok({ submit: 1 }) : await this.#continueFrom(last);
    if (!next.ok) return next;
    if ('look' in next.value) return ok(undefined);
    if ('outcome' in next.value) return ok(next.value.outcome);
    if ('attach' in next.value) return this.#attach(next.value.attach);
    const { submit, after } = next.value;
    if (this.#options.start === 'never')
      return err({ reason: 'no-run', commit: this.#identified.commit, fingerprint: this.#identified.fingerprint });
    return this.#submit(submit, after);
  }

  #mayWait(): boolean {
    return this.#options.wait !== 'no' && !isHoldOver(this.#patience);
  }

  #notBack(
    again: Exclude<Reconnected, { how: 'back' }>,
    failed: Result<never, GateError>,
  ): Result<RunOutcome, GateError> {
    const { fingerprint } = this.#identified;
    const followed = this.#followed;
    if (again.how !== 'out-of-reach') {
      if (followed !== undefined) return ok(this.#waiting(again.how, followed.attempt, followed.job, undefined));
      return again.how === 'detached' ? err({ reason: 'aborted' }) : failed;
    }
    if (followed === undefined) return err({ reason: 'place', cause: again.error });
    return err({ reason: 'out-of-reach', cause: again.error, fingerprint, job: followed.job.id });
  }

  /** What an attempt that is there means for us. */
  async #continueFrom(last: AttemptFolder): Promise<Result<Next, GateError>> {
    const { job, attempt } = last;
    if (last.abandoned) return ok({ submit: attempt + 1 });
    if (job === undefined) return this.#settle(attempt);
    const asked = await this.#session.connection.scheduler.query([job]);
    // A scheduler that does not answer now may answer later: whoever follows asks again.
    if (!asked.ok && asked.error.reason === 'host')
      return err({ reason: 'query', cause: asked.error, place: this.#place });
    const status = asked.ok ? (asked.value.get(job.id) ?? ({ state: 'absent' } as const)) : undefined;
    const over = status?.state === 'ended' || (status?.state === 'absent' && last.finished);
    // The one that this call has followed is followed to its end: what comes then is bounded by `retry`.
    const isOurs = this.#followed?.attempt === attempt;
    if (!over || isOurs) return ok({ attach: { attempt, job, status, isOurs } });
    if (this.#wantsNew) return ok({ submit: attempt + 1 });
    const result = await this.#collector.collect(attempt, job, status);
    if (!result.ok) return result;
    // An error is not cached: whoever asks again gets another attempt, and who must not start one is told of it.
    const failed = failuresOf(result.value.run).infrastructure.length > 0;
    if (!failed || this.#options.start === 'never') return ok({ outcome: result.value });
    return ok({ submit: attempt + 1, after: result.value.run });
  }

  /** An attempt that somebody has claimed and of whose job nothing is written down. */
  async #settle(attempt: number): Promise<Result<Next, GateError>> {
    const settled = await this.#runs.settle(this.#identified.fingerprint, attempt);
    if (!settled.ok) {
      const { error } = settled;
      const place = this.#place;
      if (error.reason === 'folder') return err({ reason: 'runs', cause: error, place });
      return err({ reason: 'query', cause: error, place });
    }
    switch (settled.value.kind) {
      case 'job':
        return ok({ attach: { attempt, job: settled.value.job, status: undefined, isOurs: false } });
      case 'gone':
        return ok({ submit: attempt + 1 });
      case 'pending':
        this.#context.emit({ event: 'waiting-for-submitter', attempt });
        await sleep(1000);
        return ok({ look: true });
    }
  }

  /** Undefined: look again. `after`: what the attempt before it has left, which was an error. */
  async #submit(attempt: number, after?: RunResult): Promise<Result<RunOutcome | undefined, GateError>> {
    const prepared = this.#prepared === undefined ? await prepare(this.#context, this.#identified) : ok(this.#prepared);
    if (!prepared.ok) return prepared;
    if (this.#prepared === undefined) await remark(this.#context, this.#identified.commit, prepared.value);
    this.#prepared = prepared.value;
    this.#collector.plan = prepared.value.plan;
    const { connection } = this.#session;
    const submitted = await submitAttempt(this.#context, connection, this.#place, this.#identified, prepared.value, {
      attempt,
      ...takenFrom(after),
      onSubmit: () => this.#memory.note(attempt, undefined),
    });
    if (!submitted.ok) {
      const { error } = submitted;
      // Whether there is a job shows the attempt's folder, or the scheduler by the job's name.
      if (error.reason === 'submit' && error.cause.reason === 'ambiguous') return ok(undefined);
      if (error.reason === 'submit') this.#memory.forget();
      return submitted;
    }
    if (submitted.value.kind === 'claimed') return ok(undefined);
    this.#wantsNew = false;
    const { job } = submitted.value;
    this.#context.emit({ event: 'submitted', job: job.id, attempt, place: this.#place });
    return this.#follow(attempt, job, 'new');
  }

  async #attach({ attempt, job, status, isOurs }: Attached): Promise<Result<RunOutcome | undefined, GateError>> {
    this.#wantsNew = false;
    this.#context.emit({ event: 'attached', job: job.id, attempt, place: this.#place });
    // It was over, without a last word, before we came: nobody has waited for this error, and it is not cached.
    return this.#follow(attempt, job, status, !isOurs && status?.state === 'absent');
  }

  async #follow(
    attempt: number,
    job: JobRef,
    begins: FollowOptions['begins'],
    forgotten = false,
  ): Promise<Result<RunOutcome | undefined, GateError>> {
    const { fingerprint } = this.#identified;
    this.#memory.note(attempt, job);
    this.#followed = { attempt, job };
    if (this.#options.wait === 'no') return ok(this.#waiting('submitted', attempt, job, undefined));
    const partial = new PartialResults(
      () => this.#collector.soFar(attempt, job),
      this.#context.emit,
      this.#patience.now,
    );
    const end = await follow(
      this.#session,
      { fingerprint, attempt, job },
      {
        ...this.#patience,
        emit: job.tasks === undefined ? this.#context.emit : partial.heed,
        ...(begins === undefined ? {} : { begins }),
      },
    );
    partial.end();
    switch (end.how) {
      case 'hold-over':
      case 'detached':
        return ok(this.#waiting(end.how, attempt, job, end.last));
      case 'out-of-reach':
        return err({ reason: 'out-of-reach', cause: end.error, fingerprint, job: job.id });
      case 'ended': {
        const result = await this.#collector.collect(attempt, job, end.job, end.collected);
        if (!result.ok) return result;
        const [failure] = failuresOf(result.value.run).infrastructure;
        const mayStart = this.#options.start !== 'never';
        if (failure !== undefined && forgotten && end.job === undefined && mayStart)
          return this.#replace(result.value.run);
        if (failure === undefined || !mayStart || this.#retries === 0 || !passing.has(failure.reason)) return result;
        this.#retries -= 1;
        const of = this.#identified.config.retry.infrastructure + 1;
        this.#context.emit({ event: 'retrying', reason: failure.reason, attempt: of - this.#retries, of });
        return this.#submit(attempt + 1, result.value.run);
      }
    }
  }

  #waiting(
    why: WaitingOutcome['why'],
    attempt: number,
    job: JobRef,
    last: JobStatus | undefined,
  ): Extract<RunOutcome, { kind: 'waiting' }> {
    const { fingerprint, commit } = this.#identified;
    const known = last === undefined ? {} : { last };
    const about = { fingerprint, commit, place: this.#place, job: job.id, attempt };
    return { kind: 'waiting', waiting: { outcome: 'waiting', why, ...about, ...known } };
  }

  /** Should the scheduler remember a job that has not begun yet, it finds its attempt given up, and does nothing. */
  async #replace(before: RunResult): Promise<Result<RunOutcome | undefined, GateError>> {
    const { attempt } = before;
    const given = await this.#runs.abandon(this.#identified.fingerprint, attempt);
    return given.ok
      ? this.#submit(attempt + 1, before)
      : err({ reason: 'runs', cause: given.error, place: this.#place });
  }

  get #runs() {
    return this.#session.connection.runs;
  }
  get #place(): string {
    return this.#session.place.name;
  }
}

interface Attached {
  readonly attempt: number;
  readonly job: JobRef;
  /** What the scheduler said just now; undefined: it was not asked, or did not answer. */
  readonly status: JobStatus | undefined;
  /** This call has submitted it, or found it before. */
  readonly isOurs: boolean;
}
type Next =
  | { readonly look: true }
  | { readonly submit: number; readonly after?: RunResult }
  | { readonly attach: Attached }
  | { readonly outcome: RunOutcome };
