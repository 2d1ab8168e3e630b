import type { GateContext } from '../gate/context.ts';
import { openRepository, type Repository } from '../git/repository.ts';
import type { App } from './app.ts';
import { gateContext } from './context.ts';
import { openProgress, type Progress } from './progress.ts';
import type { Setting } from './screens/setting.ts';
import { styleFor } from './style.ts';

/** What was typed, and whether a push waits: every screen says it. */
export interface Occasion {
  readonly again: string;
  readonly holdsPush?: boolean;
}

/** `stream`: where the screen goes; standard error unless told. */
export async function settingFor(
  app: App,
  { again, holdsPush = false }: Occasion,
  stream: NodeJS.WriteStream = app.err,
): Promise<Setting> {
  return {
    style: await styleFor(stream, app.env),
    clock: {
      now: Math.floor(app.now().getTime() / 1000),
      timeZone: app.env.TZ?.replace(/^:/, '') || Intl.DateTimeFormat().resolvedOptions().timeZone,
    },
    again,
    holdsPush,
  };
}

export interface Session {
  readonly repo: Repository;
  readonly setting: Setting;
}

/** In a repository, or told why not. */
export async function inRepository(
  app: App,
  occasion: Occasion,
  action: (session: Session) => Promise<number>,
): Promise<number> {
  const setting = await settingFor(app, occasion);
  const opened = await openRepository(app.cwd, app.env);
  if (opened.ok) return action({ repo: opened.value, setting });
  const { openTrouble } = await import('./screens/git-trouble.ts');
  const { troubleLines } = await import('./screens/trouble.ts');
  app.say(...troubleLines(openTrouble(opened.error, setting), setting.style));
  return 1;
}

/** Work with progress on the screen. What is said in between goes above it. */
export async function withProgress<T>(
  app: App,
  { repo, setting }: Session,
  work: (context: GateContext, progress: Progress) => Promise<T>,
  open = openProgress,
): Promise<T> {
  const progress = open(app, setting);
  try {
    return await work(gateContext(app, repo, progress.emit), progress);
  } finally {
    progress.end();
  }
}
