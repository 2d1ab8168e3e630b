import { type Oid, short } from '../../base/ids.ts';
import { formatLocalTime } from '../../report/local-time.ts';
import type { Note } from '../../report/note-line.ts';
import type { Style } from '../style.ts';
import { clip, columns, lead, said, widest, width } from './layout.ts';
import type { Setting } from './setting.ts';
import { nextLines } from './trouble.ts';
import { colours } from './verdict.ts';

/** A commit that was judged, and what is noted on it. */
export interface LoggedCommit {
  readonly commit: Oid;
  /** Absent: the commit is not in this clone. */
  readonly info?: { readonly subject: string };
  /** Without `note` the line is somebody else's. */
  readonly notes: readonly { readonly line: string; readonly note?: Note }[];
  /** Seconds since the epoch. */
  readonly notedAt: number;
}

/** `mlops log`: one line for each verdict, several below each other where a commit has several. */
export function logLines(
  commits: readonly LoggedCommit[],
  setting: Setting,
  mostColumns: number = widest,
): readonly string[] {
  const { style, clock } = setting;
  if (commits.length === 0) {
    const next = [
      { command: 'git push', what: 'trains and judges' },
      { command: 'git fetch', what: "brings colleagues' verdicts" },
    ];
    return [lead('no verdicts are known in this clone'), ...nextLines(next, style)];
  }
  const rows = commits.flatMap(({ commit, info, notes, notedAt }) =>
    notes.map((one, index) => {
      const first = index === 0;
      const when = first ? day(formatLocalTime(notedAt, clock.now, clock.timeZone)) : '';
      const subject = first ? said(info?.subject ?? '(not in this clone)', 200) : '';
      return [first ? style.yellow(short(commit)) : '', when, ...noteCells(one, style), subject];
    }),
  );
  const lines = columns(rows, [{}, { right: true }, {}, { most: 32 }, {}, {}]);
  return lines.map((line) => (width(line) > mostColumns ? clip(line, Math.max(20, mostColumns)) : line));
}

/** Of today the time, else the day. */
export const day = (time: string): string => time.replace(/ \d\d:\d\d$/, '');

function noteCells({ line, note }: LoggedCommit['notes'][number], style: Style): readonly string[] {
  if (note === undefined) return [style.dim('note'), said(line, 40), ''];
  const { outcome, metrics, reason, by, run } = note;
  const numbers = metrics
    .map(({ name, value }) => `${said(name, 20)} ${said(value, 20).replace(/^-/, '−')}`)
    .join(', ');
  const why = reason === undefined ? '' : `${said(reason, 40)}${by === undefined ? '' : `, ${said(by, 30)}`}`;
  return [style[colours[outcome]](outcome), [numbers, why].filter((part) => part !== '').join(': '), run ?? ''];
}
