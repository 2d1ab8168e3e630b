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

/** Where two trees differ, or what the second has not any more. Equal subtrees are skipped by their name: 100,000 equal reports cost nothing. */
export async function differences(
  place: GitPlace,
  ours: Oid,
  theirs: Oid,
  which: 'all' | 'removed' = 'all',
): Promise<Result<readonly Difference[], GitError>> {
  const filter = which === 'removed' ? ['--diff-filter=D'] : [];
  const options = ['-r', '-z', '--raw', '--no-renames', '--full-index', ...filter];
  const output = await git(place, ['diff-tree', ...options, ours, theirs]);
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
 * What to change in our tree so that it holds everything of both, without what one of them has removed since their histories parted
 * (`mlops gc --reports`) and the other has left alone. A path that both changed is decided the same way in every clone; the other content
 * stays in the history.
 */
export async function unionOfReports(
  place: GitPlace,
  ours: Oid,
  theirs: Oid,
): Promise<Result<readonly TreeChange[], GitError>> {
  const found = await differences(place, ours, theirs);
  if (!found.ok) return found;
  const base = await mergeBase(place, ours, theirs);
  if (!base.ok) return base;
  const before = await contentsBefore(place, base.value, { ours, theirs }, found.value);
  if (!before.ok) return before;
  return ok(
    found.value.flatMap(({ path, mode, ours, theirs }): readonly TreeChange[] => {
      const old = before.value.get(path);
      if (theirs === undefined) return ours === old ? [{ kind: 'delete', path }] : [];
      const taken = ours === undefined ? theirs !== old : old === ours || (old !== theirs && theirs > ours);
      return taken ? [{ kind: 'link', path, mode, oid: theirs }] : [];
    }),
  );
}

/** By path what was there when the two parted, of paths that both have, and of those that one of them has removed since. */
async function contentsBefore(
  place: GitPlace,
  base: Oid | undefined,
  sides: { readonly ours: Oid; readonly theirs: Oid },
  found: readonly Difference[],
): Promise<Result<ReadonlyMap<BytePath, string>, GitError>> {
  const before = new Map<BytePath, string>();
  if (base === undefined) return ok(before);
  // Only a side on which something is missing can have removed it.
  const suspects = [
    ...(found.some(({ ours }) => ours === undefined) ? [sides.ours] : []),
    ...(found.some(({ theirs }) => theirs === undefined) ? [sides.theirs] : []),
  ];
  for (const side of suspects) {
    const since = await differences(place, base, side, 'removed');
    if (!since.ok) return since;
    for (const { path, ours: old } of since.value) if (old !== undefined) before.set(path, old);
  }
  const disputed = found.filter(
    (one) => one.ours !== undefined && one.theirs !== undefined && !one.path.includes('\n'),
  );
  const read = await catFile(
    place,
    disputed.map((one) => `${base}:${Buffer.from(one.path, 'latin1')}`),
    (index, object) => {
      const path = disputed[index]?.path;
      if (path !== undefined && object !== undefined) before.set(path, object.oid);
    },
  );
  return read.ok ? ok(before) : read;
}
