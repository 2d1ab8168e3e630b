import type { Oid } from '../../base/ids.ts';
import { judgeCommit, letsGo } from '../../commands/judge-commit.ts';
import { identifyCommit } from '../../gate/gate-commit.ts';
import { currentBranch, resolveCommit } from '../../git/history.ts';
import { pushRemote } from '../../git/remotes.ts';
import type { App } from '../app.ts';
import { stoppedLines } from '../screens/gate-trouble.ts';
import { gitTrouble } from '../screens/git-trouble.ts';
import { outcomeLines } from '../screens/outcome.ts';
import { troubleLines } from '../screens/trouble.ts';
import { inRepository, type Session, withProgress } from '../session.ts';
import { mayRun } from '../trust.ts';

export interface RunFlags {
  /** A new attempt even where the verdict is known. */
  readonly again?: boolean;
  /** Submit and let go. */
  readonly detach?: boolean;
}

/** `mlops run [COMMIT]`: the same way as a push, without pushing. */
export async function runCommand(app: App, revision: string | undefined, flags: RunFlags): Promise<number> {
  const again = ['mlops run', ...(revision === undefined ? [] : [revision])].join(' ');
  return inRepository(app, { again }, async (session) => {
    const { repo, setting } = session;
    const commit = await resolveCommit(repo, revision ?? 'HEAD');
    if (!commit.ok) {
      app.say(...troubleLines(gitTrouble(commit.error, setting), setting.style));
      return 1;
    }
    if (!(await mayRun(app, session))) return 1;
    return judge(app, session, commit.value, flags);
  });
}

async function judge(app: App, session: Session, commit: Oid, flags: RunFlags): Promise<number> {
  const { repo, setting } = session;
  const branch = await currentBranch(repo);
  const remote = await pushRemote(repo, branch.ok ? branch.value : undefined);
  const destination = { branch: branch.ok ? branch.value : undefined, remote: remote.ok ? remote.value : undefined };
  return withProgress(app, session, async (context, progress) => {
    const identified = await identifyCommit(context, commit);
    if (!identified.ok) {
      progress.say(...stoppedLines(identified.error, setting));
      return 1;
    }
    const outcome = await judgeCommit(context, identified.value, destination, {
      wait: flags.detach === true ? 'no' : 'until-ended',
      again: flags.again === true,
    });
    progress.say(...outcomeLines(outcome, setting));
    return letsGo(outcome) ? 0 : 1;
  });
}
