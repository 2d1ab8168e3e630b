import type { Applied } from './overrides.ts';
import { formatPath, type Path } from './path.ts';
import type { Source } from './source.ts';
import type { Diagnostic, SourceRange } from './types.ts';

/** Collects what is wrong, and finds the place of each. */
export interface Reporter {
  readonly found: Diagnostic[];
  error(reason: Diagnostic['reason'], path: Path, target: 'key' | 'value', message: string, hint?: string): void;
  warning(reason: Diagnostic['reason'], path: Path, target: 'key' | 'value', message: string, hint?: string): void;
  /** A value as it was typed, short enough for a sentence. */
  shown(path: Path, value: unknown): string;
  /** A scalar as it was typed: the number 1.10 is 1.1, and the text `1.10` is not. */
  typed(path: Path): string | undefined;
}

export function reporter(source: Source, origins: Applied['origins']): Reporter {
  const found: Diagnostic[] = [];
  const add =
    (severity: Diagnostic['severity']): Reporter['error'] =>
    (reason, path, target, message, hint) => {
      const range = overriddenRange(path, origins) ?? source.range(path, target);
      found.push({ severity, reason, path: formatPath(path), range, message, ...(hint === undefined ? {} : { hint }) });
    };
  const overridden = (path: Path) => overriddenRange(path, origins) !== undefined;
  return {
    found,
    error: add('error'),
    warning: add('warning'),
    typed: (path) => (overridden(path) ? undefined : source.typed(path)),
    shown: (path, value) => shownValue(value, overridden(path) ? undefined : source.typed(path)),
  };
}

/** Line 0 says that the value is in no file: it came from one person's git config. */
function overriddenRange(path: Path, origins: Applied['origins']): SourceRange | undefined {
  for (let length = path.length; length > 1; length--) {
    const origin = origins.get(path.slice(0, length).join('.'));
    if (origin === undefined) continue;
    return { file: `git config ${origin.key}`, line: 0, column: 0, length: 0, text: `${origin.key} = ${origin.value}` };
  }
  return undefined;
}

function shownValue(value: unknown, typed: string | undefined): string {
  if (value === null || value === undefined || typed === '') return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a map';
  const line = (typed ?? String(value)).split('\n')[0] ?? '';
  if (line === '') return 'an empty text';
  // Where a number is expected, the quotes are what is wrong.
  if (typeof value === 'string' && /^(?:[-+.\d][\d.eE+-]*|true|false)$/.test(line)) return `\`"${line}"\``;
  return `\`${line.length > 40 ? `${line.slice(0, 39)}…` : line}\``;
}
