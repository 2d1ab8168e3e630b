import { scaleLinear, scalePoint } from 'd3-scale';
import { line } from 'd3-shape';
import { printableLine } from '../base/printable.ts';
import { formatMetric, precisionFor } from './numbers.ts';
import { cut } from './trim.ts';
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

const [width, height] = [720, 280];
const margin = { top: 40, right: 24, bottom: 44, left: 72 } as const;

/** A card with a background of its own: legible on any page, and dark where the reader's system is. */
const style = `
.card { fill: #ffffff; stroke: #d0d7de } .grid { stroke: #d8dee4 } text { fill: #59636e; font: 12px system-ui, sans-serif }
.title { fill: #1f2328; font-size: 15px; font-weight: 600 } .line { fill: none; stroke: #0969da; stroke-width: 2 } .spread { stroke: #0969da }
circle { stroke: #ffffff; fill: #0969da } .fail, .error { fill: #cf222e } .accepted, .skipped { fill: #9a6700 }
@media (prefers-color-scheme: dark) {
.card { fill: #0d1117; stroke: #3d444d } .grid { stroke: #2a313c } text { fill: #9198a1 } .title { fill: #f0f6fc }
.line, .spread { stroke: #4493f8 } circle { stroke: #0d1117; fill: #4493f8 } .fail, .error { fill: #f85149 } .accepted, .skipped { fill: #d29922 }
}`;

/** The history of a metric as an SVG picture, oldest first. */
export function plotHistory(metric: string, points: readonly PlotPoint[]): string {
  const known = points.flatMap(({ value, sd = 0 }) => (value === undefined ? [] : [value - sd, value + sd]));
  const [low, high] = known.length === 0 ? [0, 1] : [Math.min(...known), Math.max(...known)];
  // Equal numbers lie in the middle.
  const around = low === high ? Math.abs(low) / 10 || 1 : 0;
  const y = scaleLinear([low - around, high + around], [height - margin.bottom, margin.top]).nice(5);
  const x = scalePoint(
    points.map((_, index) => index),
    [margin.left, width - margin.right],
  ).padding(0.5);
  const at = (index: number): number => x(index) ?? 0;
  const ticks = y.ticks(5);
  const precision = precisionFor(ticks);
  const path = line<PlotPoint>()
    .defined(({ value }) => value !== undefined)
    .x((_point, index) => at(index))
    .y(({ value }) => y(value ?? 0))(points);
  // So many labels have room beside each other.
  const every = Math.max(1, Math.ceil(points.length / 9));
  const shapes = [
    `<rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="6"/>`,
    `<text class="title" x="16" y="25">${escapeXml(cut(metric, 60))}</text>`,
    ...ticks.map((tick) => {
      const up = number(y(tick));
      const label = `<text x="${margin.left - 8}" y="${up}" dy="4" text-anchor="end">${formatMetric(tick, precision)}</text>`;
      return `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${up}" y2="${up}"/>${label}`;
    }),
    ...points.flatMap(({ label }, index) =>
      (points.length - 1 - index) % every === 0
        ? [`<text x="${number(at(index))}" y="${height - 18}" text-anchor="middle">${escapeXml(cut(label, 10))}</text>`]
        : [],
    ),
    ...points.flatMap(({ value, sd }, index) =>
      value === undefined || sd === undefined || sd === 0
        ? []
        : [`<path class="spread" d="M${number(at(index))},${number(y(value - sd))}V${number(y(value + sd))}"/>`],
    ),
    `<path class="line" d="${(path ?? '').replace(/\d+\.\d+/g, (text) => number(Number(text)))}"/>`,
    ...points.flatMap(({ value, outcome, label }, index) =>
      value === undefined
        ? []
        : [
            `<circle class="${outcome}" cx="${number(at(index))}" cy="${number(y(value))}" r="4"><title>${escapeXml(label)}: ${formatMetric(value)}, ${outcome}</title></circle>`,
          ],
    ),
  ];
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(cut(metric, 60))}">`;
  return `${head}\n<style>${style}</style>\n${shapes.join('\n')}\n</svg>\n`;
}

const number = (value: number): string => String(Math.round(value * 10) / 10);

/** A name from a repository, as text of XML. */
const escapeXml = (text: string): string =>
  printableLine(text)
    // What XML may not hold at all, also as an entity.
    .replace(/[^\t\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
