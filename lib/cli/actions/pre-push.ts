import { text } from 'node:stream/consumers';
import { partTips } from '../../commands/without-pipeline.ts';
import { readGitConfigAll } from '../../git/config-values.ts';
import { bringsReports, gatedUpdates, parsePrePush } from '../../git/pre-push.ts';
import type { Repository } from '../../git/repository.ts';
import type { App } from '../app.ts';
import { withoutPipelineLines } from '../screens/outcome.ts';
import { inRepository } from '../session.ts';
import { mayRun } from '../trust.ts';
import { gatePush, patienceFor, reportBranches } from './gate-push.ts';

/** `git push` runs it, with the refs on standard input (githooks(5)): 0 lets the push go, 1 blocks it. */
export async function prePush(app: App, remote: string, url: string, stdin: NodeJS.ReadableStream): Promise<number> {
  const updates = parsePrePush(await text(stdin), remote, url);
  if (updates.length === 0) return 0;
  return inRepository(app, { again: 'git push', holdsPush: true }, async (session) => {
    const { repo } = session;
    const ownRefs = await reportBranches(repo);
    const { tips, withoutPipeline } = await partTips(repo, gatedUpdates(updates));
    app.say(...withoutPipelineLines(withoutPipeline, ownRefs));
    if (tips.length === 0) return 0;
    if (!(await mayRun(app, session))) return 1;
    const [target, patience] = await Promise.all([publishTarget(repo, remote, url), patienceFor(repo, url)]);
    const publishTo = bringsReports(updates, ownRefs) ? undefined : target;
    const { goes } = await gatePush(app, session, { tips, remote, publishTo }, patience);
    return goes ? 0 : 1;
  });
}

/** A remote with several push URLs runs the hook once for each: then each URL gets its own. */
async function publishTarget(repo: Repository, remote: string, url: string): Promise<string> {
  const urls = await readGitConfigAll(repo, `remote.${remote}.pushurl`);
  return urls.ok && [...urls.value.values()].flat().length > 1 ? url : remote;
}
