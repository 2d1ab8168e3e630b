import { log } from '../../commands/log.ts';
import { syncDisplayedNotes } from '../../git/reports.ts';
import type { App } from '../app.ts';
import { reportsBranch } from '../reports-branch.ts';
import { gitTrouble } from '../screens/git-trouble.ts';
import { logLines } from '../screens/log.ts';
import { troubleLines } from '../screens/trouble.ts';
import { inRepository, settingFor } from '../session.ts';

export interface LogFlags {
  readonly maxCount: string;
  readonly json?: boolean;
}

/** `mlops log`: the verdicts that this clone knows, newest first, on standard output. */
export async function logCommand(app: App, { maxCount, json }: LogFlags): Promise<number> {
  return inRepository(app, { again: 'mlops log' }, async ({ repo, setting }) => {
    const most = Number(maxCount);
    if (!Number.isSafeInteger(most) || most < 1) {
      app.say(`mlops  --max-count takes a whole number from 1, not ${JSON.stringify(maxCount)}`);
      return 1;
    }
    await syncDisplayedNotes(repo, await reportsBranch(repo));
    const found = await log(repo, { maxCount: most });
    if (!found.ok) {
      app.say(...troubleLines(gitTrouble(found.error, setting), setting.style));
      return 1;
    }
    const printed = await settingFor(app, { again: 'mlops log' }, app.out);
    const columns = app.out.isTTY ? app.out.columns : undefined;
    const lines =
      json === true ? found.value.map((entry) => JSON.stringify(entry)) : logLines(found.value, printed, columns);
    app.out.write(lines.map((line) => `${line}\n`).join(''));
    return 0;
  });
}
