import type { Sha256 } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { EnvironmentsError } from '../cluster/environments.ts';
import { planGc } from '../cluster/gc-plan.ts';
import type { QueryError, Scheduler } from '../cluster/scheduler.ts';
import {
  type GcAttempt,
  type GcDone,
  type GcError,
  type GcItem,
  type GcOptions,
  openStoreGc,
} from '../cluster/store-gc.ts';
import type { Connection } from '../gate/place.ts';
import type { ListedEnvironment } from './env-list.ts';
import { type EnvironmentLimits, gcEnvironments } from './gc-environments.ts';

export interface GcRequest extends GcOptions, EnvironmentLimits {
  /** List what would go; nothing is changed. */
  readonly dryRun: boolean;
  /** Also hash every object, and remove the damaged ones. */
  readonly verify: boolean;
  readonly signal?: AbortSignal;
}

export interface GcReport extends GcDone {
  readonly dryRun: boolean;
  /** Seconds since the epoch, by the clock there. */
  readonly now: number;
  /** What went, or would go, but for environments. */
  readonly items: readonly GcItem[];
  /** Those that went, or would go; the one that is longest unused is first. */
  readonly environments: readonly ListedEnvironment[];
  /** Of the objects among them. What else goes is not measured: that would be one more walk. */
  readonly bytes: number;
  /** Runs that have not ended: they and what they use were left alone. */
  readonly live: readonly GcAttempt[];
  /** The scheduler did not answer, so that every run without a last word counts as live. */
  readonly unsure?: QueryError;
  readonly damaged?: readonly Sha256[];
}

/** `mlops gc`: content, what runs have left, and environments. */
export async function gc(
  connection: Connection,
  request: GcRequest,
): Promise<Result<GcReport, GcError | EnvironmentsError>> {
  const store = openStoreGc(connection.host, connection.workdir);
  const surveyed = await store.survey(request, request.signal);
  if (!surveyed.ok) return surveyed;
  const { live, unsure } = await liveAttempts(connection.scheduler, surveyed.value.attempts);
  const items = planGc(surveyed.value, new Set(live.map(({ path }) => path)), request);
  const done = request.dryRun ? ok({ left: [], stderr: '' }) : await store.remove(items, request, request.signal);
  if (!done.ok) return done;
  const environments = await gcEnvironments(connection, request);
  if (!environments.ok) return environments;
  const verified = request.verify ? await store.verify({ remove: !request.dryRun }, request.signal) : undefined;
  if (verified?.ok === false) return err(verified.error);
  const left = new Set(done.value.left);
  const gone = items.filter(({ path }) => !left.has(path));
  const stderr = [done.value.stderr, environments.value.stderr, verified?.value.stderr ?? '']
    .filter((text) => text !== '')
    .join('\n');
  return ok({
    dryRun: request.dryRun,
    items: gone,
    now: environments.value.now,
    environments: environments.value.environments,
    bytes: gone.reduce((sum, item) => sum + (item.kind === 'object' ? item.bytes : 0), 0),
    live,
    left: [...done.value.left, ...environments.value.left],
    stderr,
    ...(unsure === undefined ? {} : { unsure }),
    ...(verified === undefined ? {} : { damaged: verified.value.damaged }),
  });
}

/** Whoever shows a sign of life, belongs to somebody else, or cannot be asked about, is alive. */
async function liveAttempts(
  scheduler: Scheduler,
  attempts: readonly GcAttempt[],
): Promise<{ readonly live: readonly GcAttempt[]; readonly unsure?: QueryError }> {
  const open = attempts.filter(({ ended }) => !ended);
  const doubtful = open.filter(({ old, own }) => old && own);
  const jobs = doubtful.flatMap(({ job }) => (job === undefined ? [] : [job]));
  const asked = jobs.length === 0 ? ok(new Map()) : await scheduler.query(jobs);
  if (!asked.ok) return { live: open, unsure: asked.error };
  const dead = new Set(
    doubtful.filter(({ job }) => {
      const state = job === undefined ? 'absent' : asked.value.get(job.id)?.state;
      return state === 'ended' || state === 'absent';
    }),
  );
  return { live: open.filter((attempt) => !dead.has(attempt)) };
}
