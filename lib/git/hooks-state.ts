import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ok, type Result } from '../base/result.ts';
import { guarded, type HookError, isExecutable, readText, withChain } from './hooks-file.ts';
import { type HookOptions, styleOf } from './hooks-install.ts';
import { addToLefthook, removeFromLefthook } from './hooks-lefthook.ts';
import { findHookPlace, type HookPlace } from './hooks-place.ts';
import { bytes, bytesOf, type HookName, hookNames, renderShim } from './hooks-shim.ts';
import { findBlock } from './hooks-text.ts';
import type { Repository } from './repository.ts';

export type HookState = 'installed' | 'outdated' | 'not-executable' | 'missing';

export interface FoundHooks {
  readonly place: HookPlace;
  readonly states: Readonly<Record<HookName, HookState>>;
}

/** For `mlops doctor`: what is in the place where hooks belong. Other tools overwrite hook files. */
export async function hookStates(repository: Repository, options: HookOptions): Promise<Result<FoundHooks, HookError>> {
  const found = await findHookPlace(repository, options.home);
  if (!found.ok) return found;
  const place = found.value;
  return guarded<FoundHooks>(async () => {
    if (place.kind === 'lefthook') {
      const text = await readFile(place.file, 'latin1');
      const wanted = await addToLefthook(place.file, text, bytesOf(options.shims), options.program);
      if (!wanted.ok) return wanted;
      const state = wanted.value === text ? 'installed' : removeFromLefthook(text) === text ? 'missing' : 'outdated';
      return ok({ place, states: { 'post-commit': state, 'pre-push': state, 'post-rewrite': state } });
    }
    const state = async (hook: HookName): Promise<HookState> => {
      const file = join(place.dir, hook);
      const text = await readText(file);
      const lines = bytes(renderShim(options.shims[hook], options.program, styleOf(place)));
      if (text === undefined || findBlock(text) === undefined) return 'missing';
      if (!(await isExecutable(file)) && place.kind !== 'husky') return 'not-executable';
      return withChain(text, lines) === text ? 'installed' : 'outdated';
    };
    const [postCommit, prePush, postRewrite] = await Promise.all(hookNames.map(state));
    return ok({
      place,
      states: {
        'post-commit': postCommit ?? 'missing',
        'pre-push': prePush ?? 'missing',
        'post-rewrite': postRewrite ?? 'missing',
      },
    });
  });
}
