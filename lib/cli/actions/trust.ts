import { trust } from '../../commands/trust.ts';
import type { App } from '../app.ts';
import { gitTrouble } from '../screens/git-trouble.ts';
import { lead } from '../screens/layout.ts';
import { troubleLines } from '../screens/trouble.ts';
import { inRepository } from '../session.ts';

/** `mlops trust`: this clone may run what its config says. */
export async function trustCommand(app: App): Promise<number> {
  return inRepository(app, { again: 'mlops trust' }, async ({ repo, setting }) => {
    const done = await trust(repo);
    app.say(
      ...(done.ok
        ? [lead('this clone is trusted: its hooks run what .mlops/config.yaml says')]
        : troubleLines(gitTrouble(done.error, setting), setting.style)),
    );
    return done.ok ? 0 : 1;
  });
}
