import { type MetricRow, mark, metricTable } from '../../report/metric-table.ts';
import { plural } from '../../report/numbers.ts';
import type { Report } from '../../report/types.ts';
import type { Style } from '../style.ts';
import { columns, said, width } from './layout.ts';

/** Columns of the table without the margin of a screen. */
const room = 90;

/** Metric, this, baseline, change, required, aligned; empty where nothing was measured, and where an error says nothing of the model. */
export function metricLines({ verdict, run, baselines }: Report, style: Style): readonly string[] {
  if (verdict === undefined || run === undefined || verdict.kind === 'error') return [];
  const { baseline, rows, more } = metricTable(verdict, run, baselines);
  if (rows.length === 0) return [];
  const compared = baseline !== undefined;
  const cells = [
    ['metric', 'this', ...(compared ? [said(baseline, 20), 'change'] : [])],
    ...rows.map((row) => [row.metric, row.value, ...(compared ? [row.baseline, row.change] : [])]),
  ];
  const left = columns(cells, [{ most: 24 }, { right: true }, { right: true, most: 20 }, { right: true }], true);
  const used = width(left[0] ?? '') + 3;
  const requires = rows.some(({ required }) => required.length > 0);
  const head = `${left[0]}${requires ? '   required' : ''}`.trimEnd();
  const lines = rows.flatMap((row, index) => {
    const [first = '', ...others] = requiredLines(row, room - used, style);
    return [`${left[index + 1]}   ${first}`.trimEnd(), ...others.map((line) => `${' '.repeat(used)}${line}`)];
  });
  return [style.dim(head), ...lines, ...(more > 0 ? [`and ${plural(more, 'metric')} more: mlops show`] : [])];
}

/** Bounds beside each other as far as there is room. */
function requiredLines({ required }: MetricRow, most: number, style: Style): readonly string[] {
  const lines: string[] = [];
  const colours = { met: style.green, missed: style.red, warns: style.yellow, open: style.yellow };
  for (const { text, state } of required) {
    const bound = `${said(text, Math.max(20, most - 2))} ${colours[state](mark[state])}`;
    const last = lines.at(-1);
    if (last !== undefined && width(last) + 2 + width(bound) <= most) lines[lines.length - 1] = `${last}  ${bound}`;
    else lines.push(bound);
  }
  return lines;
}
