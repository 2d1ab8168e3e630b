import type { Oid } from '../../base/ids.ts';
import { ok, type Result } from '../../base/result.ts';
import { envBuild } from '../../commands/env-build.ts';
import { envList } from '../../commands/env-list.ts';
import { envLock } from '../../commands/env-lock.ts';
import { envRm } from '../../commands/env-rm.ts';
import { envShow } from '../../commands/env-show.ts';
import type { GateContext } from '../../gate/context.ts';
import { identifyCommit } from '../../gate/gate-commit.ts';
import type { GateError } from '../../gate/outcome.ts';
import type { Connection, Place } from '../../gate/place.ts';
import { planCommit } from '../../gate/prepare.ts';
import { resolveCommit } from '../../git/history.ts';
import type { App } from '../app.ts';
import { atPlaceOf } from '../at-place.ts';
import { aboutCommit, commitArgument, usualDestination } from '../commit-argument.ts';
import type { Progress } from '../progress.ts';
import { envBuiltLines, envListLines, envRemovedLines, envRmQuestion, envShowLines } from '../screens/env.ts';
import { envLockLines, envLockTroubles } from '../screens/env-lock.ts';
import { envBuildTroubles, envTrouble } from '../screens/env-trouble.ts';
import { stoppedLines } from '../screens/gate-trouble.ts';
import { lead, word } from '../screens/layout.ts';
import { troubleLines, troublesLines } from '../screens/trouble.ts';
import { inRepository, type Session, settingFor, withProgress } from '../session.ts';
import { mayRun } from '../trust.ts';

/** `mlops env list`: where HEAD's config runs its jobs. */
export async function envListCommand(app: App): Promise<number> {
  const again = 'mlops env list';
  return inRepository(app, { again }, async (session) => {
    if (!(await mayRun(app, session))) return 1;
    return aboutEnvironment(app, session, { strict: false }, async ({ connection, place, progress, key }) => {
      const listed = await envList(connection);
      if (!listed.ok) {
        progress.say(...troubleLines(envTrouble(listed.error, session.setting), session.setting.style));
        return 1;
      }
      await print(app, again, progress, (setting) => envListLines(listed.value, place.name, key, setting));
      return 0;
    });
  });
}

/** `mlops env show [KEY|COMMIT]`. */
export async function envShowCommand(app: App, named: string | undefined): Promise<number> {
  const again = ['mlops env show', ...(named === undefined ? [] : [word(named)])].join(' ');
  return inRepository(app, { again }, async (session) => {
    if (!(await mayRun(app, session))) return 1;
    const { setting } = session;
    const isKey = named !== undefined && /^[0-9a-f]{4,24}(?:\.\w+)?$/.test(named);
    const typed = isKey && !(await resolveCommit(session.repo, named)).ok ? named : undefined;
    const about = typed === undefined ? { named, strict: true } : { strict: false };
    return aboutEnvironment(app, session, about, async ({ connection, place, progress, key, kind }) => {
      const wanted = typed ?? key;
      if (wanted === undefined) {
        const nothing = envBuildTroubles({ reason: 'nothing-to-build', kind }, setting);
        progress.say(...troublesLines(nothing, setting.style));
        return 1;
      }
      const shown = await envShow(connection, wanted);
      if (!shown.ok) {
        progress.say(...troubleLines(envTrouble(shown.error, setting), setting.style));
        return 1;
      }
      await print(app, again, progress, (printed) => envShowLines(shown.value, place.name, printed));
      return shown.value.entry.state === 'failed' ? 1 : 0;
    });
  });
}

/** `mlops env build [COMMIT]`. */
export async function envBuildCommand(app: App, named: string | undefined): Promise<number> {
  const again = ['mlops env build', ...(named === undefined ? [] : [word(named)])].join(' ');
  return inRepository(app, { again }, async (session) => {
    if (!(await mayRun(app, session))) return 1;
    const { setting } = session;
    return aboutCommit(app, session, named, async (context, identified, progress) =>
      atPlaceOf(context, identified.commit, progress, setting, async (connection, place) => {
        const started = app.now().getTime();
        const built = await envBuild(context, connection, place.name, identified);
        const seconds = (app.now().getTime() - started) / 1000;
        progress.say(
          ...(built.ok
            ? envBuiltLines(built.value, place.name, seconds, setting)
            : troublesLines(envBuildTroubles(built.error, setting), setting.style)),
        );
        return built.ok ? 0 : 1;
      }),
    );
  });
}

