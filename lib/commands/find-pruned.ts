import type { Fingerprint, Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import type { GitError } from '../git/errors.ts';
import { readFiles } from '../git/reports.ts';
import type { Repository } from '../git/repository.ts';
import { parsePruned, prunedFolder } from '../report/pruned.ts';
import { parseReportPath, reportTime } from '../report/report-path.ts';

/** A report that is on the branch no more, and where its history has it. */
export interface PrunedAway {
  readonly fingerprint: Fingerprint;
  readonly id: string;
  readonly folder: string;
  /** A commit of the branch that has it. */
  readonly tip: Oid;
  /** Seconds since the epoch. */
  readonly prunedAt: number | undefined;
}

/** What was pruned of the runs whose fingerprints begin so, newest first. */
export async function findPruned(
  repo: Repository,
  branch: string,
  runs: readonly string[],
): Promise<Result<readonly PrunedAway[], GitError>> {
  const beginnings = runs.map((run) => run.toLowerCase()).filter((run) => /^[0-9a-f]{4,64}$/.test(run));
  if (beginnings.length === 0) return ok([]);
  const files = await readFiles(repo, branch, prunedFolder, '.json');
  if (!files.ok) return files;
  const found = new Map<string, PrunedAway>();
  for (const { path, content } of files.value) {
    const list = parsePruned(path, content.toString('utf8'));
    if (list === undefined) continue;
    for (const folder of list.reports) {
      const report = parseReportPath(`${folder}/report.json`);
      if (report === undefined || !beginnings.some((beginning) => report.fingerprint.startsWith(beginning))) continue;
      found.set(folder, { ...report, folder, tip: list.tip, prunedAt: reportTime(list.id) });
    }
  }
  return ok([...found.values()].sort((a, b) => (a.id < b.id ? 1 : -1)));
}
