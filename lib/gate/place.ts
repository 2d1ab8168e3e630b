import type { Result } from '../base/result.ts';
import type { ContentStore } from '../cluster/content-store.ts';
import type { Host, HostError } from '../cluster/host.ts';
import type { RunStore } from '../cluster/run-store.ts';
import type { Scheduler } from '../cluster/scheduler.ts';

/** Where runs happen. The gate never learns whether it is a login node or this machine; lib/cli chooses. */
export interface Place {
  /** For people: the host, or `this machine`. */
  readonly name: string;
  connect(signal: AbortSignal): Promise<Result<Connection, PlaceError>>;
}

/** One connection, with everything that is done through it. */
export interface Connection {
  readonly host: Host;
  readonly scheduler: Scheduler;
  readonly runs: RunStore;
  readonly store: ContentStore;
  /** Absolute, on the host. */
  readonly workdir: string;
  close(): Promise<void>;
}

export type PlaceError =
  | { readonly reason: 'host'; readonly cause: HostError }
  /** `cluster.workdir` names a variable that is not set there, is not absolute, or cannot be written. */
  | { readonly reason: 'workdir'; readonly workdir: string; readonly host: string; readonly detail: string }
  /** This user is not in `cluster.group`; `groups` is what `id -Gn` says there. */
  | { readonly reason: 'not-in-group'; readonly group: string; readonly groups: string; readonly host: string };
