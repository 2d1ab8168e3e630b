import { z } from 'zod';
import { metricPattern } from './expression.ts';
import type { ParameterValue } from './types.ts';
import { memPattern, parseMem, parseTime, percentPattern, signalPattern, timePattern } from './units.ts';

/*
 * The document as written: every key of docs/config.md and nothing else. The JSON schema for editors is generated from it.
 * Each `error` completes the sentence "`key` …". What concerns several keys at once is in rules.ts.
 */

const is = (expected: string) => ({ error: expected });
const text = (expected: string) => z.string(is(expected)).refine((value) => value.trim() !== '', is(expected));
const oneLine = (expected: string) => text(expected).refine((value) => !/[\n\r\0]/.test(value), is(expected));
const count = (least: number, expected: string) =>
  z.int(is(expected)).min(least, is(expected)).max(1_000_000, is(expected));
const listOf = <Item extends z.ZodType>(item: Item, expected: string) => z.array(item, is(expected));
const mapOf = <Value extends z.ZodType>(key: z.ZodString, value: Value, expected: string) =>
  z.record(key, value, is(expected));

/** A path of the repository; which of its mistakes it is, rules.ts says. */
const path = (expected: string) => text(expected);
const name = z.string().regex(/^[A-Za-z_]\w*$/, is('is not a name: letters, digits and _, not beginning with a digit'));
const metricName = z.string().regex(metricPattern, is('is not a name of a metric'));
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()], is('is a text, a number, true, false or null'));
const envValue = z.union([z.string(), z.number(), z.boolean()], is('is a text or a number'));

const aTime = is('is a wall-clock limit as Slurm writes it: minutes, MM:SS, HH:MM:SS, D-HH, D-HH:MM or D-HH:MM:SS');
const aSize = is('is a size such as 16G');

const parameterValue: z.ZodType<ParameterValue> = z.lazy(() =>
  z.union(
    [z.string(), z.number(), z.boolean(), z.null(), z.array(parameterValue), z.record(z.string(), parameterValue)],
    is('is a JSON value: a text, a finite number, true, false, null, a list or a map'),
  ),
);

const aSignal = 'is USR1@SECONDS or USR2@SECONDS, such as USR1@120';
export const resources = z
  .strictObject(
    {
      time: z
        .union(
          [
            z
              .string()
              .regex(timePattern, { ...aTime, abort: true })
              .refine((value) => parseTime(value) !== undefined, aTime),
            z.int().positive(aTime),
          ],
          aTime,
        )
        .meta({
          description: 'Wall-clock limit, "HH:MM:SS" or any other form of sbatch --time. One hour if left out.',
        }),
      mem: z
        .union(
          [
            z
              .string()
              .regex(memPattern, { ...aSize, abort: true })
              .refine((value) => parseMem(value) !== undefined, aSize),
            z.int().positive(aSize),
          ],
          aSize,
        )
        .meta({ description: 'Memory, for example 16G. A plain number is megabytes.' }),
      cpus: count(1, 'is a number of CPUs, 1 or more').meta({ description: 'CPUs of the task.' }),
      gpus: count(0, 'is a number of GPUs, 0 or more').meta({ description: 'GPUs of the job.' }),
      signal: z
        .string(is(aSignal))
        .regex(signalPattern, is(aSignal))
        .meta({ description: 'Sent to the step so many seconds before the time is over, for example USR1@120.' }),
    },
    is('is a map such as { time: "01:00:00", mem: 16G, cpus: 4 }'),
  )
  .partial();

export const cluster = z
  .strictObject(
    {
      host: oneLine('is a host, as in `ssh HOST`').meta({ description: 'Any Host of ~/.ssh/config.' }),
      workdir: oneLine('is a folder on the cluster such as /scratch/$USER/mlops').meta({
        description: 'Where runs, data and environments are kept; variables are expanded on the cluster.',
      }),
      modules: listOf(oneLine('is the name of an environment module'), 'is a list of environment modules').meta({
        description: 'What `module load` gets before every step.',
      }),
      slurm: mapOf(z.string(), envValue, 'is a map of sbatch options such as { partition: gpu }').meta({
        description: "sbatch's long options without the dashes; true is a flag.",
      }),
      transport: z.enum(['auto', 'ssh2', 'openssh'], is('is auto, ssh2 or openssh')),
      group: oneLine('is the name of a Unix group').meta({ description: 'Share workdir with this Unix group.' }),
      require_master: z
        .boolean(is('is true or false'))
        .meta({ description: 'Only use a connection that ssh keeps open already; never ask for a password.' }),
    },
    is('is a map such as { host: login.hpc.example.edu, workdir: /scratch/$USER/mlops }'),
  )
  .partial()
  .meta({ description: 'Where to run. Left out: the job runs on this machine.' });

