import { unreachable } from '../base/unreachable.ts';
import type { Expression, FunctionName, Operator } from '../config/expression.ts';
import { nameOf } from './bounds.ts';
import type { MetricReading } from './types.ts';

/** The expression's value; or, where one of its metrics is no finite number, what that one is, with its name as the source. */
export function evaluate(expression: Expression, readingOf: (metric: string) => MetricReading): MetricReading {
  const odd: { found?: MetricReading } = {};
  const value = numberIn(expression, (metric) => {
    const reading = readingOf(metric);
    if (reading.kind === 'number' && Number.isFinite(reading.value)) return reading.value;
    const named = reading.kind === 'number' ? { kind: nameOf(reading.value) } : reading;
    odd.found ??= { ...named, source: metric };
    return Number.NaN;
  });
  if (odd.found !== undefined) return odd.found;
  return Number.isFinite(value) ? { kind: 'number', value, source: '' } : { kind: nameOf(value), source: '' };
}

function numberIn(expression: Expression, metric: (name: string) => number): number {
  switch (expression.kind) {
    case 'number':
      return expression.value;
    case 'metric':
      return metric(expression.name);
    case 'negated':
      return -numberIn(expression.of, metric);
    case 'operation':
      return operations[expression.operator](numberIn(expression.left, metric), numberIn(expression.right, metric));
    case 'call':
      return functions[expression.name](expression.values.map((value) => numberIn(value, metric)));
    default:
      return unreachable(expression);
  }
}

const operations: Readonly<Record<Operator, (a: number, b: number) => number>> = {
  '+': (a, b) => a + b,
  '-': (a, b) => a - b,
  '*': (a, b) => a * b,
  '/': (a, b) => a / b,
};

const functions: Readonly<Record<FunctionName, (values: readonly number[]) => number>> = {
  abs: ([value = Number.NaN]) => Math.abs(value),
  min: (values) => Math.min(...values),
  max: (values) => Math.max(...values),
};
