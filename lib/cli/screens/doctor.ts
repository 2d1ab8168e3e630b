import type { Finding, Grade } from '../../commands/doctor-types.ts';
import { plural } from '../../report/numbers.ts';
import { cloneWords } from './doctor-clone.ts';
import { jobWords } from './doctor-jobs.ts';
import { siteWords } from './doctor-site.ts';
import { joined, lead, paragraph, saidLines, under, wrap } from './layout.ts';
import type { Setting } from './setting.ts';
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

const words: Words<Finding> = { ...cloneWords, ...siteWords, ...jobWords };

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
