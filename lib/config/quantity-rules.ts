import { unreachable } from '../base/unreachable.ts';
import { functionNames, metricsIn } from './expression.ts';
import type { Loose } from './loose.ts';
import { nearest } from './nearest.ts';
import type { Path } from './path.ts';
import { parseLimit, parseQuantity, type QuantityProblem, resourceNames, type Unit, unitOf } from './quantity.ts';
import type { Reporter } from './reporter.ts';

/** A key of `require` is a metric, is computed from metrics, or is what the run took. `known` undefined: a file may bring any metric. */
export function checkQuantity(
  key: string,
  known: readonly string[] | undefined,
  artifacts: readonly string[],
  report: Reporter,
): void {
  const quantity = parseQuantity(key);
  if (!quantity.ok) {
    const { message, hint } = wordsFor(key, quantity.error);
    report.error('wrong-value', ['require', key], 'key', message, hint);
    return;
  }
  const { value } = quantity;
  if (value.kind === 'size') checkSize(key, value.path, artifacts, report);
  if (value.kind !== 'metric' && value.kind !== 'expression') return;
  const names = value.kind === 'metric' ? [key] : metricsIn(value.expression);
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

/** Only what is kept has a size that is known. Which files a glob finds, the run will show. */
function checkSize(key: string, path: string, artifacts: readonly string[], report: Reporter): void {
  const kept = artifacts.map((artifact) => artifact.replace(/^\$MLOPS_OUT\//, ''));
  if (kept.includes(path) || kept.some((artifact) => /[*?[{]/.test(artifact) || path.startsWith(`${artifact}/`)))
    return;
  const near = nearest(path, kept);
  report.error(
    'wrong-value',
    ['require', key],
    'key',
    `\`${path}\` is not among the \`artifacts\`, so its size is not known`,
    near === undefined ? `artifacts: [${path}]` : `did you mean \`$size(${near})\`?`,
  );
}

/** The limits at `path` are numbers; of what the run took, texts with a unit, as in `resources`. */
export function checkLimits(key: string, limits: Loose, path: Path, report: Reporter): void {
  const unit = unitOf(key);
  const expected = unit === undefined ? 'is a number' : written[unit];
  for (const name of ['min', 'max', 'equals']) {
    const value = limits[name];
    if ((typeof value === 'string' || typeof value === 'number') && parseLimit(key, value) === undefined)
      report.error(
        'wrong-type',
        [...path, name],
        'value',
        `\`${name}\` ${expected}, not ${report.shown([...path, name], value)}`,
      );
  }
  for (const name of ['max_drop', 'max_rise'])
    if (unit !== undefined && typeof limits[name] === 'number')
      report.error('wrong-type', [...path, name], 'value', `\`${name}\` of \`${key}\` is a percentage such as 20%`);
}

const written: Readonly<Record<Unit, string>> = {
  seconds: 'is a time as in `resources`: minutes, "MM:SS" or "HH:MM:SS"',
  bytes: 'is a size such as 8G',
};

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
    case 'unknown-resource': {
      const near = nearest(problem.name, resourceNames);
      return {
        message: `\`${problem.name}\` is nothing that is known of a run`,
        hint:
          near === undefined
            ? `known here: ${resourceNames.map((one) => `\`${one}\``).join(', ')}`
            : `did you mean \`${near}\`?`,
      };
    }
    case 'too-long':
      return { message: `${neither}: it has more than ${problem.most} characters` };
    default:
      return unreachable(problem);
  }
}
