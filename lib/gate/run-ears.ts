import type { Fingerprint } from '../base/ids.ts';
import type { Result } from '../base/result.ts';
import type { HostError } from '../cluster/host.ts';
import type { Collected, RunStoreError, WatchEvent } from '../cluster/run-store.ts';
import type { JobRef } from '../cluster/scheduler.ts';
import type { EventSink } from './events.ts';
import type { Connection } from './place.ts';
import type { RunKnowledge } from './run-knowledge.ts';

export interface Following {
  readonly fingerprint: Fingerprint;
  readonly attempt: number;
  readonly job: JobRef;
  /** Of an array: this task's files alone. */
  readonly task?: number;
  /** How many bytes of the log are known already. */
  readonly logFrom?: number;
}

export interface EarsOptions {
  readonly signal: AbortSignal;
  readonly now: () => number;
  readonly emit: EventSink;
}

/** One connection's ears on the job's own files: by a loop on the far side, or by a look once in a while. */
export class RunEars {
  readonly #connection: Connection;
  readonly #run: Following;
  readonly #known: RunKnowledge;
  readonly #options: EarsOptions;
  #stop: AbortController | undefined;
  #watching: Promise<void> | undefined;
  #wake: () => void = () => {};
  /** What ended it, where that was the connection. */
  lost: HostError | undefined;
  /** The connection has brought something. */
  heard = false;
  /** The results, which are complete once the last word is there: fetched while the scheduler is asked. */
  collected: Promise<Result<Collected, RunStoreError>> | undefined;

  constructor(connection: Connection, run: Following, known: RunKnowledge, options: EarsOptions) {
    this.#connection = connection;
    this.#run = run;
    this.#known = known;
    this.#options = options;
  }

  /** Called with each event. */
  onEvent(wake: () => void): void {
    this.#wake = wake;
  }

  /** Starts the loop on the far side, or ends it. */
  async listen(yes: boolean): Promise<void> {
    if (yes) this.#watching ??= this.#hear(this.#begin(), false);
    else await this.close();
  }

  async look(): Promise<void> {
    this.#known.looked(this.#options.now());
    await this.#hear(this.#begin(), true);
    this.#stop = undefined;
  }

  async close(): Promise<void> {
    this.#stop?.abort();
    await this.#watching;
    this.#watching = undefined;
    this.#stop = undefined;
  }

  #begin(): AbortSignal {
    this.#stop = new AbortController();
    return AbortSignal.any([this.#stop.signal, this.#options.signal]);
  }

  async #hear(signal: AbortSignal, once: boolean): Promise<void> {
    const { fingerprint, attempt, task } = this.#run;
    const from = { logFrom: this.#known.log, once, ...(task === undefined ? {} : { task }) };
    for await (const event of this.#connection.runs.watch(fingerprint, attempt, signal, from)) this.#take(event);
  }

  #take(event: WatchEvent): void {
    const { emit, now } = this.#options;
    const { fingerprint, attempt, job, task } = this.#run;
    if (event.kind === 'lost') this.lost = event.error;
    else this.heard = true;
    const status = this.#known.hear(event, now());
    if (status !== undefined) emit({ event: 'status', status, job: job.id });
    if (event.kind === 'log') emit({ event: 'log', text: event.text, left: event.left });
    else if (event.kind === 'state' && event.name === 'now') emit({ event: 'progress', line: event.text.trim() });
    if (event.kind === 'state' && event.name === 'end' && task === undefined)
      this.collected ??= this.#connection.runs.collect(fingerprint, attempt);
    this.#wake();
  }
}
