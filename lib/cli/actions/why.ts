import { why } from '../../commands/why.ts';
import { identifySide } from '../../gate/identify-side.ts';
import { changesText } from '../../report/changes.ts';
import type { App } from '../app.ts';
import { troubleLines } from '../screens/trouble.ts';
import { whyLines } from '../screens/why.ts';
import { whyTrouble } from '../screens/why-trouble.ts';
import { inRepository, settingFor, withProgress } from '../session.ts';

/** `mlops why [A] [B]`. */
export async function whyCommand(app: App, revisions: readonly string[]): Promise<number> {
  const again = ['mlops why', ...revisions].join(' ');
  return inRepository(app, { again }, async (session) => {
    const { repo, setting } = session;
    const found = await withProgress(app, session, (context) =>
      why(repo, { revisions, identify: (commit) => identifySide(context, commit) }),
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
