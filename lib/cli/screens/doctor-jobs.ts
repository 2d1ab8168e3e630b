import type { Partition } from '../../cluster/slurm-probe.ts';
import type { Finding, Where } from '../../commands/doctor-types.ts';
import type { Environment } from '../../config/types.ts';
import { formatLocalTime } from '../../report/local-time.ts';
import { formatDuration } from '../../report/numbers.ts';
import { config, inConfig, nothingToDo } from './doctor-common.ts';
import { queryTrouble } from './host-trouble.ts';
import { statusText } from './job-status.ts';
import { joined, said, word } from './layout.ts';
import { renderTrouble } from './plan-trouble.ts';
import { placeOf, type Setting } from './setting.ts';
import type { Words } from './trouble.ts';

const at = (where: Where): string =>
  ({ here: 'on this machine', 'login-node': 'on the login node', node: 'on the compute node' })[where];

const maybeOnNodes = (where: Where): string =>
  where === 'login-node' ? 'The compute nodes may have it: `mlops doctor --job` looks there.' : '';

function partitionText(partitions: readonly Partition[]): string {
  const names = [...new Set(partitions.map(({ name, up }) => `${said(name, 30)}${up ? '' : ' (down)'}`))];
  const more = names.length - 12;
  return `${names.slice(0, 12).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** What an environment of this kind is made with. */
const makers: Readonly<Record<Environment['kind'], string>> = {
  none: 'python3',
  prefix: 'the Python of environment.prefix',
  conda: 'conda, mamba or micromamba',
  packages: 'conda, mamba or micromamba',
  venv: 'uv, or python3 with venv and ensurepip',
  uv: 'uv',
  container: 'apptainer, singularity or ch-run',
};

/** sbatch gives the time in seconds since 1970, for it was asked so. */
const startText = (text: string, { now, timeZone }: Setting['clock']): string =>
  text
    .replace(/^sbatch: /, '')
    .replace(/start at (\d{9,11})\b/, (_, at) => `start ${formatLocalTime(Number(at), now, timeZone)}`);

/** Slurm, what a job finds, and a job itself. */
export const jobWords = {
  slurm: ({ version, partitions }) => ({
    failed: joined([version === undefined ? '' : said(version, 30), `partitions ${partitionText(partitions)}`]),
    ...nothingToDo,
  }),
  'slurm-missing': ({ programs }) => ({
    failed: `not on PATH in a login shell there: ${programs.join(', ')}`,
    means: `Some sites have it in a module that a login loads; some have several login nodes, and only some can submit.`,
    next: [{ command: 'command -v sbatch', what: 'in a login shell there' }],
  }),
  'slurm-silent': ({ words: raw }) => ({
    failed: 'slurmctld does not answer',
    raw,
    next: [
      { command: 'sinfo', what: 'there; the site may have a maintenance' },
      { command: 'mlops doctor', what: 'again' },
    ],
  }),
  submission: ({ accepted, words: raw, partitions, accounts }, { locate, clock }) =>
    accepted
      ? { failed: `sbatch would take the job: ${said(startText(raw, clock), 120)}`, ...nothingToDo }
      : {
          failed: 'sbatch refuses the options of the config',
          where: inConfig(placeOf(locate?.('cluster.slurm') ?? locate?.('resources'))),
          raw,
          list: [
            `partitions   ${partitionText(partitions)}`,
            ...(accounts.length === 0 ? [] : [`accounts     ${accounts.map((name) => said(name, 30)).join(', ')}`]),
          ],
          next: [
            { command: 'scontrol show partition', what: 'there: time, memory and accounts of each' },
            { command: 'git config mlops.cluster.slurm.partition NAME', what: 'yours alone; or in the config' },
          ],
        },
  'partition-down': ({ names }, { locate }) => ({
    failed: `${names.map((name) => said(name, 30)).join(', ')} is down: jobs are taken, and wait until the site opens it`,
    where: inConfig(placeOf(locate?.('cluster.slurm.partition'))),
    next: [{ command: 'sinfo -R', what: 'there: why' }],
  }),
  'time-limit': ({ seconds, limits }, { locate }) => ({
    failed: `the config asks for ${formatDuration(seconds)}, and ${limits.map(({ name, seconds: most }) => `${said(name, 30)} gives ${formatDuration(most)}`).join(', ')}`,
    where: inConfig(placeOf(locate?.('resources.time') ?? locate?.('steps'))),
    means: 'sbatch takes such a job on this cluster, and it never starts.',
    next: [{ command: 'resources: { time: … }', what: 'less; or a partition that gives more' }],
  }),
  'unsafe-options': ({ cause }, setting) => renderTrouble(cause, setting),
  memory: ({ accounting, minJobAge, grade }) => {
    const age = minJobAge === undefined ? '' : `ended jobs are known for ${formatDuration(minJobAge)} (MinJobAge)`;
    return {
      failed: joined([accounting ? 'on' : 'off', age]),
      ...(accounting
        ? nothingToDo
        : {
            means:
              grade === 'ok'
                ? 'How much memory a job took is not known here.'
                : 'A job that dies without a word (killed by its node, or for its memory) may be forgotten before anybody asks why. Results are in the run folder and safe.',
            next: [],
          }),
    };
  },
  preemption: ({ mode, retries, grade }) => ({
    failed: joined([said(mode, 40), mode === 'OFF' ? '' : `retry.infrastructure: ${retries}`]),
    ...(grade === 'ok'
      ? nothingToDo
      : {
          means: 'A job may be ended for a more important one, and this config submits none again.',
          next: [{ command: 'retry: { infrastructure: 2 }', what: `in ${config}` }],
        }),
  }),
  setup: ({ where, status }, { locate }) =>
    status === 0
      ? { failed: `runs ${at(where)}`, ...nothingToDo }
      : {
          failed:
            status === undefined
              ? `ends the shell ${at(where)}: nothing behind it would be done`
              : `its last line ends with status ${status} ${at(where)}`,
          where: inConfig(placeOf(locate?.('setup'))),
          means: maybeOnNodes(where),
          next: [],
        },
  'no-module-command': ({ where }) => ({
    failed: `there is no module command ${at(where)}`,
    tried: 'the usual places of Lmod and of Environment Modules, and /etc/profile',
    means: maybeOnNodes(where),
    next: [{ command: 'setup: source /PATH/TO/init/sh', what: `in ${config}, if the site has it elsewhere` }],
  }),
  module: ({ where, name, loaded, words: raw }, { locate }) =>
    loaded
      ? { failed: `${said(name, 60)} is loaded ${at(where)}`, ...nothingToDo }
      : {
          failed: `${said(name, 60)} cannot be loaded ${at(where)}`,
          where: inConfig(placeOf(locate?.('cluster.modules'))),
          raw,
          means: maybeOnNodes(where),
          next: [{ command: `module avail ${word(name.split('/')[0] ?? name)}`, what: 'there: what it is called' }],
        },
  environment: ({ where, kind, by, python, needs }) => {
    if (by !== undefined) {
      const version =
        python?.version !== undefined && (by === python.path || kind === 'venv') ? `Python ${python.version}` : '';
      const imports = needs.length > 0 && (kind === 'none' || kind === 'prefix') ? `with ${needs.join(' and ')}` : '';
      return { failed: joined([`${said(by, 60)} ${at(where)}`, version, imports]), ...nothingToDo };
    }
    const cannotImport = (kind === 'none' || kind === 'prefix') && python?.version !== undefined;
    return {
      failed: cannotImport
        ? `${said(python.path, 60)} cannot import what notebooks need (${needs.join(', ')}) ${at(where)}`
        : `not found ${at(where)}: ${makers[kind]}`,
      ...(python === undefined || python.words === '' ? {} : { raw: python.words }),
      means: maybeOnNodes(where),
      next: cannotImport
        ? [
            {
              command: `${word(python.path)} -m pip install ${needs.join(' ')}`,
              what: 'or let the config make an environment',
            },
          ]
        : [
            { command: 'modules: [NAME]', what: `in cluster: of ${config}: the module that has it` },
            ...(kind === 'venv' ? [{ command: 'apt install python3-venv', what: 'on a Debian of your own' }] : []),
          ],
    };
  },
  internet: ({ url, reached, words: raw, where, grade }) =>
    reached
      ? { failed: `${said(url, 70)} is reached ${at(where)}`, ...nothingToDo }
      : {
          failed: `${said(url, 70)} is not reached ${at(where)}`,
          ...(grade === 'ok'
            ? { means: 'The config builds no environment there, so nothing has to be done.', next: [] }
            : {
                raw,
                means: 'The environment cannot be built there.',
                next: [
                  { command: 'build_on: login', what: `in environment: of ${config}: builds it on the login node` },
                  { command: 'env: { PIP_INDEX_URL: … }', what: "or the site's own mirror" },
                ],
              }),
        },
  job: ({ id, node, seconds }) => ({
    failed: `job ${said(id, 20)} ran on ${said(node, 60)}, and was back after ${formatDuration(seconds)}`,
    ...nothingToDo,
  }),
  'job-refused': ({ words: raw }) => ({
    failed: 'the job was not taken',
    raw,
    next: [{ command: 'mlops doctor --job', what: 'again' }],
  }),
  'job-waits': ({ id, status, seconds }, { clock }) => ({
    failed: `job ${said(id, 20)} was not over after ${formatDuration(seconds)}, and was cancelled: ${statusText(status, clock)}`,
    next: [{ command: 'mlops doctor --job', what: 'again, when the queue is shorter' }],
  }),
  'job-ended': ({ id, status, words: raw }, { clock }) => ({
    failed: `job ${said(id, 20)} left no answer: ${statusText(status, clock)}`,
    raw,
    means: 'The folder may not be seen from the compute node, or lags far behind.',
    next: [{ command: 'mlops doctor --job', what: 'again' }],
  }),
  'job-unknown': ({ cause }, setting) => queryTrouble(cause, setting),
} satisfies Partial<Words<Finding>>;
