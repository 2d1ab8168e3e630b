import type { EnvBuildError } from '../../commands/env-build.ts';
import type { EnvRmError } from '../../commands/env-rm.ts';
import type { SmallJobError } from '../../commands/small-job.ts';
import { plural } from '../../report/numbers.ts';
import { gateTroubles } from './gate-trouble.ts';
import { hostTrouble, queryTrouble } from './host-trouble.ts';
import { statusText } from './job-status.ts';
import { said, word } from './layout.ts';
import { renderTrouble } from './plan-trouble.ts';
import type { Setting } from './setting.ts';
import { type Trouble, troubleOf, type Words } from './trouble.ts';

const list = {
  list: 'looking at the environments',
  read: 'reading the environment',
  remove: 'removing the environment',
} as const;

const most = 12;
const keys = (known: readonly string[]): readonly string[] => [
  ...known.slice(0, most).map((key) => said(key, 40)),
  ...(known.length > most ? [`and ${known.length - most} more`] : []),
];

const rmWords: Words<EnvRmError> = {
  host: ({ cause }, setting) => hostTrouble(cause, setting),
  'environments-failed': ({ what, code, stderr }, { again }) => ({
    failed: `${list[what]} ended with status ${code}`,
    raw: stderr,
    next: [{ command: again, what: 'again' }],
  }),
  'no-environment': ({ key, known }) => ({
    failed: `there is no environment ${said(key, 40)}`,
    list: keys(known),
    next: [
      { command: 'mlops env list', what: 'those that are there' },
      { command: 'mlops env build', what: "makes HEAD's now" },
    ],
  }),
  'several-environments': ({ key, known }) => ({
    failed: `several environments begin with ${said(key, 40)}`,
    list: keys(known),
    next: [{ command: 'mlops env list', what: 'what is what' }],
  }),
  'environment-used': ({ key, users }, { again }) => ({
    failed: `environment ${said(key.slice(0, 12), 40)} is used by ${plural(users.length, 'run')} not ended: nothing was removed`,
    list: users
      .slice(0, most)
      .map(({ path, job }) => `${job === undefined ? '' : `job ${said(job.id, 20)}  `}${said(path, 90)}`),
    next: [
      { command: 'mlops status', what: 'what goes on' },
      { command: again, what: 'once they have ended' },
    ],
  }),
  'environment-locked': ({ key, owner }, { again }) => ({
    failed: `environment ${said(key.slice(0, 12), 40)} is being built or removed: nothing was removed`,
    where: said(owner, 120),
    next: [{ command: again, what: 'once that has ended' }],
  }),
};
export const envTrouble = (error: EnvRmError, setting: Setting): Trouble => troubleOf(rmWords, error, setting);

type OwnBuildError = SmallJobError | Extract<EnvBuildError, { readonly reason: 'nothing-to-build' | 'not-built' }>;
const buildWords: Words<OwnBuildError> = {
  'nothing-to-build': ({ kind }) => ({
    failed: `there is nothing to build: \`environment\` is ${kind === 'none' ? '`none`, the Python that is there' : 'a `prefix`, which is used as it is'}`,
    next: [{ command: 'mlops doctor', what: 'looks whether it can be used' }],
  }),
  'not-built': ({ place, detail, key }, { again }) => ({
    failed: `the environment could not be made on ${said(place, 60)}`,
    raw: detail,
    next: [
      { command: `mlops env show ${word(key.slice(0, 12))}`, what: 'the end of the log that was kept' },
      { command: again, what: 'again, once the specification or the network is mended' },
    ],
  }),
  'unsafe-options': ({ cause }, setting) => renderTrouble(cause, setting),
  unanswered: ({ what, cause }, setting) => {
    const trouble = hostTrouble(cause, setting);
    return { ...trouble, failed: `${said(what, 60)}: ${trouble.failed}` };
  },
  'job-refused': ({ words }, { again }) => ({
    failed: 'the job that would build the environment was not taken',
    raw: words,
    next: [
      { command: 'mlops doctor', what: 'what is wrong with the options' },
      { command: 'build_on: login', what: 'under `environment`: builds it on the login node instead' },
      { command: again },
    ],
  }),
  'job-waits': ({ id, status }, { again, clock }) => ({
    failed: `job ${said(id, 20)}, which builds the environment, was cancelled: ${statusText(status, clock)}`,
    next: [{ command: again, what: 'goes on from there' }],
  }),
  'job-ended': ({ id, status, words }, { again, clock }) => ({
    failed: `job ${said(id, 20)} left no answer: ${statusText(status, clock)}`,
    raw: words,
    means: 'It may have been killed: by its time limit (resources.time), or for want of memory (resources.mem).',
    next: [{ command: again, what: 'again' }],
  }),
  'job-unknown': ({ cause }, setting) => queryTrouble(cause, setting),
};

export function envBuildTroubles(error: EnvBuildError, setting: Setting): readonly Trouble[] {
  switch (error.reason) {
    case 'nothing-to-build':
    case 'not-built':
    case 'unsafe-options':
    case 'unanswered':
    case 'job-refused':
    case 'job-unknown':
    case 'job-waits':
    case 'job-ended':
      return [troubleOf(buildWords, error, setting)];
    default:
      return gateTroubles(error, setting);
  }
}
