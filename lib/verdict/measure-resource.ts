import { unreachable } from '../base/unreachable.ts';
import type { Resource } from '../config/quantity.ts';
import type { KeptFile, MetricReading, RunResult } from './types.ts';

/** Why something that a run took is not known. */
export type Unmeasured = 'steps' | 'reused' | 'scheduler' | 'artifacts';

/** What a run took, or why nobody knows: the reading is `missing` then, and its source one of the words above. */
export function measureResource(
  run: Pick<RunResult, 'steps' | 'peakMemory' | 'artifacts'>,
  resource: Resource,
): MetricReading {
  const unmeasured = (why: Unmeasured): MetricReading => ({ kind: 'missing', source: why });
  const { steps, peakMemory, artifacts } = run;
  // What did not come to its end has taken less than it takes.
  if (steps.length === 0 || steps.some(({ outcome }) => outcome === 'failed' || outcome === 'not-run'))
    return unmeasured('steps');
  switch (resource.kind) {
    case 'time': {
      // A step that was not run again has kept how long it took.
      const seconds = steps.flatMap((step) => step.seconds ?? []);
      if (seconds.length < steps.length) return unmeasured('steps');
      return number(seconds.reduce((sum, one) => sum + one, 0));
    }
    case 'memory':
      // What the job used is not what a step used that it did not run.
      if (steps.some(({ outcome }) => outcome === 'reused')) return unmeasured('reused');
      // A job of less than a second may be over before anybody has looked.
      return peakMemory === undefined || peakMemory === 0 ? unmeasured('scheduler') : number(peakMemory);
    case 'size': {
      const sizes = artifacts.filter((file) => isFileOf(file, resource.path)).map(({ size }) => size);
      return sizes.length === 0 ? unmeasured('artifacts') : number(Math.max(...sizes));
    }
    default:
      return unreachable(resource);
  }
}

/** An artifact of this path; of a run with seeds or a matrix, that of any task. */
export const isFileOf = ({ path, role }: Pick<KeptFile, 'path' | 'role'>, wanted: string): boolean =>
  role === 'artifact' && path.replace(/^tasks\/\d+\//, '') === wanted;

const number = (value: number): MetricReading => ({ kind: 'number', value, source: '' });
