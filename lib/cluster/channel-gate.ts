/**
 * How many channels may be open at once. Servers allow ten sessions on a connection (MaxSessions), some fewer, and say so only by
 * refusing one: then the gate narrows to what was open at that moment.
 */
export class ChannelGate {
  #limit: number;
  #open = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }
  get open(): number {
    return this.#open;
  }

  /** False: given up by the signal before there was room. */
  enter(signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    if (this.#open < this.#limit) {
      this.#open += 1;
      return Promise.resolve(true);
    }
    return new Promise((resolve) => {
      const admit = () => {
        signal.removeEventListener('abort', give);
        this.#open += 1;
        resolve(true);
      };
      const give = () => {
        this.#waiting.splice(this.#waiting.indexOf(admit), 1);
        resolve(false);
      };
      signal.addEventListener('abort', give, { once: true });
      this.#waiting.push(admit);
    });
  }

  leave(): void {
    this.#open -= 1;
    while (this.#open < this.#limit) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      next();
    }
  }

  /** The server has refused a channel: give it back, and expect no more than the others. */
  refused(): void {
    this.#limit = Math.max(1, this.#open - 1);
    this.leave();
  }
}
