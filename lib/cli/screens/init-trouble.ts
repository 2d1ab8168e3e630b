import { unreachable } from '../../base/unreachable.ts';
import type { InitError, InitFailure } from '../../commands/init.ts';
import type { UninstallFailure } from '../../commands/uninstall.ts';
import type { GitError } from '../../git/errors.ts';
import type { HookError } from '../../git/hooks-file.ts';
import { gitTrouble, isGitError } from './git-trouble.ts';
import { said, word } from './layout.ts';
import type { Setting } from './setting.ts';
import { type Trouble, troubleOf, type Words } from './trouble.ts';

const initWords: Words<Exclude<InitError, GitError>> = {
  'bare-repository': () => ({
    failed: 'this is a bare repository: it has no files to run',
    next: [{ command: 'git clone', what: 'and there: mlops init' }],
  }),
};
export const initTrouble = (error: InitError, setting: Setting): Trouble =>
  isGitError(error) ? gitTrouble(error, setting) : troubleOf(initWords, error, setting);

const hookWords: Words<Exclude<HookError, GitError>> = {
  'hooks-path-foreign': ({ path, scope }, { again }) => ({
    failed: `git takes hooks from ${said(path, 80)}, which is not yours to change (core.hooksPath, ${said(scope, 20)})`,
    means: 'A setting of this repository comes before it:',
    next: [{ command: 'git config core.hooksPath .git/hooks', what: 'if the site does not mind' }, { command: again }],
  }),
  'lefthook-format': ({ file, hook }, { again }) => ({
    failed: `${said(file, 80)} has a form in which lines cannot be added${hook === undefined ? '' : ` for ${hook}`}`,
    means: 'It was not touched. Block style YAML with `commands:` works; JSON and TOML do not.',
    next: [{ command: `lefthook dump`, what: 'shows it as YAML' }, { command: again }],
  }),
  'original-in-the-way': ({ file }, { again }) => ({
    failed: `a hook has to be moved aside, and ${said(file, 80)} is there already`,
    next: [
      { command: `ls -l ${word(file)}`, what: 'an earlier one: move it away if it is not needed' },
      { command: again },
    ],
  }),
  'not-writable': ({ file, detail }, setting) => notWritable(file, detail, setting),
};
export const hookTrouble = (error: HookError, setting: Setting): Trouble =>
  isGitError(error) ? gitTrouble(error, setting) : troubleOf(hookWords, error, setting);

const notWritable = (file: string, detail: string, { again }: Setting): Trouble => ({
  failed: `${said(file, 80)} cannot be written`,
  raw: detail,
  next: [{ command: again, what: 'again: what is done already stays' }],
});

/** What could not be done; the other parts were done all the same. */
export function failureTrouble(failure: InitFailure | UninstallFailure, setting: Setting): Trouble {
  switch (failure.part) {
    case 'hooks':
      return hookTrouble(failure.error, setting);
    case 'settings':
      return gitTrouble(failure.error, setting);
    case 'files':
    case 'state':
      return notWritable(failure.file, failure.detail, setting);
    default:
      return unreachable(failure);
  }
}
