import { status } from '../../commands/status.ts';
import { isTrusted } from '../../commands/trust.ts';
import { syncDisplayedNotes } from '../../git/reports.ts';
import type { App } from '../app.ts';
import { reportsBranch } from '../reports-branch.ts';
import { gitTrouble } from '../screens/git-trouble.ts';
import { statusLines } from '../screens/status.ts';
import { troubleLines } from '../screens/trouble.ts';
import { inRepository, settingFor, withProgress } from '../session.ts';

/** `mlops status`: on standard output. A clone that is not trusted yet contacts nobody. */
export async function statusCommand(app: App): Promise<number> {
  return inRepository(app, { again: 'mlops status' }, async (session) => {
    const { repo, setting } = session;
    const branch = await reportsBranch(repo);
    await syncDisplayedNotes(repo, branch);
    const trusted = await isTrusted(repo);
    const found = await withProgress(app, session, (context) =>
      status(context, { ask: trusted.ok && trusted.value, branch }),
    );
    if (!found.ok) {
      app.say(...troubleLines(gitTrouble(found.error, setting), setting.style));
      return 1;
    }
    const printed = await settingFor(app, { again: 'mlops status' }, app.out);
    app.out.write(`${statusLines(found.value, printed).join('\n')}\n`);
    return 0;
  });
}
