import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { init } from '../../commands/init.ts';
import { uninstall } from '../../commands/uninstall.ts';
import { readShims } from '../../git/hooks-install.ts';
import type { App } from '../app.ts';
import { inRepository } from '../session.ts';

/** `mlops init`. */
export async function initCommand(app: App, _flags: { readonly yes?: boolean }): Promise<number> {
  return inRepository(app, { again: 'mlops init' }, async ({ repo }) => {
    const done = await init(repo, {
      program: { node: app.node, program: app.program },
      shims: await readShims(join(app.home, 'hooks')),
      home: app.env.HOME,
      hasConda: isOnPath(app.env, ['conda', 'mamba', 'micromamba']),
    });
    app.say(JSON.stringify(done, undefined, 1));
    return done.ok && done.value.failures.length === 0 ? 0 : 1;
  });
}

/** `mlops uninstall`. */
export async function uninstallCommand(app: App): Promise<number> {
  return inRepository(app, { again: 'mlops uninstall' }, async ({ repo }) => {
    const done = await uninstall(repo, app.env.HOME);
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
