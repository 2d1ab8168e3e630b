import { unreachable } from '../../base/unreachable.ts';
import type { ItemChange } from '../../fingerprint/environment-changes.ts';
import type { FingerprintError } from '../../fingerprint/errors.ts';
import { blobTrouble, isGitError, treeTrouble } from './git-trouble.ts';
import { said, word } from './layout.ts';
import { placeOf, type Setting } from './setting.ts';
import { type Trouble, troubleOf, type Words } from './trouble.ts';

type DataFileError = Extract<FingerprintError, { readonly path: string; readonly entry: string }>;

const inEntry = ({ path, entry }: { readonly path: string; readonly entry: string }): string =>
  path === entry ? '' : `data entry ${said(entry, 60)}`;

const file =
  (what: string, means: string, command: (path: string) => string) =>
  (error: DataFileError, { again }: Setting): Trouble => ({
    failed: `${said(error.path, 80)} ${what}`,
    where: inEntry(error),
    raw: error.detail,
    means,
    next: [{ command: command(word(error.path)) }, { command: again }],
  });

const mostChanges = 12;
function changeText(change: ItemChange): string {
  switch (change.kind) {
    case 'changed':
      return `${change.before} → ${change.after}`;
    case 'added':
      return `${change.after} (new)`;
    case 'removed':
      return `${change.before} (gone)`;
    case 'order':
      return `the order of ${change.where}`;
    default:
      return unreachable(change);
  }
}

const config = '.mlops/config.yaml';
const look = (path: string): string => `ls -l ${path}`;

