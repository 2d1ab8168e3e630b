import type { Partition } from '../../cluster/slurm-probe.ts';
import type { Finding, Grade, Where } from '../../commands/doctor-types.ts';
import type { Environment } from '../../config/types.ts';
import { formatLocalTime } from '../../report/local-time.ts';
import { formatBytes, formatDuration, plural } from '../../report/numbers.ts';
import { pipelineTrouble } from './gate-trouble.ts';
import { gitTrouble } from './git-trouble.ts';
import { hookPlaceText } from './hook-lines.ts';
import { hostTrouble, queryTrouble, workdirWords } from './host-trouble.ts';
import { hookTrouble } from './init-trouble.ts';
import { statusText } from './job-status.ts';
import { joined, lead, paragraph, said, saidLines, under, word, wrap } from './layout.ts';
import { renderTrouble } from './plan-trouble.ts';
import { recordTrouble } from './record-trouble.ts';
import { placeOf, type Setting } from './setting.ts';
import { diagnosticLines, nextLines, type Trouble, troubleOf, type Words } from './trouble.ts';

/** What each finding is about: the word in front of it. */
const topics = {
  'git-version': 'git',
  'git-failed': 'git',
  hooks: 'hooks',
  'hooks-failed': 'hooks',
  trust: 'trust',
  display: 'verdicts',
  reports: 'reports',
  'reports-failed': 'reports',
  config: 'config',
  'config-uncommitted': 'config',
  'config-failed': 'config',
  'no-commit': 'config',
  remote: 'remote',
  'no-remote': 'remote',
  'hold-invalid': 'remote',
  connection: 'connection',
  'connection-failed': 'connection',
  unanswered: 'connection',
  'odd-answer': 'shell',
  'this-machine': 'machine',
  clock: 'clock',
  shell: 'shell',
  tools: 'tools',
  workdir: 'folder',
  'workdir-failed': 'folder',
  space: 'space',
  quota: 'quota',
  'quota-failed': 'quota',
  'hard-links': 'hard links',
  slurm: 'Slurm',
  'slurm-missing': 'Slurm',
  'slurm-silent': 'Slurm',
  submission: 'submission',
  'partition-down': 'submission',
  'time-limit': 'submission',
  'unsafe-options': 'submission',
  memory: 'accounting',
  preemption: 'preemption',
  setup: 'setup',
  module: 'modules',
  'no-module-command': 'modules',
  environment: 'Python',
  internet: 'internet',
  job: 'job',
  'job-refused': 'job',
  'job-waits': 'job',
  'job-ended': 'job',
  'job-unknown': 'job',
} satisfies Record<Finding['reason'], string>;

const topicWidth = Math.max(...Object.values(topics).map((topic) => topic.length));
const config = '.mlops/config.yaml';
const nothingToDo = { next: [] };
const at = (where: Where): string =>
  ({ here: 'on this machine', 'login-node': 'on the login node', node: 'on the compute node' })[where];
const maybeOnNodes = (where: Where): string =>
  where === 'login-node' ? 'The compute nodes may have it: `mlops doctor --job` looks there.' : '';
const has = (range: string): string => (range === '' ? config : range);

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

