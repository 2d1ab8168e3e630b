import { scalePoint } from 'd3-scale';
import { line } from 'd3-shape';
import { formatMetric } from './numbers.ts';
import { escapeXml, frame, labelAt, margin, number, pathOf, picture, valueScale, width } from './plot-frame.ts';
import type { Outcome } from './types.ts';

export interface PlotPoint {
  /** Below the axis, where there is room. */
  readonly label: string;
  /** Undefined: what was measured is no number, and the line has a gap. */
  readonly value: number | undefined;
  readonly outcome: Outcome;
  /** Over seeds: drawn as a bar of one standard deviation to each side. */
  readonly sd?: number;
}

/** The history of a metric as an SVG picture, oldest first. */
export function plotHistory(metric: string, points: readonly PlotPoint[]): string {
  const y = valueScale(points.flatMap(({ value, sd = 0 }) => (value === undefined ? [] : [value - sd, value + sd])));
  const x = scalePoint(
    points.map((_, index) => index),
    [margin.left, width - margin.right],
  ).padding(0.5);
  const at = (index: number): number => x(index) ?? 0;
  const path = line<PlotPoint>()
    .defined(({ value }) => value !== undefined)
    .x((_point, index) => at(index))
    .y(({ value }) => y(value ?? 0))(points);
  // So many labels have room beside each other.
  const every = Math.max(1, Math.ceil(points.length / 9));
  const shapes = [
    ...frame(metric, y),
    ...points.flatMap(({ label }, index) =>
      (points.length - 1 - index) % every === 0 ? [labelAt(at(index), label)] : [],
    ),
    ...points.flatMap(({ value, sd }, index) =>
      value === undefined || sd === undefined || sd === 0
        ? []
        : [`<path class="spread" d="M${number(at(index))},${number(y(value - sd))}V${number(y(value + sd))}"/>`],
    ),
    pathOf('line', path),
    ...points.flatMap(({ value, outcome, label }, index) =>
      value === undefined
        ? []
        : [
            `<circle class="${outcome}" cx="${number(at(index))}" cy="${number(y(value))}" r="4"><title>${escapeXml(label)}: ${formatMetric(value)}, ${outcome}</title></circle>`,
          ],
    ),
  ];
  return picture(metric, [shapes]);
}
