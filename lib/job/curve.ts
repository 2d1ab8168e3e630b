import { evenly } from '../base/evenly.ts';
import type { CurveRule } from '../config/types.ts';
import type { Curve, MetricReading } from '../verdict/types.ts';
import { type ReadMetrics, readNumber } from './readings.ts';
import type { PlannedStep } from './types.ts';

/** With all its values, of which some may be no finite number. */
export interface FullCurve {
  readonly rule: CurveRule;
  readonly at?: number;
  readonly values: readonly number[];
}

/** Where a step asks for curves, the number that each stands for. A list that nobody asked for stays one, and meets no requirement. */
export function withCurves(
  { curves: asked = {}, metricsFile = '' }: Pick<PlannedStep, 'curves' | 'metricsFile'>,
  { readings, lists }: ReadMetrics,
): {
  readonly metrics: Readonly<Record<string, MetricReading>>;
  readonly curves: Readonly<Record<string, FullCurve>>;
} {
  const metrics = { ...readings };
  const curves: Record<string, FullCurve> = {};
  for (const [name, rule] of Object.entries(asked)) {
    const reading = Object.hasOwn(readings, name) ? readings[name] : undefined;
    const values = Object.hasOwn(lists, name) ? lists[name] : undefined;
    const source = reading?.source ?? metricsFile;
    if (values === undefined) {
      metrics[name] = reading ?? { kind: 'missing', source };
      continue;
    }
    const at = chosen(values, rule);
    metrics[name] = readNumber(values[at] ?? Number.NaN, source);
    curves[name] = { rule, at, values };
  }
  return { metrics, curves };
}

/** Of equal values the first. One that is not a number is neither the least nor the greatest, and decides: the training went wrong there. */
function chosen(values: readonly number[], rule: CurveRule): number {
  if (rule === 'last') return values.length - 1;
  const wrong = values.findIndex((value) => Number.isNaN(value));
  if (wrong >= 0) return wrong;
  const sign = rule === 'min' ? -1 : 1;
  return values.reduce((best, value, index) => (sign * value > sign * (values[best] ?? value) ? index : best), 0);
}

/** Value by value; undefined where they are not equally long, and a mean would be of other steps. */
export function meanCurve(curves: readonly FullCurve[]): FullCurve | undefined {
  const [first] = curves;
  if (first === undefined || curves.some(({ values }) => values.length !== first.values.length)) return undefined;
  if (curves.length === 1) return first;
  const values = first.values.map(
    (_, index) => curves.reduce((sum, { values }) => sum + (values[index] ?? 0), 0) / curves.length,
  );
  return { rule: first.rule, values };
}

/** As many points as a picture can show; the report must stay small. */
const most = 100;

/** The first value, the last, and between them evenly spread ones, to five digits: which they are follows from how many there were. */
export const keptCurves = (curves: Readonly<Record<string, FullCurve>>): Readonly<Record<string, Curve>> =>
  Object.fromEntries(
    Object.entries(curves).map(([name, { values, ...curve }]) => {
      const length = Math.min(values.length, most);
      const kept = Array.from({ length }, (_, index) => {
        const value = values[evenly(index, values.length, length)] ?? Number.NaN;
        return Number.isFinite(value) ? Number(value.toPrecision(5)) : null;
      });
      return [name, { ...curve, n: values.length, values: kept }];
    }),
  );
