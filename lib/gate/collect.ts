import { err, ok, type Result } from '../base/result.ts';
import type { RunStore } from '../cluster/run-store.ts';
import type { JobEnd, JobRef } from '../cluster/scheduler.ts';
import { parseResult } from '../job/parse-result.ts';
import type { JobPlan } from '../job/types.ts';
import type { RunResult } from '../verdict/types.ts';
import type { GateContext } from './context.ts';
import type { Identified } from './identify.ts';
import type { GateError } from './outcome.ts';
import { planCommit } from './prepare.ts';
import type { Session } from './reconnect.ts';

export interface CollectedResult {
  readonly kind: 'result';
  readonly run: RunResult;
  readonly log: string;
  /** Where the run's large files are. */
  readonly store: string;
}

/** Fetches what an attempt has left, and reads it by the plan of its run. */
export class Collector {
  readonly #context: GateContext;
  readonly #identified: Identified;
  readonly #session: Session;
  /** Whoever has made it already saves us the same again. */
  plan: JobPlan | undefined;

  constructor(context: GateContext, identified: Identified, session: Session) {
    this.#context = context;
    this.#identified = identified;
    this.#session = session;
  }

  async collect(
    attempt: number,
    job: JobRef,
    end: JobEnd | { readonly state: 'absent' } | undefined,
    /** Begun before its end was certain: where the connection did not live that long, it is begun anew. */
    early?: ReturnType<RunStore['collect']>,
  ): Promise<Result<CollectedResult, GateError>> {
    const plan = await this.#planned();
    if (!plan.ok) return plan;
    this.#context.emit({ event: 'collecting' });
    return this.#read(plan.value, attempt, job, end, early);
  }

  /** What there is of a run that goes on, as if it had ended now. */
  async soFar(attempt: number, job: JobRef): Promise<Result<RunResult, GateError>> {
    const plan = await this.#planned();
    if (!plan.ok) return plan;
    const read = await this.#read(plan.value, attempt, job);
    return read.ok ? ok(read.value.run) : read;
  }

  async #read(
    plan: JobPlan,
    attempt: number,
    job: JobRef,
    end?: JobEnd | { readonly state: 'absent' },
    early?: ReturnType<RunStore['collect']>,
  ): Promise<Result<CollectedResult, GateError>> {
    const { connection, place } = this.#session;
    const begun = await early;
    const collected = begun?.ok ? begun : await connection.runs.collect(this.#identified.fingerprint, attempt);
    if (!collected.ok) return err({ reason: 'runs', cause: collected.error, place: place.name });
    const { files, log } = collected.value;
    const known = end?.state === 'ended' ? { end } : {};
    const run = await parseResult({
      plan,
      attempt,
      files,
      logTail: log,
      cluster: place.name,
      job: { id: job.id, ...known },
    });
    const { host, workdir } = connection;
    return ok({ kind: 'result', run, log, store: host.kind === 'local' ? workdir : `${host.name}:${workdir}` });
  }

  /** Reading results needs the plan, and no secrets. */
  async #planned(): Promise<Result<JobPlan, GateError>> {
    if (this.plan !== undefined) return ok(this.plan);
    const planned = await planCommit(this.#context, this.#identified, { secrets: 'none', build: 'if-before' });
    if (!planned.ok) return planned;
    this.plan = planned.value.plan;
    return ok(this.plan);
  }
}
