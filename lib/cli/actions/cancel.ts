import { cancel } from '../../commands/cancel.ts';
import type { App } from '../app.ts';
import { aboutCommit } from '../commit-argument.ts';
import { stoppedLines } from '../screens/gate-trouble.ts';
import { statusText } from '../screens/job-status.ts';
import { joined, lead, said } from '../screens/layout.ts';
import { inRepository } from '../session.ts';
import { mayRun } from '../trust.ts';

/** `mlops cancel [COMMIT]`: 0 only where the scheduler says that the job has ended. */
export async function cancelCommand(app: App, named: string | undefined): Promise<number> {
  return inRepository(app, { again: 'mlops cancel' }, async (session) => {
    if (!(await mayRun(app, session))) return 1;
    return aboutCommit(app, session, named, async (context, identified, progress) => {
      const { setting } = session;
      const done = await cancel(context, identified);
      if (!done.ok) {
        progress.say(...stoppedLines(done.error, setting));
        return 1;
      }
      const { job, place, status } = done.value;
      progress.say(lead(joined([`job ${said(job, 40)} on ${said(place, 40)}`, statusText(status, setting.clock)])));
      return status.state === 'ended' || status.state === 'absent' ? 0 : 1;
    });
  });
}
