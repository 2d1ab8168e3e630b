import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ok, type Result } from '../base/result.ts';
import { guarded, type HookAction, type HookError, installFile, removeFile, writeHook } from './hooks-file.ts';
import { addToLefthook, removeFromLefthook } from './hooks-lefthook.ts';
import { findHookPlace, gitHooks, type HookPlace, lefthookConfig } from './hooks-place.ts';
import { bytes, bytesOf, type HookProgram, hookNames, renderShim, type ShimStyle, type Shims } from './hooks-shim.ts';
import type { Repository } from './repository.ts';

export interface InstalledHooks {
  readonly place: HookPlace;
  readonly actions: readonly HookAction[];
}

export interface HookOptions {
  readonly program: HookProgram;
  readonly shims: Shims;
  /** The user's home folder: core.hooksPath may be in it. */
  readonly home: string | undefined;
}

/** The package's `hooks/` folder. */
export async function readShims(folder: string): Promise<Shims> {
  const [postCommit, prePush, postRewrite] = await Promise.all(
    hookNames.map((name) => readFile(join(folder, name), 'utf8')),
  );
  return { 'post-commit': postCommit ?? '', 'pre-push': prePush ?? '', 'post-rewrite': postRewrite ?? '' };
}

/** Puts our hooks in the one right place, and takes them from where an earlier `init` had put them. Doing it again changes nothing. */
export async function installHooks(
  repository: Repository,
  options: HookOptions,
): Promise<Result<InstalledHooks, HookError>> {
  const place = await findHookPlace(repository, options.home);
  if (!place.ok) return place;
  return guarded(async () => {
    const chosen = place.value.kind === 'lefthook' ? place.value.file : place.value.dir;
    const moved = await removeAll(repository, undefined, chosen);
    const added =
      place.value.kind === 'lefthook'
        ? await installLefthook(place.value.file, options)
        : await installFiles(place.value.dir, styleOf(place.value), options);
    return added.ok ? ok({ place: place.value, actions: [...moved, ...added.value] }) : added;
  });
}

/** Takes our lines from wherever they are; every file is byte for byte what it was before. */
export async function uninstallHooks(
  repository: Repository,
  home: string | undefined,
): Promise<Result<readonly HookAction[], HookError>> {
  const place = await findHookPlace(repository, home);
  if (!place.ok && place.error.reason !== 'hooks-path-foreign') return place;
  const dir = place.ok && place.value.kind !== 'lefthook' ? place.value.dir : undefined;
  return guarded(async () => ok(await removeAll(repository, dir)));
}

export function styleOf(place: Exclude<HookPlace, { kind: 'lefthook' }>): ShimStyle {
  if (place.kind === 'git') return 'own';
  return place.kind === 'hooks-path' && place.of === 'user' ? 'shared' : 'tracked';
}

async function installFiles(
  dir: string,
  style: ShimStyle,
  { shims, program }: HookOptions,
): Promise<Result<readonly HookAction[], HookError>> {
  await mkdir(dir, { recursive: true });
  const actions: HookAction[] = [];
  for (const hook of hookNames) {
    const action = await installFile(join(dir, hook), hook, bytes(renderShim(shims[hook], program, style)));
    if (!action.ok) return action;
    actions.push(action.value);
  }
  return ok(actions);
}

async function installLefthook(
  file: string,
  { shims, program }: HookOptions,
): Promise<Result<readonly HookAction[], HookError>> {
  const before = await readFile(file, 'latin1');
  const after = await addToLefthook(file, before, bytesOf(shims), program);
  if (!after.ok) return after;
  if (after.value === before) return ok([{ hook: undefined, file, action: 'unchanged' }]);
  await writeHook(file, after.value);
  return ok([{ hook: undefined, file, action: removeFromLefthook(before) === before ? 'added' : 'updated' }]);
}

/** Every place that could hold our lines, but the one that is to hold them. */
async function removeAll(
  repository: Repository,
  dir: string | undefined,
  except?: string,
): Promise<readonly HookAction[]> {
  const { top } = repository;
  const folders = [
    gitHooks(repository),
    ...(top === undefined ? [] : [join(top, '.husky')]),
    ...(dir === undefined ? [] : [dir]),
  ];
  const actions: HookAction[] = [];
  for (const folder of new Set(folders)) {
    if (folder === except) continue;
    for (const hook of hookNames) actions.push(...(await removeFile(join(folder, hook), hook)));
  }
  const lefthook = top === undefined ? undefined : await lefthookConfig(top);
  if (lefthook === undefined || lefthook === except) return actions;
  const text = await readFile(lefthook, 'latin1');
  const without = removeFromLefthook(text);
  if (without === text) return actions;
  await writeHook(lefthook, without);
  return [...actions, { hook: undefined, file: lefthook, action: 'removed' }];
}
