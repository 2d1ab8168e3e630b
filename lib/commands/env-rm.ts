import { err, ok, type Result } from '../base/result.ts';
import { type EnvironmentUser, listEnvironments, removeEnvironment } from '../cluster/environments.ts';
import type { Connection } from '../gate/place.ts';
import type { ListedEnvironment } from './env-list.ts';
import type { ChooseError } from './env-show.ts';
import { environmentUsers } from './environment-users.ts';

export type EnvRmError =
  | ChooseError
  | { readonly reason: 'environment-used'; readonly key: string; readonly users: readonly EnvironmentUser[] }
  | { readonly reason: 'environment-locked'; readonly key: string; readonly owner: string };

/** `mlops env rm`: never what a run uses that has not ended. */
export async function envRm(
  { host, scheduler, workdir }: Pick<Connection, 'host' | 'scheduler' | 'workdir'>,
  { key }: Pick<ListedEnvironment, 'key'>,
): Promise<Result<void, EnvRmError>> {
  const survey = await listEnvironments(host, workdir);
  if (!survey.ok) return survey;
  const mine = survey.value.users.filter((user) => key.startsWith(user.key));
  const { live, dead } = await environmentUsers(scheduler, mine);
  if (live.length > 0) return err({ reason: 'environment-used', key, users: live });
  const removed = await removeEnvironment(host, workdir, key, dead);
  if (!removed.ok) return removed;
  const { value } = removed;
  switch (value.outcome) {
    case 'removed':
      return ok(undefined);
    case 'absent':
      return err({ reason: 'no-environment', key, known: [] });
    case 'locked':
      return err({ reason: 'environment-locked', key, owner: value.owner });
    case 'used':
      return err({ reason: 'environment-used', key, users: value.users });
  }
}
