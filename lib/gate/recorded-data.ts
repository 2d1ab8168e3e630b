import { asSha256, type Oid } from '../base/ids.ts';
import type { Config } from '../config/types.ts';
import { dataSet } from '../fingerprint/data-set.ts';
import { manifestJson, parseManifest, readManifest, writeManifest } from '../fingerprint/manifests.ts';
import { readRecord } from '../fingerprint/records.ts';
import type { DataFile, DataSet } from '../fingerprint/types.ts';
import { ancestors, changedPaths } from '../git/history.ts';
import { readNotes } from '../git/notes.ts';
import { readPaths } from '../git/reports.ts';
import type { Repository } from '../git/repository.ts';
import { dataOfReport, type ReportsContext, reportsOnCommits } from './known.ts';

/** How many commits back a record is looked for. */
const farthest = 100;

/**
 * What the data of a commit was that has no record of its own: by entry, from its nearest ancestor with a record or a report. A clone
 * without the data, and the merge commits that a forge makes, get theirs in this way; the report's own fingerprint proves the guess.
 */
export async function inheritedData(
  context: ReportsContext,
  commit: Oid,
  config: Config,
): Promise<Readonly<Record<string, DataSet>>> {
  const { repo } = context;
  const wanted = new Set(config.data.flatMap((entry) => (entry.kind === 'path' ? [entry.path] : [])));
  const found: Record<string, DataSet> = {};
  const line = await ancestors(repo, commit, farthest);
  if (!line.ok || wanted.size === 0) return found;
  const notes = await readNotes(repo, line.value);
  for (const ancestor of line.value) {
    const record = readRecord(repo, ancestor);
    const noted = !record.ok && notes.ok && notes.value.has(ancestor);
    const reports = noted ? await reportsOnCommits(context, [ancestor]) : [];
    const sets = [...(record.ok ? [record.value.data] : []), ...reports.map((report) => dataOfReport(report, config))];
    if (sets.length === 0 || !(await isOfSameDvcData(repo, ancestor, commit))) continue;
    for (const [entry, set] of sets.flatMap((data) => Object.entries(data))) {
      if (wanted.delete(entry)) found[entry] = set;
    }
    if (wanted.size === 0) break;
  }
  await bringManifests(context, Object.values(found));
  return found;
}

/** Where DVC's pointers have changed, the data of before is other data, whoever has it: nothing may be taken over. */
export async function isOfSameDvcData(repo: Repository, ancestor: Oid, commit: Oid): Promise<boolean> {
  const changed = await changedPaths(repo, ancestor, commit);
  return changed.ok && !changed.value.some((path) => path.endsWith('.dvc') || /(?:^|\/)dvc\.lock$/.test(path));
}

/** A manifest travels with the reports unless it is larger: a data set of a million files is named, not listed, on the branch. */
const largestManifest = 256 * 1024;
const manifestPath = (hash: string) => `data/${hash.slice(0, 2)}/${hash}.json`;

/** What goes onto the reports branch beside a report, so that other clones know the files behind a hash. */
export function manifestFiles(
  sets: Readonly<Record<string, DataSet>>,
  files: Readonly<Record<string, readonly DataFile[]>>,
): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(sets).flatMap(([entry, { hash, files: count }]) => {
      // 80 bytes a line at the least: no need to make what is surely too large.
      const listed = count * 80 > largestManifest || !Object.hasOwn(files, entry) ? undefined : files[entry];
      const text = listed === undefined ? '' : manifestJson(listed);
      return text === '' || text.length > largestManifest ? [] : [[manifestPath(hash), text] as const];
    }),
  );
}

/** Takes from the branch what this clone does not know; a manifest that does not give its own name is left there. */
export async function bringManifests({ repo, branch }: ReportsContext, sets: readonly DataSet[]): Promise<void> {
  const lacking = sets.filter(({ hash }) => !readManifest(repo.stateDir, hash).ok);
  if (lacking.length === 0) return;
  const read = await readPaths(
    repo,
    branch,
    lacking.map(({ hash }) => manifestPath(hash)),
  );
  for (const { path, content } of read.ok ? read.value : []) keepManifest(repo, path, content);
}

function keepManifest({ stateDir }: Repository, path: string, content: Buffer): void {
  const hash = asSha256(path.slice(path.lastIndexOf('/') + 1, -'.json'.length));
  let value: unknown;
  try {
    value = JSON.parse(content.toString('utf8'));
  } catch {
    return; // somebody's damage: the data is then named as unknown
  }
  const parsed = parseManifest(value);
  if (parsed.ok && dataSet(parsed.value, false).hash === hash) writeManifest(stateDir, hash, () => parsed.value);
}
