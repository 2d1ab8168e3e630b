import { ok, type Result } from '../base/result.ts';
import { type Expression, type ExpressionProblem, metricPattern, parseExpression } from './expression.ts';

/** What a key of `require` looks at. */
export type Quantity =
  | { readonly kind: 'metric'; readonly name: string }
  | { readonly kind: 'expression'; readonly expression: Expression };
export type QuantityProblem = ExpressionProblem;

/** A name is a metric's whatever is in it; all else is arithmetic. */
export function parseQuantity(key: string): Result<Quantity, QuantityProblem> {
  if (metricPattern.test(key)) return ok({ kind: 'metric', name: key });
  const expression = parseExpression(key);
  return expression.ok ? ok({ kind: 'expression', expression: expression.value }) : expression;
}
