import { rm, stat } from 'node:fs/promises';
import { ok, type Result } from '../base/result.ts';
import type { GitError } from '../git/errors.ts';
import type { HookAction, HookError } from '../git/hooks-file.ts';
import { uninstallHooks } from '../git/hooks-install.ts';
import { displayRef, fetchNotes, remotes, removeSetting, type Setting } from '../git/local-settings.ts';
import type { Repository } from '../git/repository.ts';

/** What was taken away. The config, the reports and the notes stay. */
export interface UninstallReport {
  readonly hooks: readonly HookAction[];
  readonly settings: readonly Setting[];
  /** The folder of caches and records, if there was one. */
  readonly state?: string;
  readonly failures: readonly UninstallFailure[];
  readonly changed: boolean;
}
export type UninstallFailure =
  | { readonly part: 'hooks'; readonly error: HookError }
  | { readonly part: 'settings'; readonly error: GitError }
  | { readonly part: 'state'; readonly reason: 'not-writable'; readonly file: string; readonly detail: string };

/** Exactly what `init` added. `mlops.cluster.*` is the user's own and stays. */
export async function uninstall(repository: Repository, home: string | undefined): Promise<UninstallReport> {
  const failures: UninstallFailure[] = [];
  const hooks = await uninstallHooks(repository, home);
  if (!hooks.ok) failures.push({ part: 'hooks', error: hooks.error });
  const settings: Setting[] = [];
  const removed = await removeSettings(repository, settings);
  if (!removed.ok) failures.push({ part: 'settings', error: removed.error });
  const hadState = await stat(repository.stateDir).then(
    () => true,
    () => false,
  );
  let gone = false;
  if (hadState) {
    try {
      await rm(repository.stateDir, { recursive: true, force: true });
      gone = true;
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      failures.push({ part: 'state', reason: 'not-writable', file: repository.stateDir, detail });
    }
  }
  const actions = hooks.ok ? hooks.value : [];
  return {
    hooks: actions,
    settings,
    ...(gone ? { state: repository.stateDir } : {}),
    failures,
    changed: actions.length > 0 || settings.length > 0 || gone,
  };
}

async function removeSettings(repository: Repository, settings: Setting[]): Promise<Result<void, GitError>> {
  const names = await remotes(repository);
  if (!names.ok) return names;
  const ours: [string, string?][] = [
    [displayRef.key, displayRef.value],
    ...names.value.map((name): [string, string] => [`remote.${name}.fetch`, fetchNotes]),
    ['mlops.trusted'],
    ['mlops.node'],
    ['mlops.program'],
  ];
  for (const [key, value] of ours) {
    const removed = await removeSetting(repository, key, value);
    if (!removed.ok) return removed;
    if (removed.value !== undefined) settings.push(removed.value);
  }
  return ok(undefined);
}
