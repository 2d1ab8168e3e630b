import { z } from 'zod';
import { environmentMap } from './environment-schema.ts';
import { requirement } from './requirement-schema.ts';
import { resources } from './resources-schema.ts';
import { count, envValue, is, listOf, mapOf, name, oneLine, path, text } from './schema-words.ts';
import { step } from './step-schema.ts';

/*
 * The document as written: every key of docs/config.md and nothing else. The JSON schema for editors is generated from it.
 * What concerns several keys at once is in rules.ts.
 */

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
