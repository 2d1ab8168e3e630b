import { asOid, isOid, type Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import type { GitError } from './errors.ts';
import { findNotes, noteLines } from './note-tree.ts';
import { listRefs } from './refs.ts';
import { canonicalNotes, displayedNotes } from './report-refs.ts';
import type { Repository } from './repository.ts';
import { git } from './spawn.ts';

/** Ours, the displayed ones, and what remotes had: whoever wrote a line, it is found. */
async function noteTips(repository: Repository): Promise<Result<readonly Oid[], GitError>> {
  const refs = await listRefs(repository, [canonicalNotes, displayedNotes, 'refs/mlops/remotes/*/notes']);
  return refs.ok ? ok([...new Set(refs.value.map((ref) => ref.oid))]) : refs;
}

/** The lines noted on these commits, sorted; a commit without a note is left out. */
export async function readNotes(
  repository: Repository,
  commits: readonly Oid[],
): Promise<Result<ReadonlyMap<Oid, readonly string[]>, GitError>> {
  const tips = await noteTips(repository);
  if (!tips.ok) return tips;
  const found = await findNotes(repository, tips.value, commits);
  if (!found.ok) return found;
  const lines = new Map<Oid, Set<string>>();
  for (const { commit, text } of found.value) {
    lines.set(commit, new Set([...(lines.get(commit) ?? []), ...noteLines(text)]));
  }
  return ok(new Map([...lines].map(([commit, all]) => [commit, [...all].sort()])));
}

export interface LatestNote {
  readonly commit: Oid;
  readonly lines: readonly string[];
  /** When it was last written: seconds since the epoch. */
  readonly notedAt: number;
}

/**
 * The commits that were noted last, newest first; they need not be in this clone. Looks back over ten times `max` writes, or (in seconds
 * since the epoch) to a moment.
 */
export async function latestNotes(
  repository: Repository,
  max: number,
  since?: number,
): Promise<Result<readonly LatestNote[], GitError>> {
  const tips = await noteTips(repository);
  if (!tips.ok) return tips;
  if (tips.value.length === 0) return ok([]);
  const args = [
    '-c',
    'log.showSignature=false',
    'log',
    '-z',
    '--name-only',
    '--no-renames',
    '--diff-filter=AM',
    '--format=tformat:@%ct',
    ...(Number.isFinite(max) ? [`--max-count=${max * 10}`] : []),
    ...(since === undefined ? [] : [`--max-age=${since}`]),
  ];
  const output = await git(repository, [...args, ...tips.value, '--']);
  if (!output.ok) return output;
  const times = new Map<Oid, number>();
  let time = 0;
  for (const field of output.value.stdout.toString('latin1').split(/[\0\n]/)) {
    const commit = field.replaceAll('/', '');
    if (field.startsWith('@')) time = Number(field.slice(1));
    else if (isOid(commit) && !times.has(asOid(commit))) times.set(asOid(commit), time);
  }
  const chosen = [...times].slice(0, max);
  const notes = await readNotes(
    repository,
    chosen.map(([commit]) => commit),
  );
  if (!notes.ok) return notes;
  return ok(
    chosen.flatMap(([commit, notedAt]) => {
      const lines = notes.value.get(commit);
      return lines === undefined ? [] : [{ commit, lines, notedAt }];
    }),
  );
}
