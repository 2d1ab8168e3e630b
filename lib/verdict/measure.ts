import type { Expression } from '../config/expression.ts';
import { metricsIn } from '../config/expression.ts';
import { parseQuantity, type Quantity } from '../config/quantity.ts';
import { evaluate } from './evaluate.ts';
import { measureResource } from './measure-resource.ts';
import { meanReading, nameIn, sampleOf } from './sample.ts';
import type { MetricReading, RunResult, SampleValue } from './types.ts';

/** What a run has of something that is required. */
export interface Measured {
  /** With the combination of the matrix it is of: `rprec[lr=0.1]`. */
  readonly name: string;
  readonly reading: MetricReading;
  /** Where seeds have measured it. */
  readonly sample?: readonly SampleValue[];
  /** It is in no list of metrics: it was computed from them. */
  readonly derived: boolean;
}

type Measurements = Pick<RunResult, 'metrics' | 'tasks' | 'steps' | 'peakMemory' | 'artifacts'>;
type Metrics = Pick<RunResult, 'metrics' | 'tasks'>;

/** A key of `require` in a run: once, or for every combination of a matrix. */
export function measure(run: Measurements, key: string): readonly Measured[] {
  const quantity = parseQuantity(key);
  // A file of metrics may call one `a + b`.
  const kind: Quantity =
    Object.hasOwn(run.metrics, key) || !quantity.ok ? { kind: 'metric', name: key } : quantity.value;
  switch (kind.kind) {
    case 'metric':
      return namesOf(run, key).map((name) => ({
        name,
        reading: own(run.metrics, name) ?? missing,
        ...sampled(sampleOf(run.tasks ?? [], name)),
        derived: false,
      }));
    case 'expression':
      return measureExpression(run, key, kind.expression);
    default:
      return [{ name: key, reading: measureResource(run, kind), derived: true }];
  }
}

/** A requirement holds for every combination of a matrix, each by its own name. */
function namesOf({ metrics, tasks = [] }: Metrics, metric: string): readonly string[] {
  if (Object.hasOwn(metrics, metric) || tasks.length === 0) return [metric];
  return [...new Set(tasks.map(({ combination }) => nameIn(metric, combination)))];
}

/** For each task by itself: what is computed from two means is not the mean of what is computed. */
function measureExpression({ metrics, tasks = [] }: Metrics, key: string, expression: Expression): readonly Measured[] {
  const repeated = metricsIn(expression).some((name) => tasks.some((task) => Object.hasOwn(task.metrics, name)));
  if (!repeated) {
    return [{ name: key, reading: evaluate(expression, (name) => own(metrics, name) ?? missing), derived: true }];
  }
  // A step before the repeated ones has measured for all of them.
  const ofAll = (name: string) => !tasks.some((task) => Object.hasOwn(task.metrics, name));
  const values = tasks.map((task) => ({
    ...task,
    reading: evaluate(expression, (name) => own(ofAll(name) ? metrics : task.metrics, name) ?? missing),
  }));
  return [...new Set(tasks.map(({ combination }) => combination))].map((combination): Measured => {
    const here = values.filter((task) => task.combination === combination);
    const sample = here.flatMap(({ seed, reading }) =>
      seed !== undefined && reading.kind === 'number' ? [{ seed, value: reading.value }] : [],
    );
    return {
      name: nameIn(key, combination),
      reading: meanReading(here.map(({ reading }) => reading)),
      ...sampled(sample.length === here.length ? sample : undefined),
      derived: true,
    };
  });
}

const missing: MetricReading = { kind: 'missing', source: '' };

const sampled = (sample: readonly SampleValue[] | undefined): Pick<Measured, 'sample'> =>
  sample === undefined ? {} : { sample };

const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;
