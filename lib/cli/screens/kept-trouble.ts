import type { BringError, Brought } from '../../commands/bring-kept.ts';
import type { KeptError } from '../../commands/show-notebook.ts';
import { formatBytes, plural } from '../../report/numbers.ts';
import { paragraph, said, word } from './layout.ts';
import type { Setting } from './setting.ts';
import { storeTrouble } from './store-trouble.ts';
import { type Trouble, troubleOf, type Words } from './trouble.ts';

/** `mlops show --notebook`, `--log`, `--artifact`: what is here now. */
export const broughtLines = (files: readonly Brought[]): readonly string[] =>
  paragraph(
    'brought',
    files.map(({ path, bytes }) => `${said(path, 120)}, ${formatBytes(bytes)}`),
  );

/** Why a run's large files cannot be brought. */
export type KeptProblem = KeptError | WithoutBrought<BringError>;
type WithoutBrought<E> = E extends unknown ? Omit<E, 'brought'> : never;

/** `place`: where the files are looked for. */
export function keptTrouble(error: KeptProblem, place: string, setting: Setting): Trouble {
  const { again } = setting;
  const words: Words<KeptProblem> = {
    'no-run': () => ({
      failed: 'the push was let go without a verdict: nothing ran, and nothing was kept',
      next: [{ command: 'mlops run', what: 'trains and judges it now' }],
    }),
    'metrics-only': () => ({
      failed: 'the report names no files: this repository publishes metrics only (`publish: metrics`)',
      next: [{ command: 'mlops show', what: 'what is known of it' }],
    }),
    'none-kept': ({ what }) => ({
      failed: `the run left no ${what}: it ended before, or has no such step`,
      next: [{ command: 'mlops show', what: 'tells what it left' }],
    }),
    'no-artifact': ({ name, known }) => ({
      failed: `the report lists no artifact ${said(name, 60)}`,
      list: [
        ...known.slice(0, 12).map((path) => said(path, 88)),
        ...(known.length > 12 ? [`and ${known.length - 12} more`] : []),
      ],
      next: [{ command: 'mlops show', what: 'tells what the run left' }],
    }),
    several: ({ paths, output }) => ({
      failed: `${plural(paths.length, 'file')} do not go into one file, ${said(output, 60)}`,
      list: paths.slice(0, 8).map((path) => said(path, 88)),
      next: [{ command: `mkdir -p ${word(output)}`, what: 'a folder takes them all' }, { command: again }],
    }),
    exists: ({ path }) => ({
      failed: `${said(path, 100)} is there already, and stays as it is`,
      next: [
        { command: `${again} --force`, what: 'replaces it' },
        { command: `${again} -o FILE`, what: 'another name' },
      ],
    }),
    'no-folder': ({ path }) => ({
      failed: `there is no folder ${said(path, 100)}`,
      next: [{ command: `mkdir -p ${word(path)}`, what: 'makes it' }, { command: again }],
    }),
    gone: ({ file, looked, store }) => ({
      failed: `the ${file.role} ${said(file.path, 60)} is not where the job ran any more`,
      tried: said(looked, 160),
      where: store === undefined ? '' : `the report says ${said(store, 120)}`,
      means: 'Scratch file systems delete old files; or another place than the config names now has it.',
      next: [{ command: 'mlops run --again', what: 'makes it anew, and keeps both results' }],
    }),
    store: ({ cause }) => storeTrouble(cause, place, setting),
    'not-writable': ({ path, detail }) => ({
      failed: `${said(path, 100)} cannot be written`,
      raw: detail,
      next: [{ command: `${again} -o FILE`, what: 'another place' }],
    }),
  };
  return troubleOf(words, error, setting);
}