const dataMap = z
  .strictObject({
    path: path('is a file, a folder or a glob of the repository'),
    writable: z.boolean(is('is true or false')).meta({ description: 'Steps may write into it: it gets its own copy.' }),
    cluster: oneLine('is an absolute path on the cluster').meta({ description: 'Already there: never copied.' }),
    as: path('is the path in the repository under which steps see it'),
    fingerprint: z.enum(['stat', 'content'], is('is stat or content')),
  })
  .partial()
  .meta({ oneOf: [{ required: ['path'] }, { required: ['cluster', 'as'] }] });
export const dataKeys = { path: ['path', 'writable'], cluster: ['cluster', 'as', 'fingerprint'] } as const;

/** A job that builds the environment, before the run's. */
export const buildJob = z
  .strictObject({
    time: resources.shape.time,
    mem: resources.shape.mem,
    cpus: resources.shape.cpus,
    slurm: mapOf(z.string(), envValue, 'is a map of sbatch options such as { partition: cpu }').optional(),
  })
  .partial();

/** What an environment can be made from: exactly one of them. */
export const environmentKinds = ['conda', 'packages', 'venv', 'uv', 'container', 'prefix'] as const;
const environmentMap = z
  .strictObject({
    conda: path('is a conda environment file such as environment.yml'),
    packages: listOf(oneLine('is a conda package such as numpy or numpy=1.26'), 'is a list of conda packages').nonempty(
      is('is a list of at least one conda package'),
    ),
    channels: listOf(oneLine('is a conda channel'), 'is a list of conda channels'),
    venv: path('is a requirements file such as requirements.txt'),
    python: z
      .string(is('is a version in quotes such as "3.11" (without them 3.10 would be 3.1)'))
      .regex(/^3(?:\.\d{1,3}){0,2}$/, is('is a version such as "3.11"'))
      .meta({ description: 'Which Python a venv is made with.' }),
    lock: path('is the file that `mlops env lock` writes: .mlops/environment.lock').meta({
      description: 'Packages as they were resolved once; nothing is resolved then.',
    }),
    uv: path('is a lock file such as uv.lock'),
    container: oneLine('is a container image such as image.sif'),
    prefix: oneLine('is the folder of an existing environment, on the machine that runs the job'),
    name: z
      .string(is('is a name for people to recognise the environment by'))
      .regex(/^[\w.-]+$/, is('is a name: letters, digits, dots, dashes and _')),
    kernel: z
      .enum(['user'], is('can only be user'))
      .meta({ description: "Also install the kernel for this user's Jupyter." }),
    manager: oneLine('is the program that builds it, such as /opt/conda/bin/conda').meta({
      description: 'conda, mamba, micromamba or uv by its path, where it is not to be looked for.',
    }),
    packed: z
      .boolean(is('is true or false'))
      .meta({ description: 'Keep it as one file that each job unpacks to the disk of its node.' }),
    build_on: z
      .union([z.enum(['job', 'login']), buildJob], is('is job, login, or a map such as { time: "00:30:00", mem: 8G }'))
      .meta({ description: 'Where it is built the first time; a map: by a job of its own with these resources.' }),
  })
  .partial()
  .meta({ oneOf: environmentKinds.map((kind) => ({ required: [kind] })) });

export const environmentKeys: readonly string[] = Object.keys(environmentMap.shape);

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

const step = z
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

