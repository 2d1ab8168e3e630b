import type { Config } from '../config/types.ts';
import type { Repository } from '../git/repository.ts';
import type { EventSink } from './events.ts';
import type { Place } from './place.ts';

/** What the gate works with; lib/cli puts it together. */
export interface GateContext {
  readonly repo: Repository;
  /** The place that a config names: a cluster, or this machine. */
  readonly placeFor: (config: Config) => Place;
  /** Our own templates' folder. */
  readonly templates: string;
  /** Where values of `secrets:` come from. */
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => Date;
  readonly emit: EventSink;
  /** The user's: Ctrl-C lets go, and never cancels. */
  readonly signal: AbortSignal;
  /** `mlops-hpc 0.1.0`, for reports. */
  readonly tool: string;
}

/** Nanoseconds since 1970, as precise as the system's clock gives them to us. */
export const nowNs = (context: Pick<GateContext, 'now'>): bigint => BigInt(context.now().getTime()) * 1_000_000n;
