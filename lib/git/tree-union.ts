import type { Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import { catFile } from './cat-file.ts';
import type { GitError } from './errors.ts';
import type { BytePath, TreeChange } from './fast-import.ts';
import { mergeBase } from './history.ts';
import { type GitPlace, git } from './spawn.ts';

export interface Difference {
  readonly path: BytePath;
  readonly mode: string;
  /** Undefined where that side has no such path. */
  readonly ours: string | undefined;
  readonly theirs: string | undefined;
}

/** Where two trees differ. Equal subtrees are skipped by their name: 100,000 equal reports cost nothing. */
export async function differences(
  place: GitPlace,
  ours: Oid,
  theirs: Oid,
): Promise<Result<readonly Difference[], GitError>> {
  const output = await git(place, ['diff-tree', '-r', '-z', '--raw', '--no-renames', '--full-index', ours, theirs]);
  if (!output.ok) return output;
  const fields = output.value.stdout.toString('latin1').split('\0');
  const found: Difference[] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) {
    const [, mode = '', before = '', after = ''] = (fields[at] ?? '').slice(1).split(' ');
    const oid = (text: string) => (/^0+$/.test(text) ? undefined : text);
    found.push({ path: fields[at + 1] ?? '', mode, ours: oid(before), theirs: oid(after) });
  }
  return ok(found);
}

/**
 * What to change in our tree so that it holds everything of both. A path that both changed is decided the same way
 * in every clone; the other content stays in the history.
 */
export async function unionOfReports(
  place: GitPlace,
  ours: Oid,
  theirs: Oid,
): Promise<Result<readonly TreeChange[], GitError>> {
  const found = await differences(place, ours, theirs);
  if (!found.ok) return found;
  const disputed = found.value.filter(
    (one) => one.ours !== undefined && one.theirs !== undefined && !one.path.includes('\n'),
  );
  const before = new Map<BytePath, string | undefined>();
  if (disputed.length > 0) {
    const base = await mergeBase(place, ours, theirs);
    if (!base.ok) return base;
    const names =
      base.value === undefined ? [] : disputed.map((one) => `${base.value}:${Buffer.from(one.path, 'latin1')}`);
    const read = await catFile(place, names, (index, object) => {
      const path = disputed[index]?.path;
      if (path !== undefined) before.set(path, object?.oid);
    });
    if (!read.ok) return read;
  }
  const taken = found.value.filter(({ path, ours, theirs }) => {
    if (theirs === undefined) return false;
    if (ours === undefined) return true;
    const base = before.get(path);
    return base === ours || (base !== theirs && theirs > ours);
  });
  return ok(taken.map(({ path, mode, theirs }) => ({ kind: 'link', path, mode, oid: theirs ?? '' })));
}
