import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { init } from '../../commands/init.ts';
import { uninstall } from '../../commands/uninstall.ts';
import { readShims } from '../../git/hooks-install.ts';
import type { App } from '../app.ts';
import { initLines, uninstallLines } from '../screens/init.ts';
import { initTrouble } from '../screens/init-trouble.ts';
import { troubleLines } from '../screens/trouble.ts';
import { inRepository } from '../session.ts';

/** `mlops init`. It asks nothing that it could not be told, so that `--yes` is for scripts to say so. */
export async function initCommand(app: App): Promise<number> {
  return inRepository(app, { again: 'mlops init' }, async ({ repo, setting }) => {
    const done = await init(repo, {
      program: { node: app.node, program: app.program },
      shims: await readShims(join(app.home, 'hooks')),
      home: app.env.HOME,
      hasConda: isOnPath(app.env, ['conda', 'mamba', 'micromamba']),
    });
    if (!done.ok) {
      app.say(...troubleLines(initTrouble(done.error, setting), setting.style));
      return 1;
    }
    app.say(...initLines(done.value, repo.top ?? repo.gitDir, setting));
    const broken = done.value.diagnostics.some(({ severity }) => severity === 'error');
    return done.value.failures.length === 0 && !broken ? 0 : 1;
  });
}

/** `mlops uninstall`. */
export async function uninstallCommand(app: App): Promise<number> {
  return inRepository(app, { again: 'mlops uninstall' }, async ({ repo, setting }) => {
    const done = await uninstall(repo, app.env.HOME);
    app.say(...uninstallLines(done, repo.top ?? repo.gitDir, setting));
    return done.failures.length === 0 ? 0 : 1;
  });
}

function isOnPath({ PATH = '' }: NodeJS.ProcessEnv, names: readonly string[]): boolean {
  const folders = PATH.split(delimiter).filter((folder) => folder !== '');
  return folders.some((folder) =>
    names.some((name) => {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return true;
      } catch {
        return false; // not here
      }
    }),
  );
}
