import { StringDecoder } from 'node:string_decoder';
import { short } from '../../base/ids.ts';
import { showCell } from '../../commands/cell.ts';
import { logs } from '../../commands/logs.ts';
import type { App } from '../app.ts';
import { aboutCommit } from '../commit-argument.ts';
import { remarksAlone } from '../progress.ts';
import { stoppedLines } from '../screens/gate-trouble.ts';
import { cellLines, cellProblemLines, cellRemarks, forTerminal, logsLines, passedOver } from '../screens/logs.ts';
import { inRepository, type Session } from '../session.ts';
import { mayRun } from '../trust.ts';

export interface LogsFlags {
  readonly follow?: boolean;
  readonly cell?: string;
  readonly task?: string;
}

/** `mlops logs [COMMIT|RUN]`: the log on standard output, all else beside it. Letting go of it never ends the job. */
export async function logsCommand(app: App, named: string | undefined, flags: LogsFlags): Promise<number> {
  const { follow = false, cell } = flags;
  const task = flags.task === undefined ? undefined : Number(flags.task);
  if (task !== undefined && (!Number.isSafeInteger(task) || task < 1 || cell !== undefined)) {
    app.say(
      cell === undefined
        ? `mlops  --task takes the number of a task, counted from 1, not ${JSON.stringify(flags.task)}`
        : 'mlops  --task shows the log of a task: it does not go with --cell',
    );
    return 1;
  }
  const number = cell === undefined ? undefined : Number(cell);
  if (number !== undefined && (!Number.isSafeInteger(number) || number < 1 || follow)) {
    app.say(
      follow
        ? 'mlops  --cell shows what a cell has put out so far: it does not go with --follow'
        : `mlops  --cell takes the number of a cell, counted from 1 over all cells, not ${JSON.stringify(cell)}`,
    );
    return 1;
  }
  const of = task === undefined ? '' : ` --task ${task}`;
  const again = `mlops logs${follow ? ' -f' : ''}${of}${named === undefined ? '' : ` ${named}`}`;
  return inRepository(app, { again }, async (session) => {
    if (!(await mayRun(app, session))) return 1;
    return number === undefined ? showLog(app, session, named, follow, task) : showOutputs(app, session, named, number);
  });
}

function showLog(
  app: App,
  session: Session,
  named: string | undefined,
  following: boolean,
  task: number | undefined,
): Promise<number> {
  const { setting } = session;
  const decoder = new StringDecoder('utf8');
  const write = (piece: Buffer | string): void => {
    app.out.write(app.out.isTTY ? forTerminal(typeof piece === 'string' ? piece : decoder.write(piece)) : piece);
  };
  return aboutCommit(
    app,
    session,
    named,
    async (context, identified, progress) => {
      const passOver = (bytes: number) => progress.say(passedOver(bytes));
      const only = task === undefined ? {} : { task };
      const done = await logs(context, identified, { follow: following, ...only, write, passOver });
      if (!done.ok) {
        progress.say(...stoppedLines(done.error, setting));
        return 1;
      }
      const end = done.value;
      if (end.kind === 'report') write(`${end.report.logTail.replace(/\n$/, '')}\n`);
      progress.say(...logsLines(end, short(identified.commit), setting));
      return end.kind === 'which-task' || (end.kind === 'followed' && end.end.how !== 'ended') ? 1 : 0;
    },
    remarksAlone,
  );
}

function showOutputs(app: App, session: Session, named: string | undefined, number: number): Promise<number> {
  const { setting } = session;
  return aboutCommit(
    app,
    session,
    named,
    async (context, identified, progress) => {
      const commit = short(identified.commit);
      const shown = await showCell(context, identified, number);
      if (!shown.ok) {
        progress.say(...cellProblemLines(shown.error, commit, setting));
        return 1;
      }
      progress.say(...cellRemarks(shown.value, commit, setting));
      app.out.write(
        cellLines(shown.value)
          .map((line) => `${line}\n`)
          .join(''),
      );
      return 0;
    },
    remarksAlone,
  );
}