const words: Words<Finding> = {
  'git-version': ({ version }) => ({ failed: said(version, 40), ...nothingToDo }),
  'git-failed': ({ cause }, setting) => gitTrouble(cause, setting),
  hooks: ({ place, top, wrong }) =>
    wrong.length === 0
      ? { failed: hookPlaceText(place, top), ...nothingToDo }
      : {
          failed: wrong.map(({ hook, state }) => `${hook} is ${hookStates[state]}`).join(', '),
          where: hookPlaceText(place, top),
          means: wrong.some(({ hook, state }) => hook === 'pre-push' && state !== 'outdated')
            ? 'Pushes go out unjudged. Other tools overwrite hook files.'
            : '',
          next: [{ command: 'mlops init', what: 'puts them in place; what else is there stays' }],
        },
  'hooks-failed': ({ cause }, setting) => hookTrouble(cause, setting),
  trust: ({ trusted }) =>
    trusted
      ? { failed: 'the hooks of this clone run what its config says', ...nothingToDo }
      : {
          failed: 'nobody has agreed yet to what the config of this clone runs, so no host was contacted',
          next: [
            { command: `cat ${config}`, what: 'what would be run, and where' },
            { command: 'mlops trust', what: 'agrees, for this clone; then: mlops doctor' },
          ],
        },
  display: ({ shown, fetched, remote }) =>
    shown && fetched
      ? {
          failed: joined(['shown by git log', remote === undefined ? '' : `fetched from ${said(remote, 40)}`]),
          ...nothingToDo,
        }
      : {
          failed: joined([
            shown ? '' : 'git log does not show verdicts',
            fetched ? '' : `a fetch from ${said(remote ?? '', 40)} does not bring colleagues' verdicts`,
          ]),
          next: [{ command: 'mlops init', what: 'sets what is missing' }],
        },
  reports: ({ branch }) => ({ failed: `branch ${said(branch, 60)}`, ...nothingToDo }),
  'reports-failed': ({ cause }, setting) => recordTrouble(cause, setting),
  config: ({
    loaded: {
      config: { steps },
      warnings,
    },
  }) => ({
    failed: joined([plural(steps.length, 'step'), warnings.length > 0 && plural(warnings.length, 'warning')]),
    diagnostics: warnings,
    next: [],
  }),
  'config-uncommitted': () => ({
    failed: `${config} has changes that are not committed: a push is judged by what is committed`,
    next: [{ command: `git add ${config} && git commit`, what: 'and look again' }],
  }),
  'config-failed': ({ cause }, setting) => {
    const trouble = pipelineTrouble(cause, setting);
    return trouble.failed === '' ? { ...trouble, failed: 'it has mistakes' } : trouble;
  },
  'no-commit': () => ({
    failed: 'there is no commit yet, and a push is judged by what is committed',
    next: [{ command: 'git commit' }],
  }),
  remote: ({ to, seconds, of, remote }) => {
    const who = of === 'setting' ? 'git config mlops.hold' : said(to, 60);
    return seconds === undefined
      ? { failed: `${said(remote, 60)}: a push may wait for its verdict as long as it takes`, ...nothingToDo }
      : {
          failed: `${who} lets a push wait ${formatDuration(seconds)} for its verdict`,
          means: 'Where training takes longer, the push ends before the verdict is there, and the job goes on:',
          next: [{ command: 'mlops push', what: 'waits without a connection, and pushes then' }],
        };
  },
  'no-remote': () => ({
    failed: 'there is no remote to push to yet',
    next: [{ command: 'git remote add origin URL', what: 'and `mlops init` once more, for the verdicts' }],
  }),
  'hold-invalid': ({ value }) => ({
    failed: `mlops.hold is ${said(value, 40)}, and should be a number of seconds: it is not used`,
    next: [{ command: 'git config mlops.hold 240' }],
  }),
  connection: ({ host, kind, user, login, milliseconds }) => ({
    failed: joined([
      `${said(user, 40)} on ${said(host, 60)}`,
      login?.shared === true
        ? 'over the connection that your ssh keeps open'
        : kind === 'ssh2'
          ? 'ssh2'
          : 'the ssh program',
      login?.by === undefined ? '' : said(login.by, 60),
      `${milliseconds} ms for a command`,
    ]),
    ...nothingToDo,
  }),
  'connection-failed': ({ cause }, setting) => hostTrouble(cause, setting),
  unanswered: ({ what, cause }, setting) => {
    const trouble = hostTrouble(cause, setting);
    return { ...trouble, failed: `${said(what, 60)}: ${trouble.failed}` };
  },
  'odd-answer': ({ what, words: raw }) => ({
    failed: `the script that looks at ${said(what, 40)} ended before its end`,
    raw,
    next: [{ command: 'mlops doctor', what: 'again; please report it if it stays so' }],
  }),
  'this-machine': ({ system }) => ({ failed: `this one, ${said(system, 60)}`, ...nothingToDo }),
  clock: ({ seconds }) => {
    const off = `${formatDuration(Math.abs(seconds))} ${seconds < 0 ? 'behind' : 'ahead of'} this machine's`;
    return Math.abs(seconds) <= 60
      ? { failed: seconds === 0 ? 'the same as here' : off, ...nothingToDo }
      : {
          failed: `the cluster's is ${off}`,
          means: 'Nothing depends on it, but times of the cluster are shown by its clock. One of the two is wrong.',
          next: [{ command: 'date -u', what: 'here and there, and tell whoever looks after the wrong one' }],
        };
  },
  shell: ({ shell, system }) => ({ failed: joined([said(shell, 60) || 'unknown', said(system, 60)]), ...nothingToDo }),
  tools: ({ missing }) =>
    missing.length === 0
      ? { failed: 'what the job and the store need is there', ...nothingToDo }
      : {
          failed: `not there: ${missing.join(', ')}`,
          means: 'They belong to every Linux; a login shell with a strange PATH hides them.',
          next: [{ command: 'echo $PATH', what: 'in a login shell there' }],
        },
  'workdir-failed': ({ cause, host, written }, setting) =>
    cause.reason === 'host'
      ? hostTrouble(cause.cause, setting)
      : {
          failed: `${said(written, 60)} cannot be used on ${said(host, 40)}`,
          where: placeOf(setting.locate?.('cluster.workdir')),
          raw: workdirWords(cause),
          means: 'It has to be absolute, writable, and seen from the compute nodes.',
          next: [
            {
              command: 'git config mlops.cluster.workdir FOLDER',
              what: `your own; or change cluster.workdir in ${config} for everybody`,
            },
          ],
        },
  workdir: ({ path, type, volatile }) => ({
    failed: joined([said(path, 80), type === undefined ? '' : said(type, 30)]),
    ...(volatile
      ? {
          means:
            'This kind of file system is of one machine alone and empty after a restart: compute nodes do not see it.',
          next: [{ command: 'git config mlops.cluster.workdir FOLDER', what: 'a folder on the scratch file system' }],
        }
      : nothingToDo),
  }),
  space: ({ path, free, freeFiles, grade }) => ({
    failed: joined([
      free === undefined ? 'df does not tell how much is free' : `${formatBytes(free)} free`,
      freeFiles === undefined ? '' : `room for ${freeFiles.toLocaleString('en')} more files`,
    ]),
    ...(grade === 'ok'
      ? nothingToDo
      : {
          means: 'An environment alone takes some gigabytes and 50,000 files.',
          next: [
            { command: 'mlops gc --dry-run', what: 'tells what could go' },
            { command: `du -xh -d 1 ${word(path)} | sort -h`, what: 'there, to see what takes the room' },
          ],
        }),
  }),
  quota: ({ quota, grade }) => ({
    failed: joined([
      said(quota.of, 50),
      `${formatBytes(quota.bytes)}${quota.byteLimit === undefined ? '' : ` of ${formatBytes(quota.byteLimit)}`}`,
      `${quota.files.toLocaleString('en')}${quota.fileLimit === undefined ? '' : ` of ${quota.fileLimit.toLocaleString('en')}`} files`,
    ]),
    next: grade === 'ok' ? [] : [{ command: 'mlops gc --dry-run', what: 'tells what could go, if it is this folder' }],
  }),
  'quota-failed': ({ words: raw }) => ({
    failed: 'the quota could not be asked for',
    raw,
    next: [{ command: 'quota', what: 'there, by hand' }],
  }),
  'hard-links': ({ there }) =>
    there
      ? { failed: 'work', ...nothingToDo }
      : {
          failed: 'do not work there: data is linked by symlinks or copied, which takes longer for many files',
          means: 'Nothing has to be done.',
          next: [],
        },
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
          where: has(placeOf(locate?.('cluster.slurm') ?? locate?.('resources'))),
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
    where: has(placeOf(locate?.('cluster.slurm.partition'))),
    next: [{ command: 'sinfo -R', what: 'there: why' }],
  }),
  'time-limit': ({ seconds, limits }, { locate }) => ({
    failed: `the config asks for ${formatDuration(seconds)}, and ${limits.map(({ name, seconds: most }) => `${said(name, 30)} gives ${formatDuration(most)}`).join(', ')}`,
    where: has(placeOf(locate?.('resources.time') ?? locate?.('steps'))),
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
          where: has(placeOf(locate?.('setup'))),
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
          where: has(placeOf(locate?.('cluster.modules'))),
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
};

/** sbatch gives the time in seconds since 1970, for it was asked so. */
const startText = (text: string, { now, timeZone }: Setting['clock']): string =>
  text
    .replace(/^sbatch: /, '')
    .replace(/start at (\d{9,11})\b/, (_, at) => `start ${formatLocalTime(Number(at), now, timeZone)}`);

const hookStates = {
  missing: 'not there',
  outdated: 'of another version, or calls another program',
  'not-executable': 'not executable',
} as const;

const marks: Readonly<Record<Grade, string>> = { ok: 'ok', warning: 'warning', problem: 'PROBLEM' };
const markWidth = 8;

/** One line where all is well; below it what to do, where something is not. */
export function findingLines(finding: Finding, setting: Setting): readonly string[] {
  const { style } = setting;
  const trouble = troubleOf(words, finding, setting);
  const paint = { ok: style.green, warning: style.yellow, problem: style.red }[finding.grade];
  const [first = '', ...more] = wrap(trouble.failed, 70);
  const margin = ' '.repeat(markWidth + topicWidth + 2);
  const topic = topics[finding.reason].padEnd(topicWidth + 2);
  return [
    under(`${paint(marks[finding.grade].padEnd(markWidth))}${style.bold(topic)}${first}`),
    ...more.map((line) => under(margin + line)),
    ...detailLines(trouble, setting),
  ];
}

function detailLines(trouble: Trouble, { style }: Setting): readonly string[] {
  const { where = '', tried = '', raw = '', diagnostics = [], list = [], means = '', next } = trouble;
  return [
    ...paragraph('where', [where]),
    ...paragraph('tried', [tried]),
    ...paragraph('said', saidLines(raw)),
    ...diagnostics.flatMap((one) => diagnosticLines(one, style)).map((line) => under(line)),
    ...list.flatMap((line) => wrap(line, 90)).map((line) => under(line)),
    ...wrap(means, 82)
      .filter((line) => line !== '')
      .map((line) => under(line)),
    ...nextLines(next, style),
  ];
}

/** The last line: what all of it comes to. */
export function doctorEnd(counts: Readonly<Record<Grade, number>>, setting: Setting): string {
  const { warning, problem } = counts;
  const some = joined([problem > 0 && plural(problem, 'problem'), warning > 0 && plural(warning, 'warning')]).replace(
    ' · ',
    ', ',
  );
  if (problem > 0) return lead(setting.style.red(`${some}: a push would not be judged`));
  return lead(some === '' ? 'everything works' : `${some}: a push is judged all the same`);
}
