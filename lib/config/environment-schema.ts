import { z } from 'zod';
import { resources } from './resources-schema.ts';
import { envValue, is, listOf, mapOf, oneLine, path } from './schema-words.ts';

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
export const environmentMap = z
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
