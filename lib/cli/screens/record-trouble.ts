import type { RecordError } from '../../git/advance.ts';
import type { GitError } from '../../git/errors.ts';
import { gitTrouble, isGitError } from './git-trouble.ts';
import { said, word } from './layout.ts';
import { placeOf, type Setting } from './setting.ts';
import { type Trouble, troubleOf, type Words } from './trouble.ts';

const words: Words<Exclude<RecordError, GitError>> = {
  'branch-checked-out': ({ branch, worktree }) => ({
    failed: `the reports branch ${said(branch, 40)} is checked out, and is not moved under somebody's feet`,
    where: said(worktree, 100),
    next: [{ command: `git -C ${word(worktree)} switch -`, what: 'leaves it; the next command records' }],
  }),
  'branch-conflict': ({ branch, existing, suggestion }, setting) => ({
    failed: `the reports branch ${said(branch, 40)} cannot stand beside the branch ${said(existing, 40)}: git keeps one as a file, the other as a folder`,
    where: placeOf(setting.locate?.('reports')),
    next: [
      { command: `reports: ${said(suggestion, 60)}`, what: 'in .mlops/config.yaml: another name for the reports' },
      { command: `git branch -m ${word(existing)} NEW`, what: 'or rename yours' },
    ],
  }),
  raced: ({ tries, last }, setting) => ({
    failed: `other writers were faster ${tries} times, and the report was not recorded`,
    raw: last.stderr,
    next: [{ command: setting.again, what: 'again: the metrics are known, nothing is trained' }],
  }),
  'lock-left': ({ lock, last }, setting) => ({
    failed: 'the report was not recorded: a git that was killed has left its lock',
    where: said(lock, 200),
    raw: last.stderr,
    next: [
      { command: `rm ${word(lock)}`, what: 'if no git is at work in this repository' },
      { command: setting.again, what: 'then again: the metrics are known, nothing is trained' },
    ],
  }),
};

export const recordTrouble = (error: RecordError, setting: Setting): Trouble =>
  isGitError(error) ? gitTrouble(error, setting) : troubleOf(words, error, setting);
