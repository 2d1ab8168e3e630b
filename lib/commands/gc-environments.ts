import { err, ok, type Result } from '../base/result.ts';
import { type EnvironmentEntry, type EnvironmentsError, removeEnvironment } from '../cluster/environments.ts';
import type { Connection } from '../gate/place.ts';
import { type EnvironmentList, envList, type ListedEnvironment, lastUse } from './env-list.ts';

export interface EnvironmentLimits {
  readonly olderThanDays: number;
  /** Those that are longest unused go until the rest is no larger than this. */
  readonly maxEnvironmentBytes?: number;
}

export interface FreedEnvironments {
  /** Seconds since the epoch, by the clock there. */
  readonly now: number;
  /** What went, or would go. */
  readonly environments: readonly ListedEnvironment[];
  /** `envs/KEY` of what could not be removed whole, and why. */
  readonly left: readonly string[];
  readonly stderr: string;
}

const day = 86_400;

/**
 * Never one that a run uses, that is being built, or that was used within a day: a push may be about to use it. Those that failed or were
 * interrupted count like the others.
 */
export function planEnvironments(
  { environments, now }: Pick<EnvironmentList, 'environments' | 'now'>,
  { olderThanDays, maxEnvironmentBytes }: EnvironmentLimits,
): readonly ListedEnvironment[] {
  const free = environments
    .filter((entry) => entry.runs === 0 && entry.state !== 'building' && now - lastUse(entry) >= day)
    .sort((a, b) => lastUse(a) - lastUse(b));
  const isOld = (entry: ListedEnvironment) => now - lastUse(entry) >= olderThanDays * day;
  const chosen = free.filter(isOld);
  if (maxEnvironmentBytes === undefined) return chosen;
  let left = bytesOf(environments) - bytesOf(chosen);
  for (const entry of free.filter((entry) => !isOld(entry))) {
    if (left <= maxEnvironmentBytes) break;
    chosen.push(entry);
    left -= entry.bytes ?? 0;
  }
  return chosen;
}

export const bytesOf = (environments: readonly EnvironmentEntry[]): number =>
  environments.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);

/** The environments' part of `mlops gc`. What began to be used since the look stays. */
export async function gcEnvironments(
  { host, scheduler, workdir }: Pick<Connection, 'host' | 'scheduler' | 'workdir'>,
  limits: EnvironmentLimits & { readonly dryRun: boolean },
): Promise<Result<FreedEnvironments, EnvironmentsError>> {
  const listed = await envList({ host, scheduler, workdir });
  if (!listed.ok) return listed;
  const { now, dead } = listed.value;
  const planned = planEnvironments(listed.value, limits);
  if (limits.dryRun) return ok({ now, environments: planned, left: [], stderr: '' });
  const gone: ListedEnvironment[] = [];
  const left: string[] = [];
  const words: string[] = [];
  for (const entry of planned) {
    const removed = await removeEnvironment(host, workdir, entry.key, dead, { idle: true });
    if (removed.ok) {
      if (removed.value.outcome === 'removed') gone.push(entry);
    } else if (removed.error.reason === 'host') return err(removed.error);
    else {
      left.push(`envs/${entry.key}`);
      words.push(removed.error.stderr);
    }
  }
  return ok({ now, environments: gone, left, stderr: words.join('\n') });
}
