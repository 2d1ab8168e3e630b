import type { Json } from '../base/canonical-json.ts';
import { unreachable } from '../base/unreachable.ts';
import type { Metrics, ParameterValue, Step } from '../config/types.ts';

/** A step without what cannot change its metrics: resources, throttle, junit and how many seeds may be added stay out. */
export function stepDefinition(step: Step): Json {
  const common = {
    kind: step.kind,
    seeds: step.seeds && { parameter: step.seeds.parameter, values: step.seeds.values },
    matrix: step.matrix === undefined || Object.keys(step.matrix).length === 0 ? undefined : step.matrix,
    metrics: step.metrics && metricsDefinition(step.metrics),
    curves: step.curves === undefined || Object.keys(step.curves).length === 0 ? undefined : step.curves,
    cwd: step.cwd,
    floats: step.floats,
  };
  switch (step.kind) {
    case 'notebook':
      return { ...common, notebook: step.notebook, parameters: step.parameters as Readonly<Record<string, Json>> };
    case 'run':
      return { ...common, run: step.run.replaceAll('\r\n', '\n').trim() };
    default:
      return unreachable(step);
  }
}

function metricsDefinition(metrics: Metrics): Json {
  switch (metrics.kind) {
    case 'file':
      return { file: metrics.file };
    case 'expressions':
      return { expressions: metrics.expressions };
    case 'scrapbook':
      return 'scrapbook';
  }
}

/**
 * Files of the tree that a step names: its notebook, and the words of its `run` line that are a file's path. They
 * count whatever `code:` selects.
 */
export function namedFiles(step: Step, isFile: (path: string) => boolean): readonly string[] {
  const words =
    step.kind === 'notebook' ? [step.notebook] : step.run.split(/[\s;|&<>()"'`=]+/).filter((word) => word !== '');
  return [...new Set(words.map((word) => word.replace(/^(?:\.\/)+/, '')).filter(isFile))];
}

/** What a step says besides its files, as text to look for mentions in: parameters, expressions, its line. */
export function textOf(step: Step): string {
  const values = (value: ParameterValue): readonly string[] =>
    Array.isArray(value)
      ? value.flatMap(values)
      : typeof value === 'object' && value !== null
        ? Object.values(value).flatMap(values)
        : [JSON.stringify(value)];
  const metrics = step.metrics?.kind === 'expressions' ? Object.values(step.metrics.expressions) : [];
  const own = step.kind === 'notebook' ? [JSON.stringify(step.notebook), ...values(step.parameters)] : [step.run];
  return [...own, ...metrics, ...values(step.matrix ?? {})].join('\n');
}
