import type { Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { catFile } from './cat-file.ts';
import { type Computed, computeFiles, type WrittenFile } from './computed-files.ts';
import type { GitError } from './errors.ts';
import { bytePath, committerOf, importCommits, type NewCommit, rootCommit, type TreeChange } from './fast-import.ts';
import { identity, mergeBase } from './history.ts';
import { leftLock } from './left-lock.ts';
import { listBelow } from './list-below.ts';
import { addLines, gatherUnion, noteChanges, type PendingNotes } from './note-tree.ts';
import {
  type BranchError,
  canonicalNotes,
  displayedNotes,
  type ReportRefs,
  readReportRefs,
  reportsRef,
} from './report-refs.ts';
import type { Repository } from './repository.ts';
import { jitter } from './retry.ts';
import { git } from './spawn.ts';
import { unionOfReports } from './tree-union.ts';

export type RecordError =
  | GitError
  | BranchError
  | { readonly reason: 'raced'; readonly tries: number; readonly last: GitError }
  /** A git that was killed has left its lock file behind, and only a person can say so. */
  | { readonly reason: 'lock-left'; readonly lock: string; readonly last: GitError };

/** Everything that is to be in the reports branch and the notes afterwards, besides what is there. */
export interface Advance {
  readonly branch: string;
  readonly files: ReadonlyMap<string, string | Uint8Array>;
  /** Prefixes of paths of which none is to be there afterwards. */
  readonly removed?: readonly string[];
  readonly notes: ReadonlyMap<Oid, readonly string[]>;
  readonly message: string;
  /** Commits to merge: what a remote has. */
  readonly theirReports: readonly Oid[];
  readonly theirNotes: readonly Oid[];
  readonly computed?: Computed;
}

export interface Advanced {
  /** Undefined where there is nothing yet. */
  readonly reports: Oid | undefined;
  readonly notes: Oid | undefined;
  readonly changed: boolean;
  readonly tries: number;
}

const maxTries = 60;

/** Moves branch and notes together in one transaction; a writer that came between means starting over from what it wrote. */
export async function advance(repository: Repository, request: Advance): Promise<Result<Advanced, RecordError>> {
  for (let tries = 1; ; tries++) {
    const refs = await readReportRefs(repository, request.branch);
    if (!refs.ok) return refs;
    const targets = await buildTargets(repository, request, refs.value);
    if (!targets.ok) return targets;
    const moves = movesTo(request.branch, refs.value, targets.value);
    if (moves.length === 0) return ok({ ...targets.value, changed: false, tries });
    const moved = await moveRefs(repository, moves);
    if (moved.ok) return ok({ ...targets.value, changed: true, tries });
    if (moved.error.reason !== 'lock') return moved;
    const lock = await leftLock(repository, moved.error);
    if (lock !== undefined) return err({ reason: 'lock-left', lock, last: moved.error });
    if (tries === maxTries) return err({ reason: 'raced', tries, last: moved.error });
    await jitter(tries, 250);
  }
}

interface Targets {
  readonly reports: Oid | undefined;
  readonly notes: Oid | undefined;
}

async function buildTargets(
  repository: Repository,
  request: Advance,
  refs: ReportRefs,
): Promise<Result<Targets, GitError>> {
  const reports = await joinHistories(repository, refs.branch, request.theirReports);
  if (!reports.ok) return reports;
  const displayed = refs.displayed === undefined ? [] : [refs.displayed];
  const notes = await joinHistories(repository, refs.notes, [...displayed, ...request.theirNotes]);
  if (!notes.ok) return notes;
  const files = [...request.files].map(([path, content]) => ({ path, content: Buffer.from(content) }));

  const needsRoot =
    (files.length > 0 && reports.value.base === undefined) ||
    (request.notes.size > 0 && notes.value.base === undefined);
  const root = needsRoot ? await rootCommit(repository) : undefined;
  if (root?.ok === false) return root;
  const reportsBase = reports.value.base ?? (files.length > 0 ? root?.value : undefined);
  const notesBase = notes.value.base ?? (request.notes.size > 0 ? root?.value : undefined);

  const commits: { readonly side: 'reports' | 'notes'; readonly commit: NewCommit }[] = [];
  if (reportsBase !== undefined) {
    const changes = await reportChanges(repository, reportsBase, reports.value.merges, files, request);
    if (!changes.ok) return changes;
    const commit = {
      base: reportsBase,
      merges: reports.value.merges,
      message: request.message,
      changes: changes.value,
    };
    if (commit.merges.length > 0 || commit.changes.length > 0) commits.push({ side: 'reports', commit });
  }
  if (notesBase !== undefined) {
    const pending: PendingNotes = new Map();
    for (const theirs of notes.value.merges) {
      const gathered = await gatherUnion(repository, pending, notesBase, theirs);
      if (!gathered.ok) return gathered;
    }
    for (const [commit, lines] of request.notes) addLines(pending, commit, lines.map(oneLine));
    const changes = await noteChanges(repository, pending, notesBase);
    if (!changes.ok) return changes;
    const commit = { base: notesBase, merges: notes.value.merges, message: request.message, changes: changes.value };
    if (commit.merges.length > 0 || commit.changes.length > 0) commits.push({ side: 'notes', commit });
  }
  let targets: Targets = { reports: reportsBase, notes: notesBase };
  if (commits.length === 0) return ok(targets);

  const committer = await identity(repository);
  if (!committer.ok) return committer;
  const made = await importCommits(
    repository,
    committerOf(committer.value),
    commits.map(({ commit }) => commit),
  );
  if (!made.ok) return made;
  commits.forEach(({ side }, index) => {
    targets = { ...targets, [side]: made.value[index] };
  });
  return ok(targets);
}

/** A note is merged line by line, so a line must be one. */
const oneLine = (line: string): string => line.replace(/\s*\n\s*/g, ' ');

/** Fast-forwards where possible; what has really diverged is left to be merged. */
async function joinHistories(
  repository: Repository,
  ours: Oid | undefined,
  theirs: readonly Oid[],
): Promise<Result<{ readonly base: Oid | undefined; readonly merges: readonly Oid[] }, GitError>> {
  let base = ours;
  let waiting = [...new Set(theirs)];
  const merges: Oid[] = [];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    if (next === base) continue;
    if (base === undefined) {
      base = next;
      continue;
    }
    const common = await mergeBase(repository, base, next);
    if (!common.ok) return common;
    if (common.value === next) continue;
    if (common.value === base) {
      base = next;
      // What had diverged from the old base may be part of the new one.
      waiting = [...waiting, ...merges.splice(0)];
    } else merges.push(next);
  }
  return ok({ base, merges });
}

