import { asOid, type Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import { type Advanced, advance, type RecordError } from './advance.ts';
import { catFile } from './cat-file.ts';
import type { Computed } from './computed-files.ts';
import type { GitError } from './errors.ts';
import { listBelow } from './list-below.ts';
import { listRefs } from './refs.ts';
import { canonicalNotes, displayedNotes, reportsRef } from './report-refs.ts';
import type { Repository } from './repository.ts';

export interface RecordRequest {
  /** The reports branch, without refs/heads/. */
  readonly branch: string;
  readonly files: ReadonlyMap<string, string | Uint8Array>;
  /** Prefixes of paths to remove. They stay in the branch's history. */
  readonly removed?: readonly string[];
  /** Lines to add to the note of each commit. */
  readonly notes: ReadonlyMap<Oid, readonly string[]>;
  readonly message: string;
  readonly computed?: Computed;
}

/**
 * Adds files to the reports branch (or removes some) and lines to notes, both or neither, whoever else writes at the same time. What is
 * there already makes no commit. No worktree and no index is touched.
 */
export async function record(repository: Repository, request: RecordRequest): Promise<Result<Advanced, RecordError>> {
  return advance(repository, { ...request, theirReports: [], theirNotes: [] });
}

/** Takes in what a fetch put into the displayed notes, and shows everything that we know there again. */
export async function syncDisplayedNotes(
  repository: Repository,
  branch = 'mlops',
): Promise<Result<{ readonly changed: boolean }, RecordError>> {
  const refs = await listRefs(repository, [canonicalNotes, displayedNotes]);
  if (!refs.ok) return refs;
  const at = (name: string) => refs.value.find((ref) => ref.name === name)?.oid;
  if (at(canonicalNotes) === at(displayedNotes)) return ok({ changed: false });
  const joined = await record(repository, { branch, files: new Map(), notes: new Map(), message: 'Join notes\n' });
  return joined.ok ? ok({ changed: joined.value.changed }) : joined;
}

export interface ReportPath {
  readonly path: string;
  readonly oid: Oid;
}
export interface ReportFile extends ReportPath {
  readonly content: Buffer;
}

/** This clone's branch first, then what was fetched from remotes, by us or by the user's own `git fetch`. */
async function reportTips(repository: Repository, branch: string): Promise<Result<readonly Oid[], GitError>> {
  const own = reportsRef(branch);
  const refs = await listRefs(repository, [own, `refs/remotes/*/${branch}`, `refs/mlops/remotes/*/heads/${branch}`]);
  if (!refs.ok) return refs;
  const sorted = [...refs.value].sort((a, b) => Number(b.name === own) - Number(a.name === own));
  return ok([...new Set(sorted.map((ref) => ref.oid))]);
}

/** Files whose path begins with one of the prefixes, here or in a remote's copy. The same path comes twice if the contents differ. */
export async function listPaths(
  repository: Repository,
  branch: string,
  pathPrefixes: string | readonly string[],
): Promise<Result<readonly ReportPath[], GitError>> {
  const tips = await reportTips(repository, branch);
  if (!tips.ok) return tips;
  const prefixes = typeof pathPrefixes === 'string' ? [pathPrefixes] : pathPrefixes;
  const found = new Map<string, ReportPath>();
  for (const tip of tips.value) {
    const below = await listBelow(repository, tip, prefixes);
    if (!below.ok) return below;
    for (const { path, oid } of below.value) found.set(`${path}\0${oid}`, { path, oid });
  }
  return ok([...found.values()]);
}

/** The same with contents; of those whose path ends so. */
export async function readFiles(
  repository: Repository,
  branch: string,
  pathPrefixes: string | readonly string[],
  ending = '',
): Promise<Result<readonly ReportFile[], GitError>> {
  const listed = await listPaths(repository, branch, pathPrefixes);
  if (!listed.ok) return listed;
  const paths = listed.value.filter(({ path }) => path.endsWith(ending));
  const files: ReportFile[] = [];
  const read = await catFile(
    repository,
    paths.map((file) => file.oid),
    (index, object) => {
      const file = paths[index];
      if (file !== undefined && object !== undefined) files.push({ ...file, content: object.content });
    },
  );
  return read.ok ? ok(files) : read;
}

/** Known paths without listing: all copies and paths in one process. What is missing is left out. */
export async function readPaths(
  repository: Repository,
  branch: string,
  paths: readonly string[],
): Promise<Result<readonly ReportFile[], GitError>> {
  const tips = await reportTips(repository, branch);
  if (!tips.ok) return tips;
  const asked = tips.value.flatMap((tip) => paths.map((path) => ({ path, name: `${tip}:${path}` })));
  const files = new Map<string, ReportFile>();
  const read = await catFile(
    repository,
    asked.map(({ name }) => name),
    (index, object) => {
      const path = asked[index]?.path;
      if (path === undefined || object?.type !== 'blob') return;
      files.set(`${path}\0${object.oid}`, { path, oid: asOid(object.oid), content: object.content });
    },
  );
  return read.ok ? ok([...files.values()]) : read;
}
