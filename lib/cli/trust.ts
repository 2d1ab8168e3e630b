import { isTrusted, trust } from '../commands/trust.ts';
import type { App } from './app.ts';
import { gitTrouble } from './screens/git-trouble.ts';
import { lead, under } from './screens/layout.ts';
import { nextLines, troubleLines } from './screens/trouble.ts';
import type { Session } from './session.ts';

/** A cloned repository must not contact hosts or run steps by itself: asks once in this clone, and refuses where nobody can be asked. */
export async function mayRun(app: App, { repo, setting }: Session): Promise<boolean> {
  const { style } = setting;
  const trusted = await isTrusted(repo);
  if (!trusted.ok) {
    app.say(...troubleLines(gitTrouble(trusted.error, setting), style));
    return false;
  }
  if (trusted.value) return true;
  app.say(
    lead(style.yellow('this clone has not been looked at yet: its .mlops/config.yaml says what is run, and where')),
    under('Read it before you agree. Nothing has been run, and nobody was contacted.'),
  );
  const answer = app.hasTerminal()
    ? await app.ask('       run what it says, in this clone, from now on? [y/N] ')
    : undefined;
  if (answer?.trim().toLowerCase().startsWith('y')) {
    const set = await trust(repo);
    if (set.ok) return true;
    app.say(...troubleLines(gitTrouble(set.error, setting), style));
    return false;
  }
  app.say(
    ...nextLines(
      [
        { command: 'cat .mlops/config.yaml', what: 'what would be run' },
        { command: 'mlops trust', what: 'agrees, for this clone' },
        { command: 'git push --no-verify', what: 'pushes without a verdict' },
      ],
      style,
    ),
  );
  return false;
}
