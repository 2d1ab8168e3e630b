import { short } from '../../base/ids.ts';
import type { CompareError } from '../../commands/compare.ts';
import type { WhyError } from '../../commands/why.ts';
import type { IdentifyError } from '../../gate/identify.ts';
import { fingerprintTrouble } from './fingerprint-trouble.ts';
import { pipelineTrouble } from './gate-trouble.ts';
import { blobTrouble, treeTrouble } from './git-trouble.ts';
import { said } from './layout.ts';
import type { Setting } from './setting.ts';
import { type Trouble, troubleOf, type Words } from './trouble.ts';

const identifyWords: Words<IdentifyError> = {
  pipeline: ({ cause }, setting) => pipelineTrouble(cause, setting),
  fingerprint: ({ cause }, setting) => fingerprintTrouble(cause, setting),
};

/** Two commits of which one cannot be read: of `why` and `diff` alike. */
export const compareWords: Words<CompareError> = {
  identify: ({ revision, commit, cause }, setting) => {
    const trouble = troubleOf(identifyWords, cause, setting);
    const what = `${said(revision, 40)} (${short(commit)}) cannot be compared`;
    return { ...trouble, failed: trouble.failed === '' ? what : `${what}: ${trouble.failed}` };
  },
  git: ({ cause }, setting) =>
    cause.reason === 'missing-blob' ? blobTrouble(cause, setting) : treeTrouble(cause, setting),
};

const words: Words<WhyError> = {
  'unknown-revision': ({ revision }) => unknownRevision(revision),
  'no-parent': ({ commit, isShallow }) =>
    isShallow
      ? {
          failed: `the parent of ${short(commit)} is not in this clone, which is shallow`,
          next: [{ command: 'git fetch --unshallow', what: 'brings it' }, { command: 'mlops why' }],
        }
      : {
          failed: `${short(commit)} is the first commit: there is nothing before it to compare with`,
          next: [{ command: 'mlops why A B', what: 'compares any two' }],
        },
  ...compareWords,
};

export const unknownRevision = (revision: string): Trouble => ({
  failed: `git knows no commit ${said(revision, 60)}`,
  next: [{ command: 'git log --oneline --all', what: 'lists them' }],
});

export const whyTrouble = (error: WhyError, setting: Setting): Trouble => troubleOf(words, error, setting);
