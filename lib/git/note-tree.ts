import { asOid, isOid, type Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import { catFile } from './cat-file.ts';
import type { GitError } from './errors.ts';
import type { TreeChange } from './fast-import.ts';
import type { GitPlace } from './spawn.ts';
import { differences } from './tree-union.ts';

/** The lines of a note, sorted and without repeats (`cat_sort_uniq` of git-notes(1)): a union in any order is the same. */
export type NoteLines = ReadonlySet<string>;
export const noteLines = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '');

// A notes tree may be flat or spread over folders of two digits to any depth; git reads all (notes.c, load_subtree).
// We write depth 1, always, so that merging two trees is a union of paths; `git notes add` may write another one.
const atDepth = (oid: Oid, depth: number) =>
  [...Array.from({ length: depth }, (_, level) => oid.slice(level * 2, level * 2 + 2)), oid.slice(depth * 2)].join('/');
const depths = [1, 0, 2, 3];

export interface FoundNote {
  readonly commit: Oid;
  readonly path: string;
  readonly text: string;
}

/** The notes of these commits in several notes trees, with one process. */
export async function findNotes(
  place: GitPlace,
  trees: readonly Oid[],
  commits: readonly Oid[],
): Promise<Result<readonly FoundNote[], GitError>> {
  const places = trees.flatMap((tree) =>
    commits.flatMap((commit) => depths.map((depth) => ({ tree, commit, path: atDepth(commit, depth) }))),
  );
  const found: FoundNote[] = [];
  const read = await catFile(
    place,
    places.map(({ tree, path }) => `${tree}:${path}`),
    (index, object) => {
      const at = places[index];
      if (at !== undefined && object?.type === 'blob')
        found.push({ commit: at.commit, path: at.path, text: object.content.toString() });
    },
  );
  return read.ok ? ok(found) : read;
}

/** Notes to be written into one tree: lines gathered from several places, and the paths they replace. */
export type PendingNotes = Map<Oid, { readonly lines: Set<string>; readonly replaces: Set<string> }>;

export function addLines(pending: PendingNotes, commit: Oid, lines: Iterable<string>, replaces?: string): void {
  const entry = pending.get(commit) ?? { lines: new Set<string>(), replaces: new Set<string>() };
  for (const line of lines) entry.lines.add(line);
  if (replaces !== undefined) entry.replaces.add(replaces);
  pending.set(commit, entry);
}

/** Adds to `pending` what `theirs` knows and `ours` does not; reads only what differs. */
export async function gatherUnion(
  place: GitPlace,
  pending: PendingNotes,
  ours: Oid,
  theirs: Oid,
): Promise<Result<void, GitError>> {
  const found = await differences(place, ours, theirs);
  if (!found.ok) return found;
  const noteOf = (path: string) => path.replaceAll('/', '');
  // A note that only we have needs nothing, unless they keep one for the same commit at another path.
  const theirNotes = new Set(found.value.filter((one) => one.theirs !== undefined).map((one) => noteOf(one.path)));
  const wanted = found.value.filter((one) => isOid(noteOf(one.path)) && theirNotes.has(noteOf(one.path)));
  const blobs = wanted.flatMap(({ path, ours, theirs }) => [
    ...(ours === undefined ? [] : [{ path, oid: ours, isOurs: true }]),
    ...(theirs === undefined ? [] : [{ path, oid: theirs, isOurs: false }]),
  ]);
  return catFile(
    place,
    blobs.map((blob) => blob.oid),
    (index, object) => {
      const blob = blobs[index];
      if (blob === undefined || object === undefined) return;
      addLines(
        pending,
        asOid(noteOf(blob.path)),
        noteLines(object.content.toString()),
        blob.isOurs ? blob.path : undefined,
      );
    },
  );
}

/** Adds lines to what the tree says of these commits already. Unchanged notes drop out. */
export async function noteChanges(
  place: GitPlace,
  pending: PendingNotes,
  tree: Oid,
): Promise<Result<readonly TreeChange[], GitError>> {
  const found = await findNotes(place, [tree], [...pending.keys()]);
  if (!found.ok) return found;
  const existing = new Map<Oid, FoundNote[]>();
  for (const note of found.value) existing.set(note.commit, [...(existing.get(note.commit) ?? []), note]);
  const changes: TreeChange[] = [];
  for (const [commit, { lines, replaces }] of pending) {
    const old = existing.get(commit) ?? [];
    const all = new Set([...lines, ...old.flatMap((note) => noteLines(note.text))]);
    const text = `${[...all].sort().join('\n')}\n`;
    const path = atDepth(commit, 1);
    const others = new Set([...replaces, ...old.map((note) => note.path)].filter((other) => other !== path));
    if (others.size === 0 && old.some((note) => note.path === path && note.text === text)) continue;
    changes.push(...[...others].map((other): TreeChange => ({ kind: 'delete', path: other })));
    changes.push({ kind: 'write', path, content: Buffer.from(text) });
  }
  return ok(changes);
}
