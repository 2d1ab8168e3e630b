import { ok, type Result } from '../base/result.ts';
import {
  type EnvironmentEntry,
  type EnvironmentsError,
  type EnvironmentUser,
  listEnvironments,
} from '../cluster/environments.ts';
import type { QueryError } from '../cluster/scheduler.ts';
import type { Connection } from '../gate/place.ts';
import { environmentUsers } from './environment-users.ts';

export interface ListedEnvironment extends EnvironmentEntry {
  /** Runs that have not ended and use it. */
  readonly runs: number;
}
export interface EnvironmentList {
  /** Seconds since the epoch, by the clock there. */
  readonly now: number;
  readonly workdir: string;
  /** The one that was used last is first. */
  readonly environments: readonly ListedEnvironment[];
  /** Attempts without a last word that use none of them any more: their job is known to be over. */
  readonly dead: readonly EnvironmentUser[];
  readonly unsure?: QueryError;
}

/** When it was last used; of one that is not ready, when something in it last changed. */
export const lastUse = ({ usedAt, changedAt }: EnvironmentEntry): number => usedAt ?? changedAt ?? 0;

/** `mlops env list`: what is below `WORKDIR/envs`. */
export async function envList({
  host,
  scheduler,
  workdir,
}: Pick<Connection, 'host' | 'scheduler' | 'workdir'>): Promise<Result<EnvironmentList, EnvironmentsError>> {
  const survey = await listEnvironments(host, workdir);
  if (!survey.ok) return survey;
  const { live, dead, unsure } = await environmentUsers(scheduler, survey.value.users);
  const runs = (key: string) => live.filter((user) => user.key === key.slice(0, user.key.length)).length;
  return ok({
    now: survey.value.now,
    workdir,
    environments: survey.value.environments
      .map((entry) => ({ ...entry, runs: runs(entry.key) }))
      .sort((a, b) => lastUse(b) - lastUse(a)),
    dead,
    ...(unsure === undefined ? {} : { unsure }),
  });
}
