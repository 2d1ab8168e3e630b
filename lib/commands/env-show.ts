import { err, ok, type Result } from '../base/result.ts';
import { type EnvironmentFiles, type EnvironmentsError, readEnvironment } from '../cluster/environments.ts';
import type { Connection } from '../gate/place.ts';
import { envList, type ListedEnvironment } from './env-list.ts';

export interface ShownEnvironment {
  readonly now: number;
  /** `WORKDIR/envs/KEY` */
  readonly folder: string;
  readonly entry: ListedEnvironment;
  readonly files: EnvironmentFiles;
}

export type ChooseError =
  | EnvironmentsError
  /** `known`: those that are there. */
  | { readonly reason: 'no-environment'; readonly key: string; readonly known: readonly string[] }
  | { readonly reason: 'several-environments'; readonly key: string; readonly known: readonly string[] };

/** `mlops env show`: one of them by the beginning of its key. */
export async function envShow(
  connection: Pick<Connection, 'host' | 'scheduler' | 'workdir'>,
  key: string,
): Promise<Result<ShownEnvironment, ChooseError>> {
  const listed = await envList(connection);
  if (!listed.ok) return listed;
  const { environments, now } = listed.value;
  const chosen = chooseEnvironment(environments, key);
  if (!chosen.ok) return chosen;
  const entry = chosen.value;
  const files = await readEnvironment(connection.host, connection.workdir, entry.key);
  if (!files.ok) return files;
  return ok({ now, folder: `${connection.workdir}/envs/${entry.key}`, entry, files: files.value });
}

/** A whole key names one, though another begins with it: the same environment on another processor. */
export function chooseEnvironment(
  environments: readonly ListedEnvironment[],
  key: string,
): Result<ListedEnvironment, ChooseError> {
  const known = environments.map((entry) => entry.key);
  const whole = environments.find((entry) => entry.key === key);
  // As the list has them: the beginning, and the processor.
  const [, digits = key, processor = ''] = /^([^.]*)(\..*)?$/.exec(key) ?? [];
  const found =
    whole === undefined
      ? environments.filter((entry) => entry.key.startsWith(digits) && entry.key.endsWith(processor))
      : [whole];
  const [first] = found;
  if (first === undefined || key === '') return err({ reason: 'no-environment', key, known });
  if (found.length > 1) return err({ reason: 'several-environments', key, known: found.map((entry) => entry.key) });
  return ok(first);
}
