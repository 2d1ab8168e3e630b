import { z } from 'zod';
import { resources } from './resources-schema.ts';
import { count, is, listOf, mapOf, metricName, name, path, scalar, text } from './schema-words.ts';
import type { ParameterValue } from './types.ts';

const parameterValue: z.ZodType<ParameterValue> = z.lazy(() =>
  z.union(
    [z.string(), z.number(), z.boolean(), z.null(), z.array(parameterValue), z.record(z.string(), parameterValue)],
    is('is a JSON value: a text, a finite number, true, false, null, a list or a map'),
  ),
);

const aMetric = is('is a map of names and expressions, { file: … }, or scrapbook');
const metrics = z
  .union(
    [
      z.literal('scrapbook', aMetric),
      z.record(metricName, text('is an expression of the notebook, such as history["loss"][-1]'), aMetric),
    ],
    aMetric,
  )
  .meta({
    description:
      'Names and expressions, evaluated in the notebook’s kernel after its last cell; { file: … } that the step writes; or scrapbook: what the notebook glues.',
  });

/** Which value of a curve is the metric. */
export const curveRules = ['last', 'min', 'max'] as const;

export const step = z
  .strictObject(
    {
      notebook: path('is a notebook of the repository').meta({ description: 'A notebook; papermill runs it.' }),
      run: text('is a shell line such as pytest -q').meta({ description: 'A shell line; a non-zero exit is a fail.' }),
      parameters: mapOf(name, parameterValue, 'is a map of parameters').meta({
        description: 'For the cell tagged `parameters`.',
      }),
      cwd: path('is the folder of the repository that the step starts in, such as notebooks').meta({
        description: 'The folder that the step starts in; the top of the repository where it is left out.',
      }),
      junit: path('is a JUnit XML file that the step writes, such as tests.xml'),
      seeds: z
        .strictObject(
          {
            parameter: name,
            values: listOf(z.int(is('is a whole number')), 'is a list of whole numbers').nonempty(
              is('is a list of at least one number'),
            ),
            more: count(1, 'is how many seeds may be added, 1 to 1000')
              .max(1000, is('is how many seeds may be added, 1 to 1000'))
              .meta({
                description: 'How many seeds `mlops run --more-seeds` adds where `undecided: more` asks for them.',
              })
              .optional(),
          },
          is('is a map such as { parameter: seed, values: [1, 2, 3] }'),
        )
        .meta({ description: 'The step is repeated with each seed; requirements look at the sample.' }),
      matrix: mapOf(
        name,
        listOf(scalar, 'is a list of values').nonempty(is('is a list of at least one value')),
        'is a map of parameters and lists of values',
      ).meta({
        description: 'The step is repeated with every combination.',
      }),
      throttle: count(1, 'is how many repetitions may run at a time, 1 or more'),
      metrics,
      curves: mapOf(
        metricName,
        z.enum(curveRules, is('is last, min or max: which of its values is the metric')),
        'is a map of metrics and last, min or max, such as { loss: min }',
      ).meta({
        description: 'Metrics that are lists, a value for each step of the training, and which of the values counts.',
      }),
      resources,
    },
    is('is a step: a map with `notebook` or `run`'),
  )
  .partial()
  .meta({ oneOf: [{ required: ['notebook'] }, { required: ['run'] }] });

export const stepKeys = {
  notebook: ['notebook', 'cwd', 'parameters', 'seeds', 'matrix', 'throttle', 'metrics', 'curves', 'resources'],
  run: ['run', 'cwd', 'junit', 'seeds', 'matrix', 'throttle', 'metrics', 'curves', 'resources'],
  /** Before it is known which. */
  any: [
    'notebook',
    'run',
    'cwd',
    'parameters',
    'junit',
    'seeds',
    'matrix',
    'throttle',
    'metrics',
    'curves',
    'resources',
  ],
} as const;
