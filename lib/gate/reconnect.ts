import type { HostError } from '../cluster/host.ts';
import type { EventSink } from './events.ts';
import { isHoldOver, type LettingGo, sleepUntil, untilLetGo } from './let-go.ts';
import type { Connection, Place, PlaceError } from './place.ts';

/** The connection to a place: replaced by a new one when it is lost. Whoever opened it closes what is there in the end. */
export interface Session {
  readonly place: Place;
  connection: Connection;
}

export interface ReconnectOptions extends LettingGo {
  readonly emit: EventSink;
}

export type Reconnected =
  | { readonly how: 'back' }
  | { readonly how: 'detached' | 'hold-over' }
  | { readonly how: 'out-of-reach'; readonly error: PlaceError };

const giveUpAfterSeconds = 30 * 60;
/** A connection that breaks sooner was none: the next try waits longer than the last one. */
const goodConnectionSeconds = 60;

/** Comes back to a place whose connection was lost, with growing pauses; for half an hour in which nothing was heard. */
export class Reconnector {
  readonly #session: Session;
  readonly #options: ReconnectOptions;
  #connectedAt: number;
  #lostSince: number | undefined;
  #tries = 0;

  constructor(session: Session, options: ReconnectOptions) {
    this.#session = session;
    this.#options = options;
    this.#connectedAt = options.now();
  }

  /** `heard`: the connection that is lost now has brought something. `hasJob`: there is one, and it goes on. */
  async reconnect(error: HostError, heard: boolean, hasJob: boolean): Promise<Reconnected> {
    const { emit, now, signal } = this.#options;
    if (this.#lostSince === undefined || heard) this.#lostSince = now();
    if (now() - this.#connectedAt > goodConnectionSeconds * 1000) this.#tries = 0;
    await this.#session.connection.close();
    for (;;) {
      const wait = backoffSeconds(this.#tries++);
      emit({ event: 'connection-lost', error, retryInSeconds: Math.round(wait), hasJob });
      await sleepUntil(wait, this.#options);
      if (signal.aborted) return { how: 'detached' };
      if (isHoldOver(this.#options)) return { how: 'hold-over' };
      const again = await this.#session.place.connect(untilLetGo(this.#options));
      if (again.ok) {
        this.#session.connection = again.value;
        this.#connectedAt = now();
        return { how: 'back' };
      }
      if (signal.aborted) return { how: 'detached' };
      if (isHoldOver(this.#options)) return { how: 'hold-over' };
      if (now() - this.#lostSince > giveUpAfterSeconds * 1000) return { how: 'out-of-reach', error: again.error };
    }
  }
}

const backoffSeconds = (tries: number): number => Math.min(60, 2 ** tries) * (0.5 + Math.random());
