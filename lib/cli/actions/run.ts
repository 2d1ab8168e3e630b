import { judgeCommit, letsGo } from '../../commands/judge-commit.ts';
import { judgeWithMoreSeeds } from '../../commands/more-seeds.ts';
import type { GateContext } from '../../gate/context.ts';
import type { Identified } from '../../gate/identify.ts';
import type { Destination } from '../../gate/judge-run.ts';
import type { GateOutcome } from '../../gate/outcome.ts';
import type { RunOptions } from '../../gate/run-commit.ts';
import type { App } from '../app.ts';
import { aboutCommit, usualDestination } from '../commit-argument.ts';
import { notifyOf } from '../notify.ts';
import { noProgress, openProgress, type Progress } from '../progress.ts';
import { labelled, lead } from '../screens/layout.ts';
import { outcomeLines } from '../screens/outcome.ts';
import type { Setting } from '../screens/setting.ts';
import { inRepository } from '../session.ts';
import { mayRun } from '../trust.ts';

export interface RunFlags {
  /** A new attempt even where the verdict is known. */
  readonly again?: boolean;
  /** Submit and let go. */
  readonly detach?: boolean;
  /** Add the declared seeds where it is undecided. */
  readonly moreSeeds?: boolean;
}

/** `mlops run [COMMIT]`: the same way as a push, without pushing. */
export async function runCommand(app: App, named: string | undefined, flags: RunFlags): Promise<number> {
  const { again = false, detach = false, moreSeeds = false } = flags;
  // A number of seeds that is chosen after the first look would make a false pass likelier than is said (docs/noise.md). No commit's name is that short.
  if (moreSeeds && named !== undefined && /^\d{1,3}$/.test(named)) {
    app.say(
      lead('--more-seeds takes no number: how many may be added is declared before the first look'),
      labelled('write', `seeds: { parameter: …, values: […], more: ${named} }   in .mlops/config.yaml`),
    );
    return 1;
  }
  if (moreSeeds) return judge(app, 'run --more-seeds', named, judgeWithMoreSeeds);
  const options = { wait: detach ? 'no' : 'until-ended', start: again ? 'again' : 'if-needed' } as const;
  return judge(app, 'run', named, withOptions(options));
}

/** `mlops attach [COMMIT]`: follows a run that goes on; starts none. */
export const attachCommand = (app: App, named: string | undefined): Promise<number> =>
  judge(app, 'attach', named, withOptions({ wait: 'until-ended', start: 'never' }));

/** `mlops wait [COMMIT]`: the same for scripts. Nothing but the verdict's line, and the exit code is the verdict. */
export function waitCommand(app: App, named: string | undefined): Promise<number> {
  return judge(
    app,
    'wait',
    named,
    withOptions({ wait: 'until-ended', start: 'never' }),
    noProgress,
    (outcome, setting) =>
      outcome.outcome === 'judged' || outcome.outcome === 'waiting'
        ? outcomeLines(outcome, setting).slice(0, 1)
        : outcomeLines(outcome, setting),
  );
}

type Judge = (context: GateContext, identified: Identified, destination: Destination) => Promise<GateOutcome>;
const withOptions =
  (options: RunOptions): Judge =>
  (context, identified, destination) =>
    judgeCommit(context, identified, destination, options);

function judge(
  app: App,
  verb: string,
  named: string | undefined,
  how: Judge,
  open = openProgress,
  lines: (outcome: GateOutcome, setting: Setting) => readonly string[] = outcomeLines,
): Promise<number> {
  const again = `mlops ${verb}${named === undefined ? '' : ` ${named}`}`;
  return inRepository(app, { again }, async (session) => {
    if (!(await mayRun(app, session))) return 1;
    const destination = await usualDestination(session.repo);
    const work = async (context: GateContext, identified: Identified, progress: Progress) => {
      const outcome = await how(context, identified, destination);
      progress.say(...lines(outcome, session.setting));
      await notifyOf(app, session, outcome);
      return letsGo(outcome) ? 0 : 1;
    };
    return aboutCommit(app, session, named, work, open);
  });
}
