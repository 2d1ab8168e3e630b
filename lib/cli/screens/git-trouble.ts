import type { BlobError } from '../../git/blobs.ts';
import type { GitError, GitErrorReason } from '../../git/errors.ts';
import type { OpenError } from '../../git/repository.ts';
import type { SubmoduleError } from '../../git/submodules.ts';
import type { TreeError } from '../../git/tree.ts';
import { said, word } from './layout.ts';
import type { Setting } from './setting.ts';
import { type Next, type Trouble, troubleOf, type Words } from './trouble.ts';

interface Saying {
  readonly failed: string;
  readonly means?: string;
  readonly next?: readonly Next[];
}

const git = {
  'no-git': {
    failed: 'git is not on PATH',
    next: [{ command: 'git --version', what: 'must work in the shell that starts this' }],
  },
  'not-a-repository': { failed: 'this is no git repository', next: [{ command: 'git init', what: 'makes one' }] },
  'dubious-ownership': {
    failed: 'this repository belongs to another user, and git does not trust it',
    next: [{ command: 'git config --global --add safe.directory "$PWD"', what: 'if you trust its owner' }],
  },
  'unknown-revision': { failed: 'git knows no such commit', next: [{ command: 'git log --oneline' }] },
  'missing-object': {
    failed: 'git knows the name, and the object is not in this clone',
    means: 'The clone is shallow or partial, or damaged.',
    next: [
      { command: 'git fetch --unshallow', what: 'for a shallow clone' },
      { command: 'git fsck', what: 'tells what is missing' },
    ],
  },
  'invalid-ref': {
    failed: 'git does not take this name of a branch',
    next: [{ command: 'git help check-ref-format' }],
  },
  lock: { failed: 'another git process holds a lock', means: 'If none is running, it died: git names the lock file.' },
  'no-remote-ref': { failed: 'the remote has no such branch', next: [{ command: 'git ls-remote' }] },
  auth: {
    failed: 'the git remote does not let you in',
    next: [{ command: 'git ls-remote', what: 'must work without a question' }],
  },
  unreachable: { failed: 'the git remote does not answer', next: [{ command: 'git ls-remote' }] },
  'no-remote-repository': { failed: 'there is no repository at the remote', next: [{ command: 'git remote -v' }] },
  rejected: {
    failed: 'the remote has commits that are not here',
    next: [{ command: 'git pull --rebase', what: 'and push again' }],
  },
  refused: {
    failed: 'the remote refuses this',
    means: 'A protected branch, a hook of the server, or no right to write there.',
  },
  'no-atomic': { failed: 'the remote cannot take several branches at once' },
  'disk-full': {
    failed: 'the disk is full, or your quota is used up',
    next: [{ command: 'df -h .', what: 'tells how full it is' }],
  },
  'not-writable': { failed: "this clone's files cannot be written", means: 'They are of another user, or read-only.' },
  aborted: { failed: 'stopped while git was at work', means: 'Nothing is lost.' },
  other: { failed: 'git did not do what was asked' },
} satisfies Record<GitErrorReason, Saying>;

export function gitTrouble(error: GitError, setting: Setting): Trouble {
  const { failed, means, next = [] }: Saying = git[error.reason];
  return {
    failed,
    ...(error.reason === 'no-git' ? {} : { tried: said(['git', ...error.args].join(' '), 160) }),
    raw: error.stderr,
    ...(means === undefined ? {} : { means }),
    next: [...next, { command: setting.again, what: 'again' }],
  };
}

type Own<E extends { readonly reason: string }> = Exclude<E, GitError>;
/** Git's own errors carry its arguments; all others are ours. */
export const isGitError = (error: object): error is GitError => 'args' in error;

const notUtf8 = ({ path }: { readonly path: string }): Trouble => ({
  failed: `the name of ${said(path, 100)} is not UTF-8`,
  means: 'Neither a config nor a report can name it. Rename it, or leave it out of the commit.',
  next: [{ command: 'git mv OLD NEW', what: 'renames it' }],
});

const openWords: Words<Own<OpenError>> = {
  quarantine: ({ path }) => ({
    failed: 'this is a hook of the receiving server: it cannot judge a push',
    where: said(path, 100),
    means: 'The hooks belong into the clones of those who push.',
    next: [{ command: 'mlops uninstall', what: 'takes the hooks away here' }],
  }),
  'git-too-old': ({ needs }) => ({
    failed: `git is too old: ${said(needs, 20)} or newer is needed`,
    next: [{ command: 'git --version' }],
  }),
  'path-not-utf8': notUtf8,
};
export const openTrouble = (error: OpenError, setting: Setting): Trouble =>
  isGitError(error) ? gitTrouble(error, setting) : troubleOf(openWords, error, setting);

const treeWords: Words<Own<TreeError>> = { 'path-not-utf8': notUtf8 };
export const treeTrouble = (error: TreeError, setting: Setting): Trouble =>
  isGitError(error) ? gitTrouble(error, setting) : troubleOf(treeWords, error, setting);

const blobWords: Words<Own<BlobError>> = {
  'missing-blob': ({ oid }, { again }) => ({
    failed: `the content ${oid.slice(0, 12)} is not in this clone`,
    means: 'The clone is partial or damaged.',
    next: [
      { command: `git cat-file -t ${oid}`, what: 'fetches it, if the clone is partial' },
      { command: 'git fsck', what: 'tells what is missing' },
      { command: again },
    ],
  }),
};
export const blobTrouble = (error: BlobError, setting: Setting): Trouble =>
  isGitError(error) ? gitTrouble(error, setting) : troubleOf(blobWords, error, setting);

const submoduleWords: Words<Own<SubmoduleError>> = {
  ...openWords,
  'submodule-missing': ({ path, commit, looked }, { again }) => ({
    failed: `the submodule ${said(path, 80)} is not here at ${commit.slice(0, 7)}`,
    tried: looked.map((folder) => said(folder, 80)).join(', '),
    next: [
      { command: `git submodule update --init --recursive -- ${word(path)}`, what: 'brings it' },
      { command: again },
    ],
  }),
};
export const submoduleTrouble = (error: SubmoduleError, setting: Setting): Trouble =>
  isGitError(error) ? gitTrouble(error, setting) : troubleOf(submoduleWords, error, setting);
