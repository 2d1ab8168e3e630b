import { unreachable } from '../../base/unreachable.ts';
import type { HookAction } from '../../git/hooks-file.ts';
import type { HookPlace } from '../../git/hooks-place.ts';
import { paragraph, said } from './layout.ts';

/** As people see it from the top of their repository. */
export const relativeTo = (top: string, path: string): string =>
  path.startsWith(`${top}/`) ? path.slice(top.length + 1) : path;

export function hookPlaceText(place: HookPlace, top: string): string {
  const at = said(relativeTo(top, place.kind === 'lefthook' ? place.file : place.dir), 80);
  switch (place.kind) {
    case 'git':
      return `in ${at}, of this clone alone`;
    case 'husky':
      return `in ${at}: tracked files, which husky starts`;
    case 'lefthook':
      return `in ${at}: a tracked file, which lefthook reads`;
    case 'hooks-path':
      return place.of === 'user'
        ? `in ${at} (core.hooksPath), for all of your repositories: they do nothing where mlops is not set up`
        : `in ${at} (core.hooksPath): tracked files`;
    default:
      return unreachable(place);
  }
}

const words = {
  created: () => 'new',
  added: () => 'lines added to what was there',
  updated: () => 'our lines brought up to date',
  unchanged: () => '',
  'moved-aside': (original) => `what was there is now ${original}, and is called after ours`,
  removed: () => 'our lines taken out of what is there',
  deleted: () => 'gone',
  restored: (original) => `again what had been moved aside to ${original}`,
} satisfies Record<HookAction['action'], (original: string) => string>;

/** A line for each hook that was touched; those with the same fate on one. */
export function hookLines(hooks: readonly HookAction[], top: string, label = ''): readonly string[] {
  const fates = new Map<string, string[]>();
  for (const { action, hook, file, original = '' } of hooks) {
    const fate = words[action](said(relativeTo(top, original), 80));
    if (fate !== '') fates.set(fate, [...(fates.get(fate) ?? []), hook ?? said(relativeTo(top, file), 80)]);
  }
  return paragraph(
    label,
    [...fates].map(([fate, names]) => `${names.join(', ')}: ${fate}`),
  );
}
