import { short } from '../../base/ids.ts';
import { type LogSpan, log } from '../../commands/log.ts';
import { type MetricPoint, metricHistory } from '../../commands/metric-history.ts';
import { readDate } from '../../git/dates.ts';
import { syncDisplayedNotes } from '../../git/reports.ts';
import type { App } from '../app.ts';
import { reportsBranch } from '../reports-branch.ts';
import { gitTrouble } from '../screens/git-trouble.ts';
import { logLines } from '../screens/log.ts';
import { historyTrouble, metricLogLines } from '../screens/metric-log.ts';
import type { Setting } from '../screens/setting.ts';
import { troubleLines } from '../screens/trouble.ts';
import { inRepository, type Session, settingFor, withProgress } from '../session.ts';

export interface LogFlags {
  readonly maxCount?: string;
  readonly since?: string;
  readonly metric?: string;
  readonly json?: boolean;
  readonly plot?: boolean;
}

/** `mlops log`: the verdicts that this clone knows, newest first, on standard output. */
export async function logCommand(app: App, flags: LogFlags): Promise<number> {
  return inRepository(app, { again: 'mlops log' }, async (session) => {
    const { repo, setting } = session;
    const branch = await reportsBranch(repo);
    await syncDisplayedNotes(repo, branch);
    if (flags.plot === true && flags.metric === undefined) {
      app.say('mlops  --plot draws one metric: mlops log --metric NAME --plot > NAME.svg');
      return 1;
    }
    const span = await spanOf(app, session, flags);
    if (span === undefined) return 1;
    if (flags.metric !== undefined) return metricLog(app, session, branch, flags.metric, span, flags);
    const found = await log(repo, span);
    if (!found.ok) {
      app.say(...troubleLines(gitTrouble(found.error, setting), setting.style));
      return 1;
    }
    await print(app, flags.json === true ? found.value : undefined, (printed, columns) =>
      logLines(found.value, printed, columns),
    );
    return 0;
  });
}

/** Undefined where it was told what is wrong with it. */
async function spanOf(app: App, { repo, setting }: Session, flags: LogFlags): Promise<LogSpan | undefined> {
  const { maxCount = flags.since === undefined ? '20' : 'Infinity', since } = flags;
  const most = Number(maxCount);
  if (flags.maxCount !== undefined && (!Number.isSafeInteger(most) || most < 1)) {
    app.say(`mlops  --max-count takes a whole number from 1, not ${JSON.stringify(maxCount)}`);
    return undefined;
  }
  if (since === undefined) return { maxCount: most };
  const date = await readDate(repo, since, setting.clock.now);
  if (!date.ok) {
    app.say(...troubleLines(gitTrouble(date.error, setting), setting.style));
    return undefined;
  }
  if (date.value === undefined) {
    app.say(
      `mlops  --since takes a date in the past as git reads it (2026-11-01, "2 weeks ago"), not ${JSON.stringify(since)}`,
    );
    return undefined;
  }
  return { maxCount: most, since: date.value };
}

async function metricLog(
  app: App,
  session: Session,
  branch: string,
  metric: string,
  span: LogSpan,
  { json, plot }: LogFlags,
): Promise<number> {
  const { repo, setting } = session;
  const found = await withProgress(app, session, ({ emit }) => metricHistory({ repo, branch, emit }, metric, span));
  if (!found.ok) {
    app.say(...troubleLines(historyTrouble(found.error, setting), setting.style));
    return 1;
  }
  if (plot === true) {
    app.out.write(await drawn(metric, found.value));
    return 0;
  }
  await print(
    app,
    json === true ? found.value.map((point) => pointJson(metric, point)) : undefined,
    (printed, columns) => metricLogLines(metric, found.value, printed, columns),
  );
  return 0;
}

/** Loaded only here: nothing else draws. */
async function drawn(metric: string, points: readonly MetricPoint[]): Promise<string> {
  const { plotHistory } = await import('../../report/plot.ts');
  const plotted = [...points].reverse().map(({ commit, reading, outcome, spread }) => ({
    label: short(commit),
    value: reading.kind === 'number' ? reading.value : undefined,
    outcome,
    ...(spread === undefined ? {} : { sd: spread.sd }),
  }));
  return plotHistory(metric, plotted);
}

const pointJson = (metric: string, { reading, spread, fingerprint, id, ...point }: MetricPoint) => ({
  ...point,
  run: fingerprint,
  report: id,
  metric,
  ...(reading.kind === 'number' ? { value: reading.value } : { value: null, kind: reading.kind }),
  ...(spread === undefined ? {} : { seeds: spread.n, sd: spread.sd }),
});

async function print(
  app: App,
  objects: readonly object[] | undefined,
  lines: (printed: Setting, columns: number | undefined) => readonly string[],
): Promise<void> {
  const printed = await settingFor(app, { again: 'mlops log' }, app.out);
  const columns = app.out.isTTY ? app.out.columns : undefined;
  const text = objects === undefined ? lines(printed, columns) : objects.map((one) => JSON.stringify(one));
  app.out.write(text.map((line) => `${line}\n`).join(''));
}