const words: Words<FingerprintError> = {
  'no-steps': (_error, setting) => ({
    failed: 'the config has no steps: there is nothing to run',
    where: placeOf(setting.locate?.('steps')) || config,
    next: [
      { command: 'steps: [{ notebook: FILE.ipynb }]', what: `in ${config}, then commit it` },
      { command: setting.again },
    ],
  }),
  'not-recorded': ({ entry }, { again }) => ({
    failed: `nothing is recorded for this commit about the data entry ${said(entry, 60)}`,
    means: 'It is recorded by the hook when a commit is made.',
    next: [{ command: 'git commit --allow-empty', what: 'records the data as it is now' }, { command: again }],
  }),
  'not-pinned': ({ entry, cluster, why }, setting) => ({
    failed:
      why === 'other'
        ? `the data ${said(entry, 60)} is pinned, but from another place or in another way than the config says`
        : `the data ${said(entry, 60)} on the cluster (${said(cluster, 60)}) is not pinned: nothing says what it is`,
    where: why === 'no-lock' ? 'the commit has no .mlops/data.lock' : '.mlops/data.lock of the commit',
    means: 'It is looked at once, where it is. Every job then checks that it is still the same.',
    next: [
      { command: `mlops data pin ${word(entry)}`, what: 'looks at it, and writes .mlops/data.lock' },
      { command: 'git add .mlops && git commit' },
      { command: setting.again },
    ],
  }),
  'lock-damaged': ({ detail }, { again }) => ({
    failed: '.mlops/data.lock of the commit cannot be read',
    raw: detail,
    means: 'A merge may have left its marks in it.',
    next: [
      { command: 'rm .mlops/data.lock && mlops data pin', what: 'makes it anew' },
      { command: 'git add .mlops && git commit' },
      { command: again },
    ],
  }),
  aborted: ({ progress }, { again }) => ({
    failed: `stopped after ${progress.files} of ${progress.ofFiles} files of data`,
    means: 'What was hashed is kept.',
    next: [{ command: again, what: 'goes on from there' }],
  }),
  git: ({ error }, setting) =>
    isGitError(error) || error.reason === 'path-not-utf8' ? treeTrouble(error, setting) : blobTrouble(error, setting),
  'no-match': ({ entry, glob }, setting) => ({
    failed: glob ? `no file matches the data entry ${said(entry, 60)}` : `the data ${said(entry, 60)} is not there`,
    where: placeOf(setting.locate?.('data')) || config,
    means: 'Paths count from the top of the repository.',
    next: [{ command: setting.again, what: 'when the data is there, or the entry is corrected and committed' }],
  }),
  outside: ({ entry }, setting) => ({
    failed: `the data entry ${said(entry, 60)} leads out of the repository`,
    where: placeOf(setting.locate?.('data')) || config,
    next: [{ command: 'data: [FOLDER]', what: `in ${config}: a path from the top of the repository` }],
  }),
  'broken-link': file('is a link that leads nowhere', 'Its content would be missing in the run.', look),
  'link-loop': file('is a link that leads to itself', 'Remove the loop.', look),
  'special-file': file('is no file and no folder: a pipe, a socket or a device', 'It has no content to hash.', look),
  unreadable: file('cannot be read', 'Nothing is left out in silence.', look),
  changing: file(
    'changes while it is read',
    'Something still writes it. Wait until it is done.',
    (path) => `fuser -v ${path}`,
  ),
  'bad-name': file(
    'has a name that is not UTF-8',
    'Rename it, or leave it out of the data.',
    (path) => `mv ${path} NEW`,
  ),
  'submodule-missing': file(
    'is a submodule that is not checked out',
    'Its files are part of the data.',
    (path) => `git submodule update --init --recursive -- ${path}`,
  ),
  'dvc-missing': file(
    'is tracked by DVC, and neither in the worktree nor in DVC’s cache',
    'What is in either of them is enough; DVC is not needed for that.',
    (path) => `dvc pull ${path}`,
  ),
  'dvc-damaged': ({ path, entry, detail }, { again }) => ({
    failed: `the content of ${said(path, 80)} in DVC’s cache is not what its name says`,
    where: inEntry({ path, entry }),
    raw: detail,
    means: 'It is not taken.',
    next: [{ command: `rm -f ${word(detail)} && dvc pull ${word(path)}`, what: 'gets it anew' }, { command: again }],
  }),
  'dvc-unreadable': file(
    'cannot be read: it tells what DVC tracks',
    'A merge may have left its marks in it.',
    (path) => `git show HEAD:${path}`,
  ),
  'environment-missing': ({ path, includedBy }, { again }) => ({
    failed: `the environment's file ${said(path, 80)} is not in the commit`,
    where: includedBy === undefined ? '' : `included by ${said(includedBy, 80)}`,
    next: [{ command: `git add ${word(path)} && git commit`, what: 'if it is only not added' }, { command: again }],
  }),
  'environment-unreadable': ({ path, detail }, { again }) => ({
    failed: `the environment's file ${said(path, 80)} cannot be read`,
    raw: detail,
    next: [{ command: `git show HEAD:${word(path)}`, what: 'as the commit has it' }, { command: again }],
  }),
  'lock-missing': ({ path }, { again }) => ({
    failed: `the lock ${said(path, 80)} is not in the commit`,
    where: '`environment.lock` names it',
    next: [
      { command: 'mlops env lock', what: 'makes it: the packages as they are resolved now' },
      { command: `git add ${word(path)} && git commit` },
      { command: again },
    ],
  }),
  'lock-drift': ({ path, changes }, { again }) => ({
    failed: `the environment asks for something else than when ${said(path, 80)} was made`,
    list: [
      ...changes.slice(0, mostChanges).map((change) => said(changeText(change), 82)),
      ...(changes.length > mostChanges ? [`and ${changes.length - mostChanges} more`] : []),
    ],
    means: 'What is built is the lock: the change would have no effect. Nothing was started.',
    next: [
      { command: 'mlops env lock', what: 'resolves it anew' },
      { command: `git add ${word(path)} && git commit` },
      { command: again },
    ],
  }),
  'include-loop': ({ path, includedBy }) => ({
    failed: `the requirements file ${said(path, 80)} includes itself`,
    where: `by ${said(includedBy, 80)}`,
    next: [{ command: `git grep -n -e -r -e --requirement -- ${word(includedBy)}`, what: 'finds the line' }],
  }),
};

export const fingerprintTrouble = (error: FingerprintError, setting: Setting): Trouble =>
  troubleOf(words, error, setting);
