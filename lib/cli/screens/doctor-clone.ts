import type { Finding } from '../../commands/doctor-types.ts';
import { formatDuration, plural } from '../../report/numbers.ts';
import { config, nothingToDo } from './doctor-common.ts';
import { pipelineTrouble } from './gate-trouble.ts';
import { gitTrouble } from './git-trouble.ts';
import { hookPlaceText } from './hook-lines.ts';
import { hookTrouble } from './init-trouble.ts';
import { joined, said } from './layout.ts';
import { recordTrouble } from './record-trouble.ts';
import type { Words } from './trouble.ts';

const hookStates = {
  missing: 'not there',
  outdated: 'of another version, or calls another program',
  'not-executable': 'not executable',
} as const;

/** The clone: git, hooks, settings, config, remote. */
export const cloneWords = {
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
} satisfies Partial<Words<Finding>>;
