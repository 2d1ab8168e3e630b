import { type Reproduced, reproduce } from '../../commands/reproduce.ts';
import { identifyRun } from '../../gate/identify-side.ts';
import { syncDisplayedNotes } from '../../git/reports.ts';
import type { App } from '../app.ts';
import { usualDestination } from '../commit-argument.ts';
import { judgeAloud } from '../judge-aloud.ts';
import { reportsBranch } from '../reports-branch.ts';
import { isReproduced, reproducedLines, reproduceTroubleLines } from '../screens/reproduce.ts';
import { inRepository, settingFor, withProgress } from '../session.ts';
import { mayRun } from '../trust.ts';

export interface ReproduceFlags {
  readonly known?: boolean;
  readonly json?: boolean;
}

/** `mlops reproduce [COMMIT]`: 0 where the metrics are the same, or as near as they are known to be. */
export async function reproduceCommand(app: App, target: string | undefined, flags: ReproduceFlags): Promise<number> {
  const { known = false, json = false } = flags;
  const again = `mlops reproduce${known ? ' --known' : ''}${target === undefined ? '' : ` ${target}`}`;
  return inRepository(app, { again }, async (session) => {
    const { repo, setting } = session;
    if (!known && !(await mayRun(app, session))) return 1;
    const branch = await reportsBranch(repo);
    await syncDisplayedNotes(repo, branch);
    const destination = await usualDestination(repo);
    return withProgress(app, session, async (context, progress) => {
      const done = await reproduce({
        reports: { repo, branch, emit: context.emit },
        ...(target === undefined ? {} : { target }),
        identify: (commit, run) => identifyRun(context, branch, commit, run),
        ...(known ? {} : { judge: judgeAloud(context, destination, 'again', progress, setting) }),
      });
      if (!done.ok) {
        progress.say(...reproduceTroubleLines(done.error, setting));
        return 1;
      }
      progress.end();
      const printed = await settingFor(app, { again }, app.out);
      app.out.write(`${json ? reproducedJson(done.value) : reproducedLines(done.value, printed).join('\n')}\n`);
      return isReproduced(done.value) ? 0 : 1;
    });
  });
}

const reproducedJson = ({ before, after, metrics, installed, places }: Reproduced): string =>
  JSON.stringify({
    version: 1,
    run: after.fingerprint,
    before: before.id,
    after: after.id,
    metrics,
    ...(installed === undefined ? {} : { installed }),
    ...(places === undefined ? {} : { places }),
  });
