import type { Result } from '../base/result.ts';
import { nameIn, type Summary, summarise } from '../verdict/sample.ts';
import type { RunResult } from '../verdict/types.ts';
import type { EventSink, GateEvent } from './events.ts';

/** Milliseconds: fetching what all tasks have left so far is not done for each that ends. */
const every = 30_000;

/** What the tasks of an array that have ended measured, while others run or wait. Where it cannot be fetched, nothing is said of it. */
export class PartialResults {
  readonly #fetch: () => Promise<Result<RunResult, unknown>>;
  readonly #emit: EventSink;
  readonly #now: () => number;
  #ended = 0;
  #askedAt = Number.NEGATIVE_INFINITY;
  #over = false;

  constructor(fetch: () => Promise<Result<RunResult, unknown>>, emit: EventSink, now: () => number) {
    this.#fetch = fetch;
    this.#emit = emit;
    this.#now = now;
  }

  /** Passes the event on, and fetches where it says that more tasks have ended. */
  readonly heed = (event: GateEvent): void => {
    this.#emit(event);
    if (event.event !== 'progress') return;
    const [ended = 0, tasks = 0] = (/^(\d+) of (\d+) tasks ended/.exec(event.line) ?? []).slice(1).map(Number);
    // The last one's are the results themselves.
    if (ended <= this.#ended || ended >= tasks || this.#now() - this.#askedAt < every) return;
    this.#ended = ended;
    this.#askedAt = this.#now();
    void this.#tell();
  };

  /** Whatever is still on its way comes too late. */
  end(): void {
    this.#over = true;
  }

  async #tell(): Promise<void> {
    const fetched = await this.#fetch();
    if (!fetched.ok || this.#over) return;
    const metrics = summaries(fetched.value);
    if (Object.keys(metrics).length > 0) this.#emit({ event: 'partial', metrics });
  }
}

/** By metric, of one combination each: the numbers that there are. */
function summaries({ tasks = [] }: RunResult): Readonly<Record<string, Summary>> {
  const values = new Map<string, number[]>();
  for (const { combination, metrics } of tasks) {
    for (const [metric, reading] of Object.entries(metrics)) {
      if (reading.kind !== 'number') continue;
      const name = nameIn(metric, combination);
      values.set(name, [...(values.get(name) ?? []), reading.value]);
    }
  }
  return Object.fromEntries([...values].map(([name, numbers]) => [name, summarise(numbers)]));
}
