import { short } from '../../base/ids.ts';
import type { CompareError } from '../../commands/compare.ts';
import type { CommitAbsent, DiffError } from '../../commands/diff.ts';
import { said } from './layout.ts';
import type { Setting } from './setting.ts';
import { showTrouble } from './show-trouble.ts';
import { type Trouble, troubleOf, type Words } from './trouble.ts';
import { compareWords, whyTrouble } from './why-trouble.ts';

const absentWords: Words<CommitAbsent> = {
  'commit-absent': ({ commit }) => ({
    failed: `the commit ${short(commit)} is not in this clone`,
    next: [
      { command: 'git fetch --all', what: 'brings what the remotes have' },
      { command: 'mlops log', what: 'lists what was judged' },
    ],
  }),
};

const words: Words<DiffError> = {
  ...compareWords,
  ...absentWords,
  'no-parent': (error, setting) => {
    const { failed, next } = whyTrouble(error, setting);
    return { failed, next: error.isShallow ? next : [{ command: 'mlops diff A B', what: 'compares any two' }] };
  },
  'unknown-target': (error, setting) => showTrouble(error, setting),
  'ambiguous-run': (error, setting) => showTrouble(error, setting),
  'run-not-readable': (error, setting) => showTrouble({ ...error, ignored: [] }, setting),
  unrelated: ({ range }) => ({
    failed: `the two ends of ${said(range, 60)} have no commit in common`,
    next: [{ command: 'mlops diff A B', what: 'compares them all the same' }],
  }),
};

export const diffTrouble = (error: DiffError, setting: Setting): Trouble => troubleOf(words, error, setting);

/** Where metrics can be compared and contents cannot: why, in a line. */
export const diffUncompared = (error: CompareError | CommitAbsent, setting: Setting): readonly string[] => {
  const { failed, raw = '', next } = diffTrouble(error, setting);
  const [first] = next;
  return [`cannot be told: ${failed}`, raw, ...(first === undefined ? [] : [`${first.command}: ${first.what ?? ''}`])];
};
