import { why } from '../../commands/why.ts';
import { identify, identifyPast } from '../../gate/identify.ts';
import { resolveCommit } from '../../git/history.ts';
import { changesText } from '../../report/changes.ts';
import type { App } from '../app.ts';
import { troubleLines } from '../screens/trouble.ts';
import { whyLines } from '../screens/why.ts';
import { whyTrouble } from '../screens/why-trouble.ts';
import { inRepository, settingFor, withProgress } from '../session.ts';

/** `mlops why [A] [B]`. Only HEAD may be what the worktree's data is now; of every other commit only what was recorded counts. */
export async function whyCommand(app: App, revisions: readonly string[]): Promise<number> {
  const again = ['mlops why', ...revisions].join(' ');
  return inRepository(app, { again }, async (session) => {
    const { repo, setting } = session;
    const head = await resolveCommit(repo, 'HEAD');
    const found = await withProgress(app, session, (context) =>
      why(repo, {
        revisions,
        identify: (commit) =>
          head.ok && commit === head.value ? identify(context, commit) : identifyPast(context, commit),
      }),
    );
    if (!found.ok) {
      app.say(...troubleLines(whyTrouble(found.error, setting), setting.style));
      return 1;
    }
    const printed = await settingFor(app, { again }, app.out);
    const lines = whyLines({ ...found.value, changes: changesText(found.value.changes) }, printed);
    app.out.write(`${lines.join('\n')}\n`);
    return 0;
  });
}
