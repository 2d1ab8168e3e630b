import { short } from '../../base/ids.ts';
import { bringKept } from '../../commands/bring-kept.ts';
import { curvesOf } from '../../commands/curves.ts';
import { reportFile, type Shown, show } from '../../commands/show.ts';
import { type KeptKind, planKept } from '../../commands/show-notebook.ts';
import { syncDisplayedNotes } from '../../git/reports.ts';
import type { Report } from '../../report/types.ts';
import type { App } from '../app.ts';
import { atPlaceOf } from '../at-place.ts';
import { reportsBranch } from '../reports-branch.ts';
import { broughtLines, keptTrouble } from '../screens/kept-trouble.ts';
import { showLines } from '../screens/show.ts';
import { showTrouble, withoutCurves } from '../screens/show-trouble.ts';
import { troubleLines } from '../screens/trouble.ts';
import { inRepository, type Session, settingFor, withProgress } from '../session.ts';
import { mayRun } from '../trust.ts';

export interface ShowFlags {
  readonly json?: boolean;
  readonly markdown?: boolean;
  readonly notebook?: boolean;
  readonly log?: boolean;
  readonly artifact?: string;
  readonly plot?: boolean;
  readonly output?: string;
  readonly force?: boolean;
}

/** `mlops show [COMMIT|RUN]`: the newest report, on standard output. */
export async function showCommand(app: App, target: string | undefined, flags: ShowFlags): Promise<number> {
  const again = `mlops show${target === undefined ? '' : ` ${target}`}`;
  return inRepository(app, { again }, async (session) => {
    const { repo, setting } = session;
    const branch = await reportsBranch(repo);
    // A fetch may have put a colleague's notes in the place of ours: both are shown again. Reading goes on all the same if not.
    await syncDisplayedNotes(repo, branch);
    const found = await withProgress(app, session, (context) =>
      show({ repo, branch, emit: context.emit, ...(target === undefined ? {} : { target }) }),
    );
    if (!found.ok) {
      app.say(...troubleLines(showTrouble(found.error, setting), setting.style));
      return 1;
    }
    if (flags.notebook === true) return bring(app, session, found.value, 'notebook', flags);
    if (flags.log === true) return bring(app, session, found.value, 'log', flags);
    if (flags.artifact !== undefined) return bring(app, session, found.value, 'artifact', flags);
    if (flags.plot === true) return plot(app, session, branch, found.value.report);
    if (flags.json === true || flags.markdown === true) {
      const text = await reportFile({ repo, branch }, found.value.report, flags.json === true ? 'json' : 'markdown');
      if (!text.ok) {
        app.say(...troubleLines(showTrouble({ reason: 'git', cause: text.error }, setting), setting.style));
        return 1;
      }
      app.out.write(text.value ?? '');
      return text.value === undefined ? 1 : 0;
    }
    const printed = await settingFor(app, { again }, app.out);
    app.out.write(`${showLines(found.value, undefined, printed).join('\n')}\n`);
    return 0;
  });
}

/** Loaded only here, like all that draws. */
async function plot(app: App, session: Session, branch: string, report: Report): Promise<number> {
  const { repo, setting } = session;
  const curves = await withProgress(app, session, ({ emit }) => curvesOf({ repo, branch, emit }, report));
  if (curves.length === 0) {
    app.say(...troubleLines(withoutCurves(report), setting.style));
    return 1;
  }
  const { plotCurves } = await import('../../report/plot-curves.ts');
  app.out.write(plotCurves(short(report.commit), curves));
  return 0;
}

/** The executed notebooks, the full log or an artifact, by content from where the job ran. */
async function bring(app: App, session: Session, { report }: Shown, what: KeptKind, flags: ShowFlags): Promise<number> {
  const { setting } = session;
  const { output, artifact, force = false } = flags;
  const planned = await planKept(report, {
    what,
    cwd: app.cwd,
    force,
    ...(what === 'artifact' && artifact !== undefined ? { name: artifact } : {}),
    ...(output === undefined ? {} : { output }),
  });
  if (!planned.ok) {
    app.say(...troubleLines(keptTrouble(planned.error, '', setting), setting.style));
    return 1;
  }
  if (!(await mayRun(app, session))) return 1;
  return withProgress(app, session, (context, progress) =>
    atPlaceOf(context, report.commit, progress, setting, async ({ store }, place) => {
      const done = await bringKept(store, planned.value, { signal: app.signal });
      progress.say(...broughtLines(done.ok ? done.value : done.error.brought));
      if (!done.ok) progress.say(...troubleLines(keptTrouble(done.error, place.name, setting), setting.style));
      return done.ok ? 0 : 1;
    }),
  );
}
