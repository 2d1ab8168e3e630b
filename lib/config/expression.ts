import { err, ok, type Result } from '../base/result.ts';

/** A small arithmetic over metrics: `f1.cat - f1.dog`, `abs(a - b) / 2`. Read here, evaluated in verdict/. */
export type Expression =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'metric'; readonly name: string }
  | { readonly kind: 'negated'; readonly of: Expression }
  | { readonly kind: 'operation'; readonly operator: Operator; readonly left: Expression; readonly right: Expression }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly values: readonly Expression[] };
export type Operator = '+' | '-' | '*' | '/';
export type FunctionName = 'abs' | 'min' | 'max';

/** How many values a function takes, at least and at most. */
const functions: Readonly<Record<FunctionName, readonly [least: number, most: number]>> = {
  abs: [1, 1],
  min: [2, Number.POSITIVE_INFINITY],
  max: [2, Number.POSITIVE_INFINITY],
};
export const functionNames = Object.keys(functions) as readonly FunctionName[];
const isFunction = (name: string): name is FunctionName => Object.hasOwn(functions, name);

/** What a metric may be called where it is required. A dash or a slash inside is the name's: operators have spaces around them. */
export const metricPattern = /^[\p{L}_][\p{L}\p{N}_.@/-]*$/u;

export type ExpressionProblem =
  | { readonly reason: 'unexpected'; readonly found: string; readonly wanted: 'value' | 'operator' | ')' }
  | { readonly reason: 'unknown-function'; readonly name: string }
  | { readonly reason: 'wrong-count'; readonly name: FunctionName; readonly least: number; readonly most: number }
  | { readonly reason: 'too-long'; readonly most: number };

/** Nobody writes a longer one; a file that does must not exhaust the stack. */
const longest = 500;

/** By recursive descent, so that a name in a config is never run as code. */
export function parseExpression(text: string): Result<Expression, ExpressionProblem> {
  if (text.length > longest) return err({ reason: 'too-long', most: longest });
  return new Parser(text).whole();
}

/** The metrics in it, each once. */
export function metricsIn(expression: Expression): readonly string[] {
  switch (expression.kind) {
    case 'number':
      return [];
    case 'metric':
      return [expression.name];
    case 'negated':
      return metricsIn(expression.of);
    case 'operation':
      return [...new Set([...metricsIn(expression.left), ...metricsIn(expression.right)])];
    case 'call':
      return [...new Set(expression.values.flatMap(metricsIn))];
  }
}

const token = /\s*(?:((?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)|([\p{L}_][\p{L}\p{N}_.@/-]*)|(\S)|$)/uy;
interface Token {
  readonly number: string | undefined;
  readonly name: string | undefined;
  readonly sign: string | undefined;
}

class Parser {
  readonly #text: string;
  #at = 0;
  /** The first; what is read after it has no meaning. */
  #problem: ExpressionProblem | undefined;
  /** The token that comes next. All undefined: the end. */
  #next: Token;

  constructor(text: string) {
    this.#text = text;
    this.#next = this.#read();
  }

  whole(): Result<Expression, ExpressionProblem> {
    const expression = this.#sum();
    if (this.#shown() !== '') this.#refuse(this.#unexpected('operator'));
    return this.#problem === undefined ? ok(expression) : err(this.#problem);
  }

  #sum(): Expression {
    return this.#chain(['+', '-'], () => this.#chain(['*', '/'], () => this.#value()));
  }

  #chain(operators: readonly Operator[], part: () => Expression): Expression {
    let left = part();
    for (;;) {
      const operator = operators.find((sign) => sign === this.#next.sign);
      if (operator === undefined) return left;
      this.#advance();
      left = { kind: 'operation', operator, left, right: part() };
    }
  }

  #value(): Expression {
    const { number, name, sign } = this.#next;
    if (number === undefined && name === undefined && sign !== '-' && sign !== '(')
      return this.#refuse(this.#unexpected('value'));
    this.#advance();
    if (number !== undefined) return { kind: 'number', value: Number(number) };
    if (sign === '-') return { kind: 'negated', of: this.#value() };
    if (name !== undefined) return this.#next.sign === '(' ? this.#call(name) : { kind: 'metric', name };
    const inner = this.#sum();
    this.#close();
    return inner;
  }

  #call(name: string): Expression {
    if (!isFunction(name)) return this.#refuse({ reason: 'unknown-function', name });
    const values: Expression[] = [];
    do {
      this.#advance();
      values.push(this.#sum());
    } while (this.#next.sign === ',');
    this.#close();
    const [least, most] = functions[name];
    if (values.length < least || values.length > most)
      return this.#refuse({ reason: 'wrong-count', name, least, most });
    return { kind: 'call', name, values };
  }

  #close(): void {
    if (this.#next.sign === ')') this.#advance();
    else this.#refuse(this.#unexpected(')'));
  }

  #advance(): void {
    this.#next = this.#read();
  }

  #read(): Token {
    token.lastIndex = this.#at;
    const [all = '', number, name, sign] = token.exec(this.#text) ?? [];
    this.#at += all.length;
    return { number, name, sign };
  }

  #shown(): string {
    return this.#next.number ?? this.#next.name ?? this.#next.sign ?? '';
  }

  #unexpected(wanted: 'value' | 'operator' | ')'): ExpressionProblem {
    return { reason: 'unexpected', found: this.#shown(), wanted };
  }

  /** Goes to the end, where all that waits for something comes to its own. */
  #refuse(problem: ExpressionProblem): Expression {
    this.#problem ??= problem;
    this.#at = this.#text.length;
    this.#advance();
    return { kind: 'number', value: Number.NaN };
  }
}
