import type { Oid } from '../base/ids.ts';
import { configPath, readPipeline } from '../gate/pipeline.ts';
import { ancestorsWith, hasPath, resolveCommit } from '../git/history.ts';
import type { GatedUpdate } from '../git/pre-push.ts';
import type { Repository } from '../git/repository.ts';

export interface PartedTips {
  readonly tips: readonly GatedUpdate[];
  /** There is nothing to judge these by: pages, notes, what is older than the pipeline. */
  readonly withoutPipeline: readonly GatedUpdate[];
}

/** Parts a push's tips into those that a gate looks at, and those of branches that never had a config. */
export async function partTips(repo: Repository, all: readonly GatedUpdate[]): Promise<PartedTips> {
  const tips: GatedUpdate[] = [];
  const withoutPipeline: GatedUpdate[] = [];
  for (const tip of all) ((await neverHadPipeline(repo, tip)) ? withoutPipeline : tips).push(tip);
  return { tips, withoutPipeline };
}

/**
 * Deleting the config is no way around the gate: neither the commit's history nor what the remote has on these branches may have one. Where
 * that cannot be known, it is a tip like any other.
 */
async function neverHadPipeline(repo: Repository, { commit, branches }: GatedUpdate): Promise<boolean> {
  const pipeline = await readPipeline(repo, commit);
  if (pipeline.ok || pipeline.error.reason !== 'no-config') return false;
  // Written, and not committed yet: the user means this very commit.
  if (pipeline.error.inWorktree && (await isHead(repo, commit))) return false;
  const had = await ancestorsWith(repo, commit, configPath);
  if (!had.ok || had.value) return false;
  for (const { before } of branches) {
    if (before === undefined) continue;
    const has = await hasPath(repo, before, configPath);
    if (!has.ok || has.value) return false;
  }
  return true;
}

async function isHead(repo: Repository, commit: Oid): Promise<boolean> {
  const head = await resolveCommit(repo, 'HEAD');
  return head.ok && head.value === commit;
}
