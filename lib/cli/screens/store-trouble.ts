import type { RunStoreError } from '../../cluster/run-types.ts';
import type { StoreError } from '../../cluster/store-types.ts';
import { formatBytes, plural } from '../../report/numbers.ts';
import { hostTrouble } from './host-trouble.ts';
import { joined, said, word } from './layout.ts';
import type { Setting } from './setting.ts';
import { type Trouble, troubleOf, type Words } from './trouble.ts';

const digits = (hashes: readonly string[]): readonly string[] => few(hashes.map((hash) => hash.slice(0, 12)));
const few = (words: readonly string[]): readonly string[] => {
  const more = words.length - 6;
  return [...words.slice(0, 6), ...(more > 0 ? [`and ${more} more`] : [])];
};
const retry = ({ again }: Setting, what = 'again: what has arrived stays and is not sent twice') => ({
  command: again,
  what,
});
const doing = { list: 'looking at', upload: 'sending to', build: 'building a folder on', download: 'bringing from' };

/** `files`: the paths of the contents that the error names, where somebody knows them. */
export function storeTrouble(
  error: StoreError,
  place: string,
  setting: Setting,
  files: readonly string[] = [],
): Trouble {
  const paths = files.map((path) => said(path, 100));
  const at = said(place, 60);
  const words: Words<StoreError> = {
    host: ({ cause }) => hostTrouble(cause, setting),
    'disk-full': ({ path, needed, available, detail }) => ({
      failed: `no space left on ${at}${room(needed, available)}`,
      where: said(path, 120),
      raw: detail,
      means:
        available !== undefined && needed !== undefined && available >= needed
          ? 'The disk has room, so a quota is used up. Nothing half is left behind.'
          : 'A quota may be smaller than the disk. Nothing half is left behind.',
      next: [
        {
          command: `ssh ${word(place)} df -h ${word(path)}`,
          what: 'tells how full it is; many sites have `quota` too',
        },
        { command: 'git config mlops.cluster.workdir FOLDER', what: 'a place with more room' },
        retry(setting),
      ].slice(place === 'this machine' ? 1 : 0),
    }),
    'source-changed': ({ sha256s }) => ({
      failed: `${plural(sha256s.length, 'file')} changed while they were sent`,
      list: paths.length === 0 ? digits(sha256s) : few(paths),
      means: 'What was hashed is not what is there now. Something still writes the data.',
      next: [{ command: 'git status' }, retry(setting, 'again, once nothing writes the data')],
    }),
    'source-unreadable': ({ sha256, detail }) => ({
      failed: `a file of this machine could not be read (${paths[0] ?? `content ${sha256.slice(0, 12)}`})`,
      raw: detail,
      next: [retry(setting)],
    }),
    missing: ({ sha256s }) => ({
      failed: `${plural(sha256s.length, 'object')} ${sha256s.length === 1 ? 'is' : 'are'} gone from the store on ${at}`,
      list: digits(sha256s),
      means: 'Scratch file systems delete old files.',
      next: [retry(setting, 'again: what is missing is sent once more')],
    }),
    corrupt: ({ sha256 }) => ({
      failed: `an object in the store on ${at} is damaged: ${sha256.slice(0, 12)}`,
      means: 'It is not used, and the next upload replaces it.',
      next: [retry(setting, 'again')],
    }),
    'unsafe-path': ({ path, why }) => ({
      failed: `the path ${said(path, 80)} cannot be made on ${at}: ${unsafe[why]}`,
      next: [{ command: 'git mv OLD NEW', what: 'another name for it' }, { command: setting.again }],
    }),
    exists: ({ path }) => ({
      failed: `${said(path, 100)} is there already on ${at}`,
      means: 'Another client may be preparing the same run.',
      next: [retry(setting)],
    }),
    'no-program': ({ programs }) => ({
      failed: `${at} has none of these programs: ${programs.map((name) => said(name, 30)).join(', ')}`,
      next: [
        { command: `ssh ${word(place)} command -v ${programs.map(word).join(' ')}`, what: 'must find one of them' },
      ],
    }),
    failed: ({ what, code, stderr }) => ({
      failed: `${doing[what]} ${at} ended with exit status ${code}`,
      raw: stderr,
      next: [retry(setting)],
    }),
    local: ({ path, detail }) => ({
      failed: `${said(path, 100)} cannot be written on this machine`,
      raw: detail,
      next: [{ command: 'df -h .' }, retry(setting, 'again')],
    }),
  };
  return troubleOf(words, error, setting);
}

const unsafe = {
  absolute: 'it is absolute',
  outside: 'it leads out of the folder',
  nul: 'it holds a NUL',
  empty: 'it is empty',
  conflict: 'a file and a folder have the same name',
} as const;

function room(needed: number | undefined, available: number | undefined): string {
  const text = joined([
    needed !== undefined && `${formatBytes(needed)} needed`,
    available !== undefined && `${formatBytes(available)} free`,
  ]).replace(' · ', ', ');
  return text === '' ? '' : `: ${text}`;
}

export function runsTrouble(error: RunStoreError, place: string, setting: Setting): Trouble {
  const words: Words<RunStoreError> = {
    host: ({ cause }) => hostTrouble(cause, setting),
    folder: ({ path, detail }) => ({
      failed: `the run's folder on ${said(place, 60)} cannot be used`,
      where: said(path, 140),
      raw: detail,
      next: [retry(setting, 'again: a job that was started goes on and is found')],
    }),
  };
  return troubleOf(words, error, setting);
}
