import { sync } from '../../commands/sync.ts';
import type { GateOutcome } from '../../gate/outcome.ts';
import { overview } from '../../gate/overview.ts';
import { publishReports } from '../../git/publish.ts';
import type { App } from '../app.ts';
import { notifyOf } from '../notify.ts';
import { lead } from '../screens/layout.ts';
import { outcomeLines, publishedLines } from '../screens/outcome.ts';
import { inRepository, withProgress } from '../session.ts';
import { mayRun } from '../trust.ts';

/** `mlops sync`: fetches the verdicts of runs that nobody waited for, and publishes them. */
export async function syncCommand(app: App): Promise<number> {
  return inRepository(app, { again: 'mlops sync' }, async (session) => {
    if (!(await mayRun(app, session))) return 1;
    return withProgress(app, session, async (context, progress) => {
      let failed = false;
      const remotes = new Map<string, string>();
      const outcomes: GateOutcome[] = [];
      await sync(context, ({ run, outcome }) => {
        outcomes.push(outcome);
        failed ||= outcome.outcome === 'stopped';
        progress.say(...outcomeLines(outcome, session.setting));
        if (outcome.outcome === 'judged' && run.remote !== undefined) remotes.set(run.remote, run.reports);
      });
      for (const [remote, branch] of remotes) {
        const published = await publishReports(session.repo, remote, branch, {
          signal: app.signal,
          computed: overview,
        });
        progress.say(...publishedLines(published, session.setting));
      }
      for (const outcome of outcomes) await notifyOf(app, session, outcome);
      if (outcomes.length === 0) progress.say(lead('no run of this clone is waited for'));
      return failed ? 1 : 0;
    });
  });
}