async function reportChanges(
  repository: Repository,
  base: Oid,
  merges: readonly Oid[],
  given: readonly WrittenFile[],
  { computed, removed = [] }: Advance,
): Promise<Result<readonly TreeChange[], GitError>> {
  const moves = merges.length > 0 || given.length > 0;
  const made = moves && computed !== undefined ? await computeFiles(repository, [base, ...merges], computed) : ok([]);
  if (!made.ok) return made;
  const files = [...given, ...made.value];
  const own = new Set(made.value.map(({ path }) => bytePath(path)));
  const changes: TreeChange[] = [];
  for (const theirs of merges) {
    const union = await unionOfReports(repository, base, theirs);
    if (!union.ok) return union;
    changes.push(...union.value.filter(({ path }) => !own.has(path)));
  }
  const old = await listBelow(repository, base, removed);
  if (!old.ok) return old;
  changes.push(...old.value.map(({ path }): TreeChange => ({ kind: 'delete', path: bytePath(path) })));
  // Writing the same report again is no commit.
  const known = new Set<string>();
  const asked = files.filter((file) => !file.path.includes('\n'));
  const read = await catFile(
    repository,
    asked.map((file) => `${base}:${file.path}`),
    (index, object) => {
      const file = asked[index];
      if (file !== undefined && object?.type === 'blob' && object.content.equals(file.content)) known.add(file.path);
    },
  );
  if (!read.ok) return read;
  const fresh = files.filter((file) => !known.has(file.path));
  return ok([
    ...changes,
    ...fresh.map((file): TreeChange => ({ kind: 'write', path: bytePath(file.path), content: file.content })),
  ]);
}

interface Move {
  readonly ref: string;
  readonly from: Oid | undefined;
  readonly to: Oid;
}

function movesTo(branch: string, refs: ReportRefs, targets: Targets): Move[] {
  const moves = [
    { ref: reportsRef(branch), from: refs.branch, to: targets.reports },
    { ref: canonicalNotes, from: refs.notes, to: targets.notes },
    { ref: displayedNotes, from: refs.displayed, to: targets.notes },
  ];
  return moves.flatMap(({ ref, from, to }) => (to === undefined || to === from ? [] : [{ ref, from, to }]));
}

/** All or none, and only from where we saw them (git-update-ref(1), --stdin -z). */
async function moveRefs(repository: Repository, moves: readonly Move[]): Promise<Result<unknown, GitError>> {
  const zero = '0'.repeat(repository.objectFormat === 'sha1' ? 40 : 64);
  const lines = moves.map(({ ref, from, to }) => `update ${ref}\0${to}\0${from ?? zero}\0`);
  // A reflog entry names somebody, and must not fail where nobody is configured.
  const { GIT_COMMITTER_NAME = 'mlops', GIT_COMMITTER_EMAIL = 'mlops@localhost' } = repository.env;
  const env = { GIT_COMMITTER_NAME, GIT_COMMITTER_EMAIL };
  return git(repository, ['update-ref', '--stdin', '-z', '-m', 'mlops: record'], {
    stdin: `start\0${lines.join('')}commit\0`,
    env,
  });
}
