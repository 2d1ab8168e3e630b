import { evenly } from '../base/evenly.ts';
import { printableLine } from '../base/printable.ts';
import type { RunResult } from '../verdict/types.ts';
import { sparkline } from './sparkline.ts';
import { cut } from './trim.ts';

const bars = 30;

/** `loss █▅▃▂▁▁ min, step 38 of 40`: each curve on a line. */
export const curveTexts = (run: Pick<RunResult, 'curves'> | undefined): readonly string[] =>
  Object.entries(run?.curves ?? {}).map(([metric, { rule, n, at, values }]) => {
    const length = Math.min(bars, values.length);
    const shown = Array.from({ length }, (_, index) => values[evenly(index, values.length, length)] ?? undefined);
    const where = at === undefined ? `, ${n} steps` : `, step ${at + 1} of ${n}`;
    return `${cut(printableLine(metric), 30)} ${sparkline(shown)} ${rule}${where}`;
  });
