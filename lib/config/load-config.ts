import { err, ok, type Result } from '../base/result.ts';
import { reportIssues } from './issues.ts';
import { isMap, listOr, mapOr } from './loose.ts';
import { normalise } from './normalise.ts';
import { applyOverrides } from './overrides.ts';
import { type Path, parsePath } from './path.ts';
import { type Reporter, reporter } from './reporter.ts';
import { checkRules } from './rules.ts';
import { configSchema } from './schema.ts';
import { readSource, type Source } from './source.ts';
import type { Diagnostic, LoadedConfig } from './types.ts';

/**
 * Reads a config, with one person's values (`git config mlops.cluster.KEY`, given as `cluster.KEY`) over it. Gives all
 * mistakes, in the order of the file. It loads yaml and zod: import it only where the config is not cached.
 */
export function loadConfig(
  text: string | Uint8Array,
  file: string,
  overrides: ReadonlyMap<string, string> = new Map(),
): Result<LoadedConfig, readonly Diagnostic[]> {
  const source = readSource(typeof text === 'string' ? text : new TextDecoder().decode(text), file);
  const { document, origins } = applyOverrides(source.value, overrides);
  const report = reporter(source, origins);
  if (document === null || document === undefined) {
    const empty = 'the config is empty';
    if (source.problems.length === 0) report.error('missing-key', [], 'value', empty, '`mlops init` writes one');
    return err([...source.problems, ...report.found]);
  }
  const parsed = configSchema.safeParse(document);
  checkVersion(document, report);
  if (!parsed.success)
    reportIssues(
      // The version has a sentence of its own.
      parsed.error.issues.filter((issue) => issue.path[0] !== 'version'),
      document,
      report,
    );
  checkRules(document, report);
  checkSexagesimal(document, source, report);
  const found = inOrder([...source.problems, ...certain(report.found, source)]);
  if (!parsed.success || found.some(({ severity }) => severity === 'error')) return err(found);
  return ok({
    config: normalise(parsed.data, report.typed),
    warnings: found,
    locate: (path) => {
      const place = parsePath(path);
      return place === undefined ? undefined : source.exactRange(place);
    },
  });
}

function checkVersion(document: unknown, report: Reporter): void {
  if (!isMap(document)) return;
  const { version } = document;
  if (version === undefined)
    report.error('missing-key', [], 'value', 'missing key `version`', '`version: 1` is the first line of a config');
  else if (typeof version === 'number' && version > 1)
    report.error(
      'unsupported',
      ['version'],
      'value',
      `\`version\` is 1, not ${report.shown(['version'], version)}`,
      'a newer mlops may know it',
    );
  else if (version !== 1)
    report.error('wrong-value', ['version'], 'value', `\`version\` is 1, not ${report.shown(['version'], version)}`);
}

/** Only under a `%YAML 1.1` line does the parser make a number of 01:00:00. */
function checkSexagesimal(document: unknown, source: Source, report: Reporter): void {
  const top = mapOr(document);
  const places: [Path, unknown][] = [
    [['resources', 'time'], mapOr(top.resources).time],
    ...listOr(top.steps).map((step, index): [Path, unknown] => [
      ['steps', index, 'resources', 'time'],
      mapOr(mapOr(step).resources).time,
    ]),
  ];
  for (const [path, value] of places) {
    const typed = source.typed(path);
    if (typeof value !== 'number' || typed?.includes(':') !== true) continue;
    report.warning(
      'wrong-type',
      path,
      'value',
      `\`${typed}\` is the number ${value} in YAML 1.1; it is read as a time`,
      `write "${typed}"`,
    );
  }
}

/** Behind broken YAML nothing is certain; an unknown key before it probably is what went wrong. */
function certain(found: readonly Diagnostic[], source: Source): readonly Diagnostic[] {
  const lines = new Set(source.problems.map((problem) => problem.range.line));
  return found.filter(({ reason, path, range }) => {
    if (reason !== 'unknown-key') return source.brokenAt === undefined && !lines.has(range.line);
    const place = parsePath(path);
    return source.brokenAt === undefined || (place !== undefined && source.offset(place) < source.brokenAt);
  });
}

const inOrder = (found: readonly Diagnostic[]): readonly Diagnostic[] =>
  [...found].sort((a, b) => a.range.line - b.range.line || a.range.column - b.range.column);
