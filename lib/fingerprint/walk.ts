import { type BigIntStats, type Dirent, lstatSync, readdirSync, statSync } from 'node:fs';
import { err, ok, type Result } from '../base/result.ts';
import type { DataFileProblem } from './errors.ts';
import { isSkippedFolder } from './file-kinds.ts';
import { statKey } from './stat-cache.ts';
import { codeOf } from './state-file.ts';

/** Not the whole stat: with 10,000 of those alive the garbage collector takes longer than the disk. */
export interface FoundFile {
  readonly path: string;
  /** statKey() of it. */
  readonly key: string;
  readonly size: number;
  /** Its content is not there: it is in DVC's cache, under its MD5. */
  readonly cached?: { readonly file: string; readonly md5: string; readonly old: boolean };
}
export interface WalkProblem {
  readonly reason: DataFileProblem;
  readonly path: string;
  readonly detail: string;
}
interface Walk {
  readonly top: string;
  readonly wanted: (path: string) => boolean;
  /** Known from elsewhere (the commit): not even looked at. */
  readonly known: (path: string) => boolean;
  readonly found: FoundFile[];
}

/**
 * The files at or below `base` (relative to `top`; empty for the top itself) that are wanted. Links are followed, out
 * of the repository too: scratch disks are linked in. What does not exist gives no files.
 */
export function walk(
  top: string,
  base: string,
  wanted: (path: string) => boolean,
  known: (path: string) => boolean,
): Result<readonly FoundFile[], WalkProblem> {
  const state: Walk = { top, wanted, known, found: [] };
  const problem = base === '' ? visitFolder(state, '') : visitBase(state, base);
  return problem === undefined ? ok(state.found) : err(problem);
}

function visitBase(state: Walk, base: string): WalkProblem | undefined {
  const stat = attempt(base, () => lstatSync(`${state.top}/${base}`, { bigint: true }));
  if (!stat.ok) return stat.error.detail === 'ENOENT' || stat.error.detail === 'ENOTDIR' ? undefined : stat.error;
  return stat.value.isDirectory() ? visitFolder(state, base) : visitOther(state, base, stat.value);
}

function visitFolder(state: Walk, folder: string): WalkProblem | undefined {
  const list = attempt(folder, (): Dirent[] => readdirSync(`${state.top}/${folder}`, { withFileTypes: true }));
  if (!list.ok) return list.error.detail === 'ENOENT' ? undefined : list.error;
  for (const entry of list.value) {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isDirectory()) {
      const problem = isSkippedFolder(entry.name) ? undefined : visitFolder(state, path);
      if (problem !== undefined) return problem;
      continue;
    }
    if (entry.name === '.git' || state.known(path) || (entry.isFile() && !state.wanted(path))) continue;
    const stat = attempt(path, () => lstatSync(`${state.top}/${path}`, { bigint: true }));
    if (!stat.ok) {
      if (stat.error.detail !== 'ENOENT') return stat.error;
      // Deleted meanwhile; unless readdir could not say its name at all.
      if (entry.name.includes('\ufffd')) return { reason: 'bad-name', path, detail: 'not UTF-8' };
      continue;
    }
    const problem = visitOther(state, path, stat.value);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

/** In one piece: V8 keeps a concatenation as its parts until somebody looks into it, in more than twice the room. */
function whole(text: string): string {
  text.charCodeAt(0);
  return text;
}

function visitOther(state: Walk, path: string, stat: BigIntStats): WalkProblem | undefined {
  if (stat.isFile()) {
    if (state.wanted(path)) state.found.push({ path: whole(path), key: whole(statKey(stat)), size: Number(stat.size) });
    return undefined;
  }
  if (!stat.isSymbolicLink()) {
    return state.wanted(path) ? { reason: 'special-file', path, detail: kindOf(stat) } : undefined;
  }
  const target = attempt(path, () => statSync(`${state.top}/${path}`, { bigint: true }));
  if (!target.ok) {
    if (!state.wanted(path)) return undefined;
    return target.error.detail === 'ENOENT' ? { reason: 'broken-link', path, detail: 'ENOENT' } : target.error;
  }
  if (!target.value.isDirectory()) return visitOther(state, path, target.value);
  return isAmongAncestors(state.top, path, target.value)
    ? { reason: 'link-loop', path, detail: 'leads to a folder above it' }
    : visitFolder(state, path);
}

/** Only a link can close a circle, so only here are the folders above asked. */
function isAmongAncestors(top: string, path: string, folder: BigIntStats): boolean {
  for (let end = path.lastIndexOf('/'); ; end = path.lastIndexOf('/', end - 1)) {
    const above = statSync(`${top}/${end < 0 ? '' : path.slice(0, end)}`, { bigint: true });
    if (above.ino === folder.ino && above.dev === folder.dev) return true;
    if (end <= 0) return false;
  }
}

function kindOf(stat: BigIntStats): string {
  if (stat.isFIFO()) return 'fifo';
  if (stat.isSocket()) return 'socket';
  return stat.isCharacterDevice() || stat.isBlockDevice() ? 'device' : 'unknown';
}

function attempt<T>(path: string, call: () => T): Result<T, WalkProblem> {
  try {
    return ok(call());
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    return err({ reason: code === 'ELOOP' ? 'link-loop' : 'unreadable', path, detail: code });
  }
}
