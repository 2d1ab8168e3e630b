import { script } from '../../commands/script.ts';
import { stoppedBy } from '../../gate/gate-commit.ts';
import type { App } from '../app.ts';
import { aboutCommit } from '../commit-argument.ts';
import { stoppedScreen } from '../screens/gate-trouble.ts';
import { lead } from '../screens/layout.ts';
import { inRepository } from '../session.ts';

/** `mlops script [COMMIT]`: the script alone on standard output, so that it can be read, kept, or given to sbatch. */
export async function scriptCommand(app: App, named: string | undefined): Promise<number> {
  return inRepository(app, { again: 'mlops script' }, (session) =>
    aboutCommit(app, session, named, async (context, identified, progress) => {
      const made = await script(context, identified);
      if (!made.ok) {
        progress.say(...stoppedScreen(await stoppedBy(context.repo, identified.commit, made.error), session.setting));
        return 1;
      }
      app.out.write(made.value.script);
      const unset = made.value.unsetSecrets.map((name) => `$${name}`);
      if (unset.length > 0) progress.say(lead(`not set here, and needed to submit: ${unset.join(', ')}`));
      return 0;
    }),
  );
}
