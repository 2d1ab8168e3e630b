import type { Step } from '../config/types.ts';
import { mentionsExtension, mentionsStem } from './mentions.ts';
import { namedFiles, textOf } from './steps.ts';

/**
 * For each step, the files of the tree that belong to later steps alone and so do not count for it: changing the
 * evaluation must not train again. A file is kept back only while nothing that counts for the step could use it.
 */
export function withoutByStep(
  steps: readonly Step[],
  isFile: (path: string) => boolean,
  /** Of each file that counts: which of those files its code mentions. */
  mentions: ReadonlyMap<string, ReadonlySet<string>>,
  /** Runs before every step. */
  setup: string,
): readonly (readonly string[])[] {
  const named = steps.map((step) => namedFiles(step, isFile));
  const firstUse = new Map<string, number>();
  named.forEach((files, step) => {
    for (const file of files) if (!firstUse.has(file)) firstUse.set(file, step);
  });
  return steps.map((_, step) => {
    const without = new Set([...firstUse].filter(([, first]) => first > step).map(([file]) => file));
    const definitions = [setup, ...steps.slice(0, step + 1).map(textOf)];
    // Taking one file back may reveal that it mentions another: until nothing changes.
    for (let before = -1; before !== without.size; ) {
      before = without.size;
      for (const file of without) if (couldBeUsed(file, without, mentions, definitions)) without.delete(file);
    }
    return [...without].sort();
  });
}

function couldBeUsed(
  file: string,
  without: ReadonlySet<string>,
  mentions: ReadonlyMap<string, ReadonlySet<string>>,
  definitions: readonly string[],
): boolean {
  if (definitions.some((text) => mentionsStem(text, file) || mentionsExtension(text, file))) return true;
  for (const [path, files] of mentions) if (!without.has(path) && files.has(file)) return true;
  return false;
}
