import { printable } from '../../base/printable.ts';
import type { CellProblem, ShownCell } from '../../commands/cell.ts';
import type { LogsEnd } from '../../commands/logs.ts';
import type { CellError } from '../../job/cell-outputs.ts';
import { formatBytes, plural } from '../../report/numbers.ts';
import { stoppedLines } from './gate-trouble.ts';
import { placeTrouble } from './host-trouble.ts';
import { statusText } from './job-status.ts';
import { joined, labelled, lead, said, under } from './layout.ts';
import type { Setting } from './setting.ts';
import { nextLines, type Trouble, troubleLines } from './trouble.ts';

/** A log as a terminal may show it: progress bars, which write over their line, get lines of their own. */
export const forTerminal = (text: string): string => printable(text.replace(/\r+(?!\n)/g, '\n'));

/** Below the log, on standard error: what it is, and how the following ended. */
export function logsLines(end: LogsEnd, commit: string, setting: Setting): readonly string[] {
  const { style, clock } = setting;
  const attach = { command: `mlops attach ${commit}`, what: 'waits for the verdict' };
  switch (end.kind) {
    case 'shown':
      return end.bytes > 0
        ? []
        : [
            lead(end.job === undefined ? 'nothing is logged yet' : `job ${said(end.job, 40)} has logged nothing yet`),
            ...nextLines([{ command: `mlops logs -f ${commit}`, what: 'shows it as it comes' }], style),
          ];
    case 'which-task':
      return [
        lead(`each of the ${plural(end.tasks.length, 'task')} has a log of its own`),
        ...nextLines(
          [
            { command: `mlops logs -f --task ${end.tasks[0] ?? 1} ${commit}`, what: 'follows one of them' },
            { command: `mlops logs ${commit}`, what: 'shows what all have logged so far' },
          ],
          style,
        ),
      ];
    case 'report':
      return [
        ...(end.unreached === undefined ? [] : troubleLines(placeTrouble(end.unreached, setting), style)),
        lead('the end of the log, as the report has it: the folder of the run could not be looked at'),
        ...nextLines([{ command: `mlops show --log ${commit}`, what: 'brings the whole log' }], style),
      ];
    case 'followed': {
      const job = `job ${said(end.job, 40)}`;
      if (end.end.how === 'ended') {
        const how = end.end.job === undefined ? 'has ended' : statusText(end.end.job, clock);
        return [lead(joined([job, how])), ...nextLines([{ ...attach, what: 'judges it' }], style)];
      }
      if (end.end.how === 'out-of-reach') return troubleLines(placeTrouble(end.end.error, setting), style);
      return [lead(`you stopped looking, and ${job} goes on`), ...nextLines([attach], style)];
    }
  }
}

export const passedOver = (bytes: number): string =>
  labelled('passed', `${formatBytes(bytes)} of the log left out here`);

/** The outputs of one cell, for standard output. */
export const cellLines = ({ cell }: ShownCell): readonly string[] =>
  cell.outputs.flatMap((output) =>
    output.kind === 'data'
      ? [`[${said(output.type, 40)}, ${formatBytes(output.bytes)}]`]
      : forTerminal(output.text).replace(/\n$/, '').split('\n'),
  );

/** Beside them, on standard error. */
export function cellRemarks(
  { cell, number, path, others }: ShownCell,
  commit: string,
  setting: Setting,
): readonly string[] {
  const first = cell.source.split('\n').find((line) => line.trim() !== '') ?? '';
  const silent =
    cell.kind !== 'code'
      ? 'is no code'
      : cell.hasRun
        ? 'has put out nothing'
        : 'has not been executed yet, or puts out nothing so far';
  return [
    lead(`cell ${number} of ${said(path.replace(/^(?:tasks\/\d+\/)?out\/notebooks\//, ''), 60)}: ${said(first, 60)}`),
    ...(cell.outputs.length === 0 ? [under(silent)] : []),
    ...(others === 0
      ? []
      : [under(`there ${others === 1 ? 'is' : 'are'} ${plural(others, 'other notebook')}; this one was written last`)]),
    ...(cell.outputs.some(({ kind }) => kind === 'data')
      ? nextLines([{ command: `mlops show --notebook ${commit}`, what: 'brings it with its pictures' }], setting.style)
      : []),
  ];
}

export function cellProblemLines(error: CellProblem, commit: string, setting: Setting): readonly string[] {
  if (error.reason === 'no-notebook')
    return troubleLines(
      {
        failed: 'no notebook has been executed in this run so far',
        next: [{ command: `mlops logs ${commit}`, what: 'shows what it says' }],
      },
      setting.style,
    );
  if (error.reason === 'notebook')
    return troubleLines(notebookTrouble(error.path, error.cause, commit, setting), setting.style);
  return stoppedLines(error, setting);
}

function notebookTrouble(path: string, cause: CellError, commit: string, { again }: Setting): Trouble {
  const name = said(path, 80);
  const whole = { command: `mlops show --notebook ${commit}`, what: 'brings the notebook once it is judged' };
  if (cause.problem === 'no-cell')
    return { failed: `${name} has no such cell: it has ${plural(cause.cells, 'cell')}`, next: [whole] };
  return { failed: `${name} cannot be read`, raw: cause.detail, next: [{ command: again }, whole] };
}
