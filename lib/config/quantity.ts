import { err, ok, type Result } from '../base/result.ts';
import { type Expression, type ExpressionProblem, metricPattern, parseExpression } from './expression.ts';
import { parseMem, parseTime } from './units.ts';

/** What a key of `require` looks at: a metric, what is computed from metrics, or what the run took. */
export type Quantity =
  | { readonly kind: 'metric'; readonly name: string }
  | { readonly kind: 'expression'; readonly expression: Expression }
  | Resource;
export type Resource =
  | { readonly kind: 'time' | 'memory' }
  /** Of a file that is kept, by its path as the report lists it. */
  | { readonly kind: 'size'; readonly path: string };
export type QuantityProblem = ExpressionProblem | { readonly reason: 'unknown-resource'; readonly name: string };

/** A dollar begins no metric's name, so that none of these hides one. */
export const resourceNames = ['$time', '$memory', '$size(FILE)'] as const;

/** A name is a metric's whatever is in it, `$…` is what the run took, and all else is arithmetic. */
export function parseQuantity(key: string): Result<Quantity, QuantityProblem> {
  if (metricPattern.test(key)) return ok({ kind: 'metric', name: key });
  if (key.startsWith('$')) return parseResource(key);
  const expression = parseExpression(key);
  return expression.ok ? ok({ kind: 'expression', expression: expression.value }) : expression;
}

function parseResource(key: string): Result<Resource, QuantityProblem> {
  if (key === '$time') return ok({ kind: 'time' });
  if (key === '$memory') return ok({ kind: 'memory' });
  const [, path] = /^\$size\((?:\$MLOPS_OUT\/)?(.+)\)$/s.exec(key) ?? [];
  return path === undefined ? err({ reason: 'unknown-resource', name: key }) : ok({ kind: 'size', path });
}

export type Unit = 'seconds' | 'bytes';

/** What the numbers of a key count; undefined for a metric, of which nobody knows. */
export function unitOf(key: string): Unit | undefined {
  const quantity = key.startsWith('$') ? parseQuantity(key) : undefined;
  if (quantity?.ok !== true) return undefined;
  return quantity.value.kind === 'time' ? 'seconds' : 'bytes';
}

/** A limit as it was written, in the unit of its key: `$time` and the others are written as in `resources`. */
export function parseLimit(key: string, value: unknown): number | undefined {
  const unit = unitOf(key);
  if (unit === undefined) return typeof value === 'number' ? value : undefined;
  if (typeof value !== 'number' && typeof value !== 'string') return undefined;
  return unit === 'seconds' ? parseTime(String(value)) : parseMem(String(value));
}
