import { short } from '../../base/ids.ts';
import type { HistoryError, MetricPoint } from '../../commands/metric-history.ts';
import { nearest } from '../../config/nearest.ts';
import { formatLocalTime } from '../../report/local-time.ts';
import { formatChange, formatMetric, precisionFor } from '../../report/numbers.ts';
import { reportTime } from '../../report/report-path.ts';
import { sparkline } from '../../report/sparkline.ts';
import { readingText, spreadText } from '../../report/words.ts';
import { gitTrouble } from './git-trouble.ts';
import { clip, columns, lead, said, under, widest, width, word } from './layout.ts';
import { day } from './log.ts';
import type { Setting } from './setting.ts';
import { nextLines, type Trouble, troubleOf, type Words } from './trouble.ts';
import { colours } from './verdict.ts';

const numberIn = ({ reading }: MetricPoint): number | undefined =>
  reading.kind === 'number' ? reading.value : undefined;

/** More bars than this say nothing more. */
const mostBars = 60;

/** `mlops log --metric NAME`: a line for each commit, with the change since the one before it, and the whole as bars above. */
export function metricLogLines(
  metric: string,
  points: readonly MetricPoint[],
  { style, clock }: Setting,
  mostColumns: number = widest,
): readonly string[] {
  if (points.length === 0) {
    const next = [{ command: 'mlops log', what: 'lists what was judged at all' }];
    return [lead('no verdicts are known in this clone for that time'), ...nextLines(next, style)];
  }
  const numbers = points.flatMap((point) => numberIn(point) ?? []);
  const pairs = points.flatMap((point, index) => {
    const [now, before] = [numberIn(point), valueBefore(points, index)];
    return now === undefined || before === undefined ? [] : [[now, before] as const];
  });
  const precision = precisionFor(numbers, pairs);
  const rows = points.map((point, index) => {
    const { commit, id, outcome, reading, spread, fingerprint, subject } = point;
    const time = reportTime(id);
    const [now, before] = [numberIn(point), valueBefore(points, index)];
    return [
      style.yellow(short(commit)),
      time === undefined ? '' : day(formatLocalTime(time, clock.now, clock.timeZone)),
      style[colours[outcome]](outcome),
      now === undefined ? readingText(reading) : formatMetric(now, precision),
      spread === undefined ? '' : spreadText(spread.n, spread.sd, precision),
      now === undefined || before === undefined ? '' : formatChange(now - before, precision),
      short(fingerprint),
      said(subject, 200),
    ];
  });
  const right = { right: true } as const;
  const used = rows.some((row) => row[4] !== '') ? rows : rows.map((row) => row.filter((_cell, index) => index !== 4));
  const formats = [{}, right, {}, right, ...(used === rows ? [{}] : []), right, {}, {}];
  const bars = sparkline([...points].slice(0, mostBars).reverse().map(numberIn));
  const lines = columns(used, formats);
  return [lead(`${said(metric, 40)}  ${bars}`), ...lines.map(under)].map((line) =>
    width(line) > mostColumns ? clip(line, Math.max(20, mostColumns)) : line,
  );
}

/** The nearest older number. */
const valueBefore = (points: readonly MetricPoint[], index: number): number | undefined =>
  points
    .slice(index + 1)
    .map(numberIn)
    .find((value) => value !== undefined);

const words: Words<HistoryError> = {
  'unknown-metric': ({ metric, known }) => {
    const meant = nearest(metric, known);
    const names = known.slice(0, 12).map((name) => said(name, 30));
    return {
      failed: `no verdict here has a metric ${said(metric, 40)}`,
      list: [names.length === 0 ? 'none was measured' : `measured: ${names.join(', ')}`].flatMap((text) =>
        text.length > 90 ? names : [text],
      ),
      next: [
        meant === undefined
          ? { command: 'mlops log', what: 'lists what was judged' }
          : { command: `mlops log --metric ${word(meant)}`, what: 'the one with a name like it' },
      ],
    };
  },
  git: ({ cause }, setting) => gitTrouble(cause, setting),
};

export const historyTrouble = (error: HistoryError, setting: Setting): Trouble => troubleOf(words, error, setting);
