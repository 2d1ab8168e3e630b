import { judgeCommit, letsGo } from '../../commands/judge-commit.ts';
import type { RunOptions } from '../../gate/run-commit.ts';
import type { App } from '../app.ts';
import { aboutCommit, usualDestination } from '../commit-argument.ts';
import { outcomeLines } from '../screens/outcome.ts';
import { inRepository } from '../session.ts';
import { mayRun } from '../trust.ts';

export interface RunFlags {
  /** A new attempt even where the verdict is known. */
  readonly again?: boolean;
  /** Submit and let go. */
  readonly detach?: boolean;
}

/** `mlops run [COMMIT]`: the same way as a push, without pushing. */
export const runCommand = (app: App, named: string | undefined, flags: RunFlags): Promise<number> =>
  judge(app, 'run', named, {
    wait: flags.detach === true ? 'no' : 'until-ended',
    start: flags.again === true ? 'again' : 'if-needed',
  });

/** `mlops attach [COMMIT]`: follows a run that goes on; starts none. */
export const attachCommand = (app: App, named: string | undefined): Promise<number> =>
  judge(app, 'attach', named, { wait: 'until-ended', start: 'never' });

function judge(app: App, verb: string, named: string | undefined, options: RunOptions): Promise<number> {
  const again = `mlops ${verb}${named === undefined ? '' : ` ${named}`}`;
  return inRepository(app, { again }, async (session) => {
    if (!(await mayRun(app, session))) return 1;
    const destination = await usualDestination(session.repo);
    return aboutCommit(app, session, named, async (context, identified, progress) => {
      const outcome = await judgeCommit(context, identified, destination, options);
      progress.say(...outcomeLines(outcome, session.setting));
      return letsGo(outcome) ? 0 : 1;
    });
  });
}