/** `mlops env lock [COMMIT]`. */
export async function envLockCommand(app: App, named: string | undefined): Promise<number> {
  const again = ['mlops env lock', ...(named === undefined ? [] : [word(named)])].join(' ');
  return inRepository(app, { again }, async (session) => {
    if (!(await mayRun(app, session))) return 1;
    const { setting } = session;
    const commit = await commitArgument(app, session, named);
    if (commit === undefined) return 1;
    return withProgress(app, session, (context, progress) =>
      atPlaceOf(context, commit, progress, setting, async (connection, place) => {
        const locked = await envLock(context, connection, place.name, commit);
        progress.say(
          ...(locked.ok
            ? envLockLines(locked.value, setting)
            : troublesLines(envLockTroubles(locked.error, setting), setting.style)),
        );
        return locked.ok ? 0 : 1;
      }),
    );
  });
}

/** `mlops env rm KEY`: asks first, since others may want it too. */
export async function envRmCommand(app: App, key: string, flags: { readonly yes?: boolean }): Promise<number> {
  const again = `mlops env rm ${word(key)}`;
  return inRepository(app, { again }, async (session) => {
    if (!(await mayRun(app, session))) return 1;
    const { setting } = session;
    const commit = await commitArgument(app, session, undefined);
    if (commit === undefined) return 1;
    return withProgress(app, session, (context, progress) =>
      atPlaceOf(context, commit, progress, setting, async (connection, place) => {
        const shown = await envShow(connection, key);
        if (!shown.ok) {
          progress.say(...troubleLines(envTrouble(shown.error, setting), setting.style));
          return 1;
        }
        const { entry } = shown.value;
        if (flags.yes !== true && !(await agrees(app, progress, envRmQuestion(entry, place.name)))) {
          progress.say(
            lead(app.hasTerminal() ? 'nothing was removed' : `${again} --yes removes it without a question`),
          );
          return 1;
        }
        const removed = await envRm(connection, entry);
        progress.say(
          ...(removed.ok
            ? envRemovedLines(entry, place.name)
            : troubleLines(envTrouble(removed.error, setting), setting.style)),
        );
        return removed.ok ? 0 : 1;
      }),
    );
  });
}

async function agrees(app: App, progress: Progress, question: string): Promise<boolean> {
  if (!app.hasTerminal()) return false;
  progress.pause();
  const answer = await app.ask(question);
  progress.resume();
  return answer?.trim().toLowerCase().startsWith('y') === true;
}

interface About {
  readonly connection: Connection;
  readonly place: Place;
  readonly progress: Progress;
  /** Of the commit's own environment; undefined: nothing is built for it, or it cannot be told. */
  readonly key: string | undefined;
  readonly kind: string;
}

/** Where the jobs of one commit run, with the environment that it asks for; `strict`: only if that can be told. */
async function aboutEnvironment(
  app: App,
  session: Session,
  { named, strict }: { readonly named?: string | undefined; readonly strict: boolean },
  action: (about: About) => Promise<number>,
): Promise<number> {
  const { setting } = session;
  const commit = await commitArgument(app, session, named);
  if (commit === undefined) return 1;
  return withProgress(app, session, async (context, progress) => {
    const asked = await environmentOf(context, session, commit);
    if (!asked.ok && strict) {
      progress.say(...stoppedLines(asked.error, setting));
      return 1;
    }
    const { key, kind } = asked.ok ? asked.value : { key: undefined, kind: '' };
    return atPlaceOf(context, commit, progress, setting, (connection, place) =>
      action({ connection, place, progress, key, kind }),
    );
  });
}

async function environmentOf(
  context: GateContext,
  { repo }: Session,
  commit: Oid,
): Promise<Result<{ readonly key: string | undefined; readonly kind: string }, GateError>> {
  const identified = await identifyCommit(context, commit, (await usualDestination(repo)).remote);
  if (!identified.ok) return identified;
  const planned = await planCommit(context, identified.value, { secrets: 'none', build: 'if-before' });
  if (!planned.ok) return planned;
  return ok({ key: planned.value.plan.environmentKey, kind: identified.value.config.environment.kind });
}

/** What was asked for goes to standard output. */
async function print(
  app: App,
  again: string,
  progress: Progress,
  lines: (setting: Session['setting']) => readonly string[],
): Promise<void> {
  const printed = await settingFor(app, { again }, app.out);
  progress.say();
  app.out.write(`${lines(printed).join('\n')}\n`);
}
