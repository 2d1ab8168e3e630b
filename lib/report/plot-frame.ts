import { type ScaleLinear, scaleLinear } from 'd3-scale';
import { printableLine } from '../base/printable.ts';
import { formatMetric, precisionFor } from './numbers.ts';
import { cut } from './trim.ts';

/** Of a plot, and where in it the axes are. */
export const [width, height] = [720, 280];
export const margin = { top: 40, right: 24, bottom: 44, left: 72 } as const;

/** A card with a background of its own: legible on any page, and dark where the reader's system is. */
const style = `
.card { fill: #ffffff; stroke: #d0d7de } .grid { stroke: #d8dee4 } text { fill: #59636e; font: 12px system-ui, sans-serif }
.title { fill: #1f2328; font-size: 15px; font-weight: 600 } .line { fill: none; stroke: #0969da; stroke-width: 2 } .spread { stroke: #0969da }
.before { stroke: #818b98; stroke-width: 1.5 } circle { stroke: #ffffff; fill: #0969da } .fail, .error { fill: #cf222e } .accepted, .skipped { fill: #9a6700 }
@media (prefers-color-scheme: dark) {
.card { fill: #0d1117; stroke: #3d444d } .grid { stroke: #2a313c } text { fill: #9198a1 } .title { fill: #f0f6fc }
.line, .spread { stroke: #4493f8 } .before { stroke: #656c76 } circle { stroke: #0d1117; fill: #4493f8 }
.fail, .error { fill: #f85149 } .accepted, .skipped { fill: #d29922 }
}`;

/** One picture of cards below each other, each as high as `height`. */
export function picture(title: string, cards: readonly (readonly string[])[]): string {
  const high = height * cards.length;
  const name = escapeXml(cut(title, 60));
  const head = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${high}" viewBox="0 0 ${width} ${high}" role="img" aria-label="${name}">`;
  const placed = cards.map((shapes, index) =>
    index === 0 ? shapes.join('\n') : `<g transform="translate(0,${index * height})">\n${shapes.join('\n')}\n</g>`,
  );
  return `${head}\n<style>${style}</style>\n${placed.join('\n')}\n</svg>\n`;
}

/** From the least to the greatest of these numbers, and to round ones; equal numbers lie in the middle. */
export function valueScale(numbers: readonly number[]): ScaleLinear<number, number> {
  const [low, high] = numbers.length === 0 ? [0, 1] : [Math.min(...numbers), Math.max(...numbers)];
  const around = low === high ? Math.abs(low) / 10 || 1 : 0;
  return scaleLinear([low - around, high + around], [height - margin.bottom, margin.top]).nice(5);
}

/** A card with its title and the values' axis. */
export function frame(title: string, y: ScaleLinear<number, number>): readonly string[] {
  const ticks = y.ticks(5);
  const precision = precisionFor(ticks);
  return [
    `<rect class="card" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="6"/>`,
    `<text class="title" x="16" y="25">${escapeXml(cut(title, 60))}</text>`,
    ...ticks.map((tick) => {
      const up = number(y(tick));
      const label = `<text x="${margin.left - 8}" y="${up}" dy="4" text-anchor="end">${formatMetric(tick, precision)}</text>`;
      return `<line class="grid" x1="${margin.left}" x2="${width - margin.right}" y1="${up}" y2="${up}"/>${label}`;
    }),
  ];
}

/** Below the axis. */
export const labelAt = (x: number, text: string): string =>
  `<text x="${number(x)}" y="${height - 18}" text-anchor="middle">${escapeXml(cut(text, 10))}</text>`;

/** A path of d3's, with as many digits as can be seen. */
export const pathOf = (name: string, path: string | null): string =>
  `<path class="${name}" d="${(path ?? '').replace(/\d+\.\d+/g, (text) => number(Number(text)))}"/>`;

export const number = (value: number): string => String(Math.round(value * 10) / 10);

/** A name from a repository, as text of XML. */
export const escapeXml = (text: string): string =>
  printableLine(text)
    // What XML may not hold at all, also as an entity.
    .replace(/[^\t\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '')
    .replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
