import { readPipeline } from '../gate/pipeline.ts';
import { resolveCommit } from '../git/history.ts';
import type { Repository } from '../git/repository.ts';

/** The reports branch as HEAD's config names it; where that cannot be read, what it is called if nobody names it. */
export async function reportsBranch(repo: Repository): Promise<string> {
  const head = await resolveCommit(repo, 'HEAD');
  const pipeline = head.ok ? await readPipeline(repo, head.value) : undefined;
  return pipeline?.ok ? pipeline.value.reports : 'mlops';
}
