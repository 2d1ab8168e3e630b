import { scaleLinear } from 'd3-scale';
import { line } from 'd3-shape';
import { evenly } from '../base/evenly.ts';
import type { Curve } from '../verdict/types.ts';
import { formatMetric } from './numbers.ts';
import { escapeXml, frame, labelAt, margin, number, pathOf, picture, valueScale, width } from './plot-frame.ts';
import { cut } from './trim.ts';

export interface PlottedCurve {
  readonly metric: string;
  readonly curve: Curve;
  /** The metric, as far as it is a number. */
  readonly value?: number;
  /** What it is compared with. */
  readonly baseline?: { readonly name: string; readonly curve: Curve };
}

/** The curves of a run as an SVG picture, each over its baseline's. */
export const plotCurves = (title: string, curves: readonly PlottedCurve[]): string =>
  picture(
    title,
    curves.map((curve) => card(curve, title)),
  );

function card({ metric, curve, value, baseline }: PlottedCurve, title: string): readonly string[] {
  const all = [curve, ...(baseline === undefined ? [] : [baseline.curve])];
  const drawn = all.flatMap(({ values }) => values.flatMap((each) => each ?? []));
  const y = valueScale(value === undefined ? drawn : [...drawn, value]);
  const most = Math.max(2, ...all.map(({ n }) => n));
  // The steps of a training are counted from 1.
  const x = scaleLinear([1, most], [margin.left, width - margin.right]);
  const draw = ({ n, values }: Curve): string | null =>
    line<number | null>()
      .defined((each) => each !== null)
      .x((_each, index) => x(evenly(index, n, values.length) + 1))
      .y((each) => y(each ?? 0))([...values]);
  const ticks = x.ticks(8).filter((tick) => Number.isInteger(tick) && tick >= 1);
  const { at } = curve;
  return [
    ...frame(metric, y),
    ...legend(title, baseline?.name),
    ...ticks.map((tick) => labelAt(x(tick), String(tick))),
    ...(baseline === undefined ? [] : [pathOf('line before', draw(baseline.curve))]),
    pathOf('line', draw(curve)),
    ...(at === undefined || value === undefined
      ? []
      : [
          `<circle cx="${number(x(at + 1))}" cy="${number(y(value))}" r="4"><title>${curve.rule} ${formatMetric(value)}, step ${at + 1} of ${curve.n}</title></circle>`,
        ]),
  ];
}

/** On the right of the title: which line is which. */
function legend(run: string, baseline: string | undefined): readonly string[] {
  const entry = (name: string, text: string, right: number): string =>
    `<path class="${name}" d="M${right - 24},20H${right}"/><text x="${right - 30}" y="24" text-anchor="end">${escapeXml(cut(text, 18))}</text>`;
  const right = width - margin.right;
  if (baseline === undefined) return [];
  return [entry('line before', baseline, right), entry('line', run, right - 170)];
}
