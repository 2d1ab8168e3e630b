import { isMap, type Loose } from './loose.ts';
import { formatPath, type Path, parsePath } from './path.ts';
import type { Reporter } from './reporter.ts';
import type { Step } from './types.ts';

/** A scalar as it was typed. */
type Typed = (path: Path) => string | undefined;

const integer = /^[-+]?(?:\d+|0x[\da-fA-F]+|0o[0-7]+)$/;

/**
 * `1` and `1.0` are one number here and two in Python (`max_features=1` is one feature, `1.0` is all of them): the places of
 * whole numbers that were typed as floats, below the step at `at`.
 */
export function wholeFloats(step: Loose, at: Path, typed: Typed): readonly string[] {
  return wholeNumbers(step)
    .filter((path) => !integer.test(typed([...at, ...path]) ?? '0'))
    .map(formatPath)
    .sort();
}

/** Those of `parameters` or of `matrix`, relative to it. */
export const floatPaths = ({ floats = [] }: Pick<Step, 'floats'>, part: 'parameters' | 'matrix'): readonly Path[] =>
  floats.map((text) => parsePath(text) ?? []).flatMap(([first, ...path]) => (first === part ? [path] : []));

/** Beyond 2^53 a number would reach the step as one of its neighbours. */
export function checkWholeNumbers(step: Loose, at: Path, report: Reporter): void {
  for (const path of wholeNumbers(step)) {
    const place = [...at, ...path];
    const text = report.typed(place);
    if (text === undefined || !integer.test(text)) continue;
    const digits = BigInt(text.replace(/^[-+]/, ''));
    if (digits <= BigInt(Number.MAX_SAFE_INTEGER)) continue;
    report.error(
      'wrong-value',
      place,
      'value',
      `\`${text}\` has more digits than a number keeps here`,
      `write "${text}" and let the step make a number of it`,
    );
  }
}

const wholeNumbers = ({ parameters, matrix }: Loose): readonly Path[] =>
  [...below(parameters, ['parameters']), ...below(matrix, ['matrix'])]
    .filter(({ value }) => typeof value === 'number' && Number.isInteger(value))
    .map(({ path }) => path);

function below(value: unknown, path: Path): readonly { readonly path: Path; readonly value: unknown }[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => below(item, [...path, index]));
  if (isMap(value)) return Object.entries(value).flatMap(([key, member]) => below(member, [...path, key]));
  return [{ path, value }];
}
