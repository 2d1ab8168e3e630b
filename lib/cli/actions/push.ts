import { spawn } from 'node:child_process';
import { gatedUpdates } from '../../git/pre-push.ts';
import { previewPush } from '../../git/preview-push.ts';
import type { App } from '../app.ts';
import { gitTrouble } from '../screens/git-trouble.ts';
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
    const tips = gatedUpdates(updates, await reportBranches(repo));
    if (tips.length > 0) {
      if (!(await mayRun(app, session))) return 1;
      // The push itself publishes.
      const { goes } = await gatePush(app, session, { tips, remote, publishTo: undefined }, undefined);
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
