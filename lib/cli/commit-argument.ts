import type { Oid } from '../base/ids.ts';
import type { GateContext } from '../gate/context.ts';
import { identifyCommit, stoppedBy } from '../gate/gate-commit.ts';
import type { Identified } from '../gate/identify.ts';
import type { Destination } from '../gate/judge-run.ts';
import { currentBranch, resolveCommit } from '../git/history.ts';
import { pushRemote } from '../git/remotes.ts';
import type { Repository } from '../git/repository.ts';
import type { App } from './app.ts';
import { openProgress, type Progress } from './progress.ts';
import { reportsBranch } from './reports-branch.ts';
import { stoppedScreen } from './screens/gate-trouble.ts';
import { gitTrouble } from './screens/git-trouble.ts';
import { troubleLines } from './screens/trouble.ts';
import { type Session, withProgress } from './session.ts';

/** The commit that was named, or that of the run that was named, or HEAD; undefined where it was told that there is none. */
export async function commitArgument(
  app: App,
  { repo, setting }: Session,
  named: string | undefined,
): Promise<Oid | undefined> {
  const commit = await resolveCommit(repo, named ?? 'HEAD');
  if (commit.ok) return commit.value;
  if (named !== undefined && commit.error.reason === 'unknown-revision') {
    const { findCommit } = await import('../commands/find-commit.ts');
    const found = await findCommit({ repo, branch: await reportsBranch(repo), emit: () => undefined }, named);
    if (found.ok) return found.value;
    const { showTrouble } = await import('./screens/show-trouble.ts');
    app.say(...troubleLines(showTrouble(found.error, setting), setting.style));
    return undefined;
  }
  app.say(...troubleLines(gitTrouble(commit.error, setting), setting.style));
  return undefined;
}

/** Something about one commit's run, with progress on the screen; what cannot be found out is told. */
export async function aboutCommit(
  app: App,
  session: Session,
  named: string | undefined,
  action: (context: GateContext, identified: Identified, progress: Progress) => Promise<number>,
  open: typeof openProgress = openProgress,
): Promise<number> {
  const commit = await commitArgument(app, session, named);
  if (commit === undefined) return 1;
  return withProgress(
    app,
    session,
    async (context, progress) => {
      const identified = await identifyCommit(context, commit, (await usualDestination(session.repo)).remote);
      if (identified.ok) return action(context, identified.value, progress);
      progress.say(...stoppedScreen(await stoppedBy(session.repo, commit, identified.error), session.setting));
      return 1;
    },
    open,
  );
}

/** Where a plain `git push` from here would go: what a run without a push is compared with. */
export async function usualDestination(repo: Repository): Promise<Destination> {
  const current = await currentBranch(repo);
  const branch = current.ok ? current.value : undefined;
  const remote = await pushRemote(repo, branch);
  return { branch, remote: remote.ok ? remote.value : undefined };
}
