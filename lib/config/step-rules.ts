import { keyHint, placeIn } from './issues.ts';
import { has, isMap, type Loose, listOr, mapOr } from './loose.ts';
import { nearest } from './nearest.ts';
import type { Path } from './path.ts';
import { checkPath } from './path-rules.ts';
import type { Reporter } from './reporter.ts';
import { stepKeys } from './step-schema.ts';
import { checkWholeNumbers } from './whole-numbers.ts';

export function checkStep(step: Loose, at: Path, report: Reporter): void {
  const kind = has(step, 'notebook') ? 'notebook' : has(step, 'run') ? 'run' : undefined;
  if (kind === undefined) {
    // A misspelt `notebook` has been named already.
    if (Object.keys(step).some((key) => nearest(key, ['notebook', 'run']) !== undefined)) return;
    report.error('missing-key', at, 'value', 'a step needs `notebook` or `run`');
    return;
  }
  if (has(step, 'notebook') && has(step, 'run'))
    report.error('conflict', [...at, 'run'], 'key', 'a step has `notebook` or `run`, not both', 'make two steps of it');
  else {
    const own: readonly string[] = stepKeys[kind];
    const other: readonly string[] = stepKeys[kind === 'notebook' ? 'run' : 'notebook'];
    for (const key of Object.keys(step).filter((key) => !own.includes(key) && other.includes(key)))
      report.error(
        'unknown-key',
        [...at, key],
        'key',
        `unknown key \`${key}\`${placeIn(at, step)}`,
        key === 'junit' || key === 'parameters'
          ? `only a ${kind === 'notebook' ? 'run' : 'notebook'} step has \`${key}\``
          : keyHint(key, at, step),
      );
  }
  checkLines(step.run, [...at, 'run'], report);
  checkPath(step.notebook, [...at, 'notebook'], report, 'repository');
  if (typeof step.notebook === 'string' && !step.notebook.endsWith('.ipynb'))
    report.error(
      'wrong-value',
      [...at, 'notebook'],
      'value',
      `\`notebook\` is a notebook (.ipynb), not ${report.shown([...at, 'notebook'], step.notebook)}`,
      step.notebook.endsWith('.py') ? `\`run: python ${step.notebook}\` runs a script` : undefined,
    );
  checkPath(step.cwd, [...at, 'cwd'], report, 'repository');
  checkPath(step.junit, [...at, 'junit'], report, 'output');
  checkMetrics(step, kind, at, report);
  checkWholeNumbers(step, at, report);
  checkCurves(step, at, report);
  const seeds = mapOr(step.seeds);
  const matrix = mapOr(step.matrix);
  const parameters = mapOr(step.parameters);
  const values = listOr(seeds.values);
  values.forEach((value, index) => {
    if (values.indexOf(value) < index)
      report.error(
        'conflict',
        [...at, 'seeds', 'values', index],
        'value',
        `the seed ${report.shown([], value)} is here twice`,
        'a repeated seed makes the sample look surer than it is',
      );
  });
  if (typeof seeds.parameter === 'string' && has(matrix, seeds.parameter))
    report.error(
      'conflict',
      [...at, 'matrix', seeds.parameter],
      'key',
      `\`${seeds.parameter}\` is in \`seeds\` and in \`matrix\``,
    );
  for (const key of Object.keys(matrix))
    if (has(parameters, key))
      report.error('conflict', [...at, 'matrix', key], 'key', `\`${key}\` is in \`parameters\` and in \`matrix\``);
  if (typeof seeds.parameter === 'string' && has(parameters, seeds.parameter))
    report.error(
      'conflict',
      [...at, 'seeds', 'parameter'],
      'value',
      `\`${seeds.parameter}\` is in \`parameters\` and in \`seeds\``,
    );
  if (has(step, 'throttle') && !has(step, 'seeds') && !has(step, 'matrix'))
    report.error('conflict', [...at, 'throttle'], 'key', '`throttle` needs `seeds` or `matrix`: this step is run once');
}

/** Other systems end a script at the first line that fails, and a shell does not: a training that broke would be judged by what comes after it. */
function checkLines(run: unknown, at: Path, report: Reporter): void {
  if (typeof run !== 'string' || /(?:^|[\s;])set\s+-(?:\w*e|o\s+errexit)/.test(run)) return;
  const lines = run.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  if (lines.slice(0, -1).every((line) => /(?:\\|&&|\|\|?)\s*$/.test(line))) return;
  report.warning(
    'wrong-value',
    at,
    'key',
    'of several lines only the last one’s exit counts: one before it that fails does not end the step',
    'begin with `set -e`',
  );
}

const writeFile = 'let it write a JSON file: metrics: { file: $MLOPS_OUT/metrics.json }';

function checkMetrics(step: Loose, kind: 'notebook' | 'run', at: Path, report: Reporter): void {
  const metrics = step.metrics;
  const path: Path = [...at, 'metrics'];
  if (metrics === 'scrapbook' && kind === 'run')
    report.error('wrong-value', path, 'key', 'a run step has no notebook that could glue anything', writeFile);
  if (!isMap(metrics)) return;
  const names = Object.keys(metrics);
  if (has(metrics, 'file') && names.length > 1)
    report.error('conflict', [...path, 'file'], 'key', '`metrics` is a map of expressions or { file: … }, not both');
  else if (has(metrics, 'file')) checkPath(metrics.file, [...path, 'file'], report, 'output');
  else if (kind === 'run' && names.length > 0)
    report.error('wrong-value', path, 'key', 'a run step has no kernel that could evaluate an expression', writeFile);
}

/** A curve is one of the step's own metrics. */
function checkCurves(step: Loose, at: Path, report: Reporter): void {
  const curves = Object.keys(mapOr(step.curves));
  const metrics = mapOr(step.metrics);
  if (curves.length === 0 || step.metrics === 'scrapbook' || has(metrics, 'file')) return;
  const known = Object.keys(metrics);
  for (const name of curves.filter((curve) => !known.includes(curve))) {
    const near = nearest(name, known);
    report.error(
      'wrong-value',
      [...at, 'curves', name],
      'key',
      `the step has no metric \`${name}\``,
      near === undefined
        ? 'a curve is a metric whose value is a list: name it in `metrics` too'
        : `did you mean \`${near}\`?`,
    );
  }
}
