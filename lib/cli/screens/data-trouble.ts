import type { GateError } from '../../gate/outcome.ts';
import { formatLocalTime } from '../../report/local-time.ts';
import { formatBytes, plural } from '../../report/numbers.ts';
import { columns, joined, said } from './layout.ts';
import type { Setting } from './setting.ts';
import type { Trouble } from './trouble.ts';

type Of<Reason> = Extract<GateError, { readonly reason: Reason }>;
const most = 10;
const hash = (sha256: string): string => sha256.slice(0, 7);

export function dataChangedTrouble(error: Of<'data-changed'>, setting: Setting): Trouble {
  const { changed, missing, added } = error.difference;
  const rows = [
    ...changed.map(({ path, recorded, current }) => ['changed', path, `${hash(recorded)} → ${hash(current)}`]),
    ...missing.map(({ path, recorded }) => ['gone', path, hash(recorded)]),
    ...added.map(({ path, current }) => ['new', path, hash(current)]),
  ];
  return {
    failed: `the data is not what was recorded for ${error.commit.slice(0, 7)}: ${joined([
      count(changed.length, 'changed'),
      count(missing.length, 'gone'),
      count(added.length, 'new'),
    ]).replaceAll(' · ', ', ')}`,
    where: recorded(error, setting),
    list: table(rows),
    means: 'The recorded content is not where the job runs either, and the newer one is never taken in silence.',
    next: [
      { command: 'git commit --allow-empty', what: 'records the data as it is now' },
      { command: setting.again, what: 'again, then; or at once, when the recorded files are restored' },
    ],
  };
}

export function dataAbsentTrouble(error: Of<'data-absent'>, setting: Setting): Trouble {
  const bytes = error.files.reduce((sum, { size }) => sum + size, 0);
  return {
    failed: `${plural(error.files.length, 'file')} of data (${formatBytes(bytes)}) ${error.files.length === 1 ? 'is' : 'are'} neither here nor where the job runs`,
    where: recorded(error, setting),
    list: table(error.files.map(({ path, sha256, size }) => ['absent', path, hash(sha256), formatBytes(size)])),
    means: 'Whoever recorded it has it: once they have pushed, it is where the job runs. Or copy the files here.',
    next: [{ command: setting.again, what: 'again, when the files are there' }],
  };
}

export function dataUnlistedTrouble(error: Of<'data-unlisted'>, setting: Setting): Trouble {
  const { commit, entries, recordedAt, recordedBy } = error;
  return {
    failed: `of the data of ${commit.slice(0, 7)} only the hash is known here, not its files`,
    ...(recordedAt === undefined || recordedBy === undefined
      ? {}
      : { where: recorded({ commit, recordedAt, recordedBy }, setting) }),
    list: entries.slice(0, most).map((entry) => said(entry, 80)),
    means: 'A known verdict needs no data; a training does.',
    next: [
      { command: 'git commit --allow-empty', what: 'once the data is here: records it' },
      { command: setting.again, what: 'again, then' },
    ],
  };
}

const count = (files: number, what: string): string | false => files > 0 && `${plural(files, 'file')} ${what}`;

function recorded(
  { commit, recordedAt, recordedBy }: Pick<Of<'data-absent'>, 'commit' | 'recordedAt' | 'recordedBy'>,
  { clock }: Setting,
): string {
  const time = Date.parse(recordedAt) / 1000;
  const when = Number.isNaN(time) ? said(recordedAt, 40) : formatLocalTime(time, clock.now, clock.timeZone);
  return `recorded for ${commit.slice(0, 7)}: ${when}, by ${said(recordedBy, 60)}`;
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const shown = rows.slice(0, most).map((row) => row.map((cell) => said(cell, 60)));
  const more = rows.length - shown.length;
  return [
    ...columns(shown, [{}, { most: 56 }, {}, { right: true }]),
    ...(more > 0 ? [`and ${plural(more, 'file')} more`] : []),
  ];
}
