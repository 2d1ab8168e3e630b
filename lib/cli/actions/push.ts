import { spawn } from 'node:child_process';
import { partTips } from '../../commands/without-pipeline.ts';
import { gatedUpdates } from '../../git/pre-push.ts';
import { previewPush } from '../../git/preview-push.ts';
import type { App } from '../app.ts';
import { gitTrouble } from '../screens/git-trouble.ts';
import { withoutPipelineLines } from '../screens/outcome.ts';
import { troubleLines } from '../screens/trouble.ts';
import { inRepository } from '../session.ts';
import { mayRun } from '../trust.ts';
import { gatePush, reportBranches } from './gate-push.ts';

/** `mlops push [ARGS of git push]`: judges first, without a connection that could be dropped, and then pushes. */
export async function push(app: App, args: readonly string[]): Promise<number> {
  return inRepository(app, { again: 'mlops push', holdsPush: true }, async (session) => {
    const { repo, setting } = session;
    const preview = await previewPush(repo, args);
    if (!preview.ok) {
      app.say(...troubleLines(gitTrouble(preview.error, setting), setting.style));
      return 1;
    }
    const { remote, updates } = preview.value;
    const ownRefs = await reportBranches(repo);
    const { tips, withoutPipeline } = await partTips(repo, gatedUpdates(updates));
    app.say(...withoutPipelineLines(withoutPipeline, ownRefs));
    if (tips.length > 0) {
      if (!(await mayRun(app, session))) return 1;
      // Before the push: one of all branches brings the reports too, and its hook may not move them then.
      const { goes } = await gatePush(app, session, { tips, remote, publishTo: remote }, undefined);
      if (!goes) return 1;
    }
    return app.signal.aborted ? 1 : runGit(app.cwd, repo.env, ['push', ...args]);
  });
}

/** Git itself, as the user would have called it: its hook finds the verdict known. */
function runGit(cwd: string, env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('git', args, { cwd, env, stdio: 'inherit' });
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
