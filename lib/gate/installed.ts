import { installedHash, installedText } from '../fingerprint/installed-packages.ts';
import { readPaths } from '../git/reports.ts';
import type { ReportsContext } from './known.ts';

/** One list for all runs that had the same installed: a report names it by its hash. */
const installedPath = (hash: string) => `environments/${hash.slice(0, 2)}/${hash}.txt`;
const largest = 256 * 1024;

/** What goes onto the reports branch beside a report, so that other clones can tell two environments apart without the cluster. */
export function installedFiles(packages: readonly string[] | undefined): ReadonlyMap<string, string> {
  const text = installedText(packages ?? []);
  const kept = packages !== undefined && text.length <= largest;
  return new Map(kept ? [[installedPath(installedHash(packages)), text]] : []);
}

/** Undefined where the list is not here, or is not the one that its name says. */
export async function readInstalled(
  { repo, branch }: ReportsContext,
  hash: string,
): Promise<readonly string[] | undefined> {
  const read = await readPaths(repo, branch, [installedPath(hash)]);
  for (const { content } of read.ok ? read.value : []) {
    const packages = content.toString('utf8').split('\n').slice(0, -1);
    if (installedHash(packages) === hash) return packages;
  }
  return undefined;
}
