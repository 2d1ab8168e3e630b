import type { EnvironmentUser } from '../cluster/environments.ts';
import type { QueryError, Scheduler } from '../cluster/scheduler.ts';

export interface EnvironmentUsers {
  readonly live: readonly EnvironmentUser[];
  readonly dead: readonly EnvironmentUser[];
  /** The scheduler did not answer, so that every run without a last word counts as live. */
  readonly unsure?: QueryError;
}

/**
 * A killed job leaves no last word. It is over where the scheduler says so, or where nothing was heard for a day and the scheduler
 * does not know it; what belongs to somebody else, or cannot be asked about, is alive.
 */
export async function environmentUsers(
  scheduler: Pick<Scheduler, 'query'>,
  users: readonly EnvironmentUser[],
): Promise<EnvironmentUsers> {
  const jobs = users.flatMap(({ own, job }) => (own && job !== undefined ? [job] : []));
  if (users.length === 0) return { live: [], dead: [] };
  const asked = jobs.length === 0 ? undefined : await scheduler.query(jobs);
  if (asked?.ok === false) return { live: users, dead: [], unsure: asked.error };
  const isOver = ({ own, quiet, job }: EnvironmentUser): boolean => {
    if (!own) return false;
    const state = job === undefined ? 'absent' : (asked?.value.get(job.id)?.state ?? 'absent');
    return state === 'ended' || (state === 'absent' && quiet);
  };
  return { live: users.filter((user) => !isOver(user)), dead: users.filter(isOver) };
}
