import type { DataPinError, Pinned } from '../../commands/data-pin.ts';
import { isSame } from '../../commands/data-pin.ts';
import { formatBytes, plural } from '../../report/numbers.ts';
import { fingerprintTrouble } from './fingerprint-trouble.ts';
import { gitTrouble } from './git-trouble.ts';
import { hostTrouble, placeTrouble, queryTrouble } from './host-trouble.ts';
import { statusText } from './job-status.ts';
import { joined, labelled, lead, said, word } from './layout.ts';
import { renderTrouble } from './plan-trouble.ts';
import type { Setting } from './setting.ts';
import { nextLines, type Trouble, troubleOf, type Words } from './trouble.ts';

const howWords = { stat: 'names, sizes and times', content: 'content' } as const;

export function pinnedLine({ pin, before, job }: Pinned): string {
  const change = before === undefined ? 'pinned' : isSame(before, pin) ? 'same' : changed(before, pin);
  return labelled(
    change,
    joined([
      said(pin.as, 60),
      plural(pin.files, 'file'),
      formatBytes(pin.bytes),
      `by ${howWords[pin.how]}`,
      job !== undefined && `job ${said(job, 20)}`,
      pin.hash.slice(0, 7),
    ]),
  );
}
/** Times alone, under `content`: a job would have stopped, and the fingerprint stays. */
const changed = (before: Pinned['pin'], pin: Pinned['pin']): string =>
  before.hash === pin.hash ? 'touched' : 'changed';

export function pinEnd(pinned: readonly Pinned[], { style }: Setting): readonly string[] {
  const news = pinned.filter(({ pin, before }) => before === undefined || !isSame(before, pin));
  if (news.length === 0) return [lead('nothing has changed: .mlops/data.lock stays as it is')];
  const trains = news.some(({ pin, before }) => before?.hash !== pin.hash);
  return [
    lead(`.mlops/data.lock is written${trains ? '' : ': the content is the same, so nothing trains again'}`),
    ...nextLines([{ command: 'git add .mlops && git commit', what: 'from then on it counts' }], style),
  ];
}

const states = {
  gone: 'there is nothing at',
  empty: 'there is no file in',
  changing: 'somebody writes into',
  unlistable: 'not all files can be listed in',
  unreadable: 'not all files can be read in',
  'not-kept': 'the list of its files could not be kept for',
} as const;

const means: Partial<Record<keyof typeof states, string>> = {
  gone: 'Paths are those of the cluster; variables are expanded there.',
  changing: 'Wait until it is done.',
  unlistable: 'Nothing is left out in silence.',
  unreadable: 'Nothing is left out in silence.',
};

const words: Words<DataPinError> = {
  'no-draft': () => ({
    failed: 'there is no .mlops/config.yaml',
    next: [{ command: 'mlops init', what: 'proposes one' }],
  }),
  'draft-invalid': ({ diagnostics }, { again }) => ({
    failed: '',
    diagnostics,
    next: [{ command: again, what: 'once it is corrected' }],
  }),
  git: ({ cause }, setting) => gitTrouble(cause, setting),
  'lock-damaged': (error, setting) => fingerprintTrouble(error, setting),
  'not-pinned': (error, setting) => fingerprintTrouble(error, setting),
  'no-entry': ({ name, known }, { again }) => ({
    failed:
      name === undefined
        ? 'the config has no data that is on the cluster already: there is nothing to pin'
        : `no data of the cluster is seen as ${said(name, 60)}`,
    list: known.map((one) => said(one, 80)),
    next: [
      { command: 'data: [{ cluster: /PATH, as: data/NAME }]', what: 'in .mlops/config.yaml names some' },
      { command: again },
    ],
  }),
  place: ({ cause }, setting) => placeTrouble(cause, setting),
  data: ({ entry, state, words: raw, place }, { again }) => ({
    failed: `${states[state]} ${said(entry.cluster, 80)}`,
    where: `on ${said(place, 60)}, for ${said(entry.as, 60)}`,
    raw,
    means: means[state] ?? '',
    next: [{ command: `ls -l ${word(entry.cluster)}`, what: 'there' }, { command: again }],
  }),
  'odd-answer': ({ entry, words: raw }, { again }) => ({
    failed: `the script that looks at ${said(entry.cluster, 80)} ended before its end`,
    raw,
    next: [{ command: again, what: 'again; please report it if it stays so' }],
  }),
  'not-writable': ({ path, detail }, { again }) => ({
    failed: `${said(path, 80)} cannot be read or written`,
    raw: detail,
    next: [{ command: again, what: 'again' }],
  }),
  'unsafe-options': ({ cause }, setting) => renderTrouble(cause, setting),
  unanswered: ({ what, cause }, setting) => {
    const trouble = hostTrouble(cause, setting);
    return { ...trouble, failed: `${said(what, 60)}: ${trouble.failed}` };
  },
  'job-refused': ({ words: raw }, { again }) => ({
    failed: 'the job that would look at the data was not taken',
    raw,
    next: [
      { command: 'mlops doctor', what: 'what is wrong with the options' },
      { command: `${again} --no-job`, what: 'looks at it from the login node instead' },
    ],
  }),
  'job-unknown': ({ cause }, setting) => queryTrouble(cause, setting),
  'job-waits': ({ id, status }, { again, clock }) => ({
    failed: `job ${said(id, 20)} was cancelled before its end: ${statusText(status, clock)}`,
    next: [{ command: again, what: 'begins again' }],
  }),
  'job-ended': ({ id, status, words: raw }, { again, clock }) => ({
    failed: `job ${said(id, 20)} left no answer: ${statusText(status, clock)}`,
    raw,
    means: 'Content of some terabytes takes longer than resources.time allows.',
    next: [{ command: again, what: 'again' }],
  }),
};
export const dataPinTrouble = (error: DataPinError, setting: Setting): Trouble => troubleOf(words, error, setting);
