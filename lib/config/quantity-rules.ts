import { unreachable } from '../base/unreachable.ts';
import { functionNames, metricsIn } from './expression.ts';
import { nearest } from './nearest.ts';
import { parseQuantity, type QuantityProblem } from './quantity.ts';
import type { Reporter } from './reporter.ts';

/** A key of `require` is a metric, or is computed from metrics. `known` undefined: a file may bring any. */
export function checkQuantity(key: string, known: readonly string[] | undefined, report: Reporter): void {
  const quantity = parseQuantity(key);
  if (!quantity.ok) {
    const { message, hint } = wordsFor(key, quantity.error);
    report.error('wrong-value', ['require', key], 'key', message, hint);
    return;
  }
  const names = quantity.value.kind === 'metric' ? [key] : metricsIn(quantity.value.expression);
  if (names.length === 0)
    report.error(
      'wrong-value',
      ['require', key],
      'key',
      `\`${key}\` has no metric in it`,
      'it is the same for every run',
    );
  for (const name of names.filter((one) => known?.includes(one) === false)) unknown(key, name, known ?? [], report);
}

function unknown(key: string, name: string, known: readonly string[], report: Reporter): void {
  const near = nearest(name, known);
  const defined =
    known.length === 0 ? 'no step defines `metrics`' : `defined: ${known.map((one) => `\`${one}\``).join(', ')}`;
  const glued = /^(.+)[-/](.+)$/u.exec(name);
  const isGlued = glued !== null && known.includes(glued[1] ?? '') && known.includes(glued[2] ?? '');
  report.error(
    'wrong-value',
    ['require', key],
    'key',
    `no step defines a metric \`${name}\``,
    isGlued
      ? 'an operator has spaces around it: a name may contain - and /'
      : near === undefined
        ? defined
        : `did you mean \`${near}\`?`,
  );
}

function wordsFor(key: string, problem: QuantityProblem): { readonly message: string; readonly hint?: string } {
  const neither = `\`${key.length > 60 ? `${key.slice(0, 59)}…` : key}\` is neither a metric nor an expression of metrics`;
  switch (problem.reason) {
    case 'unexpected': {
      const place = problem.found === '' ? 'at its end' : `before \`${problem.found}\``;
      const wanted = { value: 'a metric, a number or (', operator: 'an operator', ')': ')' }[problem.wanted];
      return { message: `${neither}: ${wanted} is missing ${place}`, hint: 'such as `f1.cat - f1.dog`' };
    }
    case 'unknown-function': {
      const near = nearest(problem.name, functionNames);
      const all = functionNames.map((name) => `\`${name}\``).join(', ');
      return {
        message: `${neither}: there is no function \`${problem.name}\``,
        hint: near === undefined ? `known here: ${all}` : `did you mean \`${near}\`?`,
      };
    }
    case 'wrong-count':
      return {
        message: `${neither}: \`${problem.name}\` takes ${problem.least === problem.most ? problem.least : `${problem.least} or more`}`,
      };
    case 'too-long':
      return { message: `${neither}: it has more than ${problem.most} characters` };
    default:
      return unreachable(problem);
  }
}
