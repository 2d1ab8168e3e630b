import type { Config } from '../config/types.ts';
import { isLitter } from './file-kinds.ts';
import { isGlob, matcher, tidy } from './glob.ts';

/** An entry of `data:` with a path, ready to be asked. */
export interface PathEntry {
  /** As the config has it: the key in `Inputs.data`. */
  readonly name: string;
  readonly writable: boolean;
  /** False also for a file or folder whose name merely looks like a glob. */
  readonly glob: boolean;
  /** The folder, or the path itself, under which everything of the entry is. Empty: the top. */
  readonly base: string;
  readonly matches: (path: string) => boolean;
}

/** `exists` tells whether the worktree has a file of exactly that name: `data[1].csv` may be one. */
export function pathEntries(config: Config, exists: (path: string) => boolean): readonly PathEntry[] {
  return config.data.flatMap((entry) => {
    if (entry.kind !== 'path') return [];
    const path = tidy(entry.path);
    const glob = isGlob(path) && !exists(path);
    const named = { name: entry.path, writable: entry.writable, glob };
    if (!glob) {
      const inside = path === '' || path === '.' ? '' : `${path}/`;
      const matches = (file: string) => file === path || (file.startsWith(inside) && !isLitter(file));
      return [{ ...named, base: inside.slice(0, -1), matches }];
    }
    return [{ ...named, base: literalBase(path), matches: globMatcher(path) }];
  });
}

/** A glob that matches a folder stands for all that is in it, as in a shell. */
function globMatcher(pattern: string): (path: string) => boolean {
  const matches = matcher(pattern);
  const folders = new Map<string, boolean>();
  const folderMatches = (folder: string): boolean => {
    if (folder === '') return false;
    const known = folders.get(folder);
    if (known !== undefined) return known;
    const answer = matches(folder) || folderMatches(parent(folder));
    folders.set(folder, answer);
    return answer;
  };
  return (path) => !isLitter(path) && (matches(path) || folderMatches(parent(path)));
}

const parent = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/')));

function literalBase(pattern: string): string {
  const segments = pattern.split('/');
  const first = segments.findIndex(isGlob);
  return segments.slice(0, first).join('/');
}

/** Absolute, or climbing out: the job could not find it in its copy of the tree. */
export const leavesTop = (path: string): boolean => path.startsWith('/') || path.split('/').includes('..');