const margin = (what: string) => {
  const expected = is(`is ${what}: a percentage such as 1% or an amount such as 0.01`);
  return z.union([z.number().min(0, expected), z.string().regex(percentPattern, expected)], expected).optional();
};
/** A text only of what the run took: `8G`, "01:00:00"; quantity-rules.ts knows which. */
const limit = z.union([z.number(), z.string()], is('is a number'));
const maxDrop = margin('how far the metric may drop below the baseline');
const maxRise = margin('how far the metric may rise above the baseline');
/** Limits beside the hard ones, by their keys. */
export const softKeys = { warn: ['min', 'max', 'max_drop', 'max_rise'], goal: ['min', 'max'] } as const;
const requirement = z
  .strictObject(
    {
      min: limit.meta({ description: 'The metric must be at least this.' }),
      max: limit.meta({ description: 'The metric must be at most this.' }),
      equals: limit.meta({ description: 'The metric must be this, for each seed.' }),
      baseline: oneLine('is a branch, a tag or a commit').refine(
        (value) => !value.startsWith('-'),
        is('is a branch, a tag or a commit'),
      ),
      max_drop: maxDrop,
      max_rise: maxRise,
      warn: z
        .strictObject(
          { min: limit, max: limit, max_drop: maxDrop, max_rise: maxRise },
          is('is a map of limits such as { min: 0.3 }'),
        )
        .partial()
        .meta({ description: 'Limits that warn where they are missed, and never block.' }),
      goal: z
        .strictObject({ min: limit, max: limit }, is('is a map that says the direction, such as { min: 0.5 }'))
        .partial()
        .meta({ description: 'Where one wants to get to: shown in the table, and asked of nobody.' }),
      without_baseline: z.enum(['fail', 'warn', 'ignore'], is('is fail, warn or ignore')),
      undecided: z.enum(['fail', 'warn', 'more'], is('is fail, warn or more')),
    },
    is('is a map of bounds such as { min: 0.25 }'),
  )
  .partial();
export const requirementKeys: readonly string[] = Object.keys(requirement.shape);

export const pushPolicies = ['gate', 'record', 'ignore'] as const;

export const configSchema = z
  .strictObject(
    {
      version: z.literal(1, is('is 1')).meta({ description: 'The version of this format.' }),
      cluster: cluster.optional(),
      resources: resources.optional(),
      code: listOf(text('is a glob such as src/**'), 'is a list of globs such as ["src/**"]').optional(),
      data: listOf(
        z.union([path('is a path'), dataMap], is('is a path, { path: … } or { cluster: …, as: … }')),
        'is a list of files, folders and globs',
      ).optional(),
      environment: z
        .union([z.literal('none'), environmentMap], is('is none, or a map such as { conda: environment.yml }'))
        .optional(),
      steps: listOf(step, 'is a list of steps: `- notebook: …` or `- run: …`').nonempty(
        is('is a list of at least one step'),
      ),
      require: mapOf(z.string(), requirement, 'is a map of metrics and their bounds')
        .meta({
          description:
            'By metric, by an expression of metrics such as f1.cat - f1.dog, or $time, $memory, $size(FILE): what it must reach.',
        })
        .optional(),
      artifacts: listOf(path('is a file or a glob that a step writes'), 'is a list of files and globs').optional(),
      retry: z
        .strictObject(
          { infrastructure: count(0, 'is how often, 0 to 10').max(10, is('is how often, 0 to 10')) },
          is('is a map: { infrastructure: 2 }'),
        )
        .partial()
        .optional(),
      env: mapOf(name, envValue, 'is a map of environment variables').optional(),
      secrets: listOf(name, 'is a list of names of environment variables').optional(),
      setup: text('is shell lines that are run before the environment is loaded').optional(),
      push: mapOf(
        z.string(),
        z.enum(pushPolicies, is('is gate, record or ignore')),
        'is a map of branches and gate, record or ignore',
      ).optional(),
      on_commit: z.enum(['record', 'submit'], is('is record or submit')).optional(),
      supersede: z.enum(['queued'], is('can only be queued')).optional(),
      publish: z.enum(['full', 'metrics'], is('is full or metrics')).optional(),
      reports: z.string(is('is the name of a branch')).optional(),
    },
    is('is a map of keys and values'),
  )
  .meta({ title: 'mlops pipeline', description: '.mlops/config.yaml of mlops-hpc' });

export type Written = z.infer<typeof configSchema>;

/** What editors read: schema/config.schema.json. */
export function jsonSchema(): string {
  return `${JSON.stringify(z.toJSONSchema(configSchema), null, 2)}\n`;
}
