import type { EnvironmentsError } from '../../cluster/environments.ts';
import type { GcError } from '../../cluster/store-gc.ts';
import { type ListedEnvironment, lastUse } from '../../commands/env-list.ts';
import type { GcReport } from '../../commands/gc.ts';
import { bytesOf } from '../../commands/gc-environments.ts';
import { formatBytes, plural } from '../../report/numbers.ts';
import { ageText, numberOf, shortKey } from './env.ts';
import { hostTrouble } from './host-trouble.ts';
import { columns, joined, labelled, lead, paragraph, said, saidLines, under } from './layout.ts';
import type { Setting } from './setting.ts';
import { nextLines, type Trouble, troubleOf, type Words } from './trouble.ts';

const most = 20;
/** Of the longest of the words below: environments are a table of their own. */
const kindWidth = 14;

const words = {
  object: 'content',
  step: 'known step',
  tree: 'shared data',
  temporary: 'left over',
  'run-files': 'files of a run',
} satisfies Record<GcReport['items'][number]['kind'], string>;

/** `mlops gc`: what went, or would go, and what was left alone. */
export function gcLines(report: GcReport, place: string, { style, again }: Setting): readonly string[] {
  const { dryRun, now, items, environments, bytes, live, unsure, damaged, left, stderr } = report;
  const count = items.length + environments.length;
  const head = joined([
    `${plural(count, 'item')} ${dryRun ? 'would go' : 'gone'} from ${said(place, 60)}`,
    bytes > 0 && `${formatBytes(bytes)} of content`,
    environments.length > 0 && `${formatBytes(bytesOf(environments))} of environments`,
  ]);
  const more = items.length - most;
  return [
    lead(count === 0 ? `nothing to free on ${said(place, 60)}` : head),
    ...columns(
      environments.map((entry) => environmentCells(entry, now)),
      [{}, {}, {}, { right: true }, { right: true }],
    ).map(under),
    ...columns(items.slice(0, most).map(({ kind, path }) => [words[kind].padEnd(kindWidth), said(path, 80)])).map(
      under,
    ),
    ...(more > 0 ? [under(`and ${more} more`)] : []),
    ...(live.length > 0 ? paragraph('kept', [`${plural(live.length, 'run')} not ended, and all that they use`]) : []),
    ...(unsure === undefined
      ? []
      : paragraph('warning', ['the scheduler did not answer: runs without a last word count as alive'], style.yellow)),
    ...(damaged === undefined
      ? []
      : paragraph('verified', [
          damaged.length === 0
            ? 'every object is what its name says'
            : `damaged: ${damaged.map((sha256) => sha256.slice(0, 12)).join(', ')}`,
        ])),
    ...(left.length > 0
      ? paragraph(
          'left',
          left.slice(0, most).map((path) => said(path, 80)),
          style.yellow,
        )
      : []),
    ...saidLines(stderr, 82).map((line) => labelled('', line)),
    ...(dryRun && count > 0 ? nextLines([{ command: again.replace(' --dry-run', ''), what: 'frees it' }], style) : []),
  ];
}

/** `environment  aaaaaaaaaaaa  unused 40 d  1.2 GB  30,112 files`; of one that was never ready nobody has counted. */
const environmentCells = (entry: ListedEnvironment, now: number): readonly string[] => [
  'environment'.padEnd(kindWidth),
  shortKey(entry.key),
  entry.state === 'ready' ? `unused ${ageText(now - lastUse(entry))}` : entry.state,
  entry.bytes === undefined ? '' : formatBytes(entry.bytes),
  entry.files === undefined ? '' : `${numberOf(entry.files)} files`,
];

/** Why nothing, or not all, could be freed. */
const gcWords: Words<GcError | EnvironmentsError> = {
  host: ({ cause }, setting) => hostTrouble(cause, setting),
  'environments-failed': ({ what, code, stderr }, { again }) => ({
    failed: `the ${what} of environments ended with status ${code}`,
    raw: stderr,
    next: [{ command: again, what: 'again' }],
  }),
  'no-program': ({ programs }, { again }) => ({
    failed: 'nothing there can compute a SHA-256',
    tried: programs.join(', '),
    next: [{ command: again.replace(' --verify', ''), what: 'frees without looking into the objects' }],
  }),
  failed: ({ what, code, stderr }, { again }) => ({
    failed: `the ${what} ended with status ${code}`,
    raw: stderr,
    means: 'What is gone was not in use; everything else is as it was.',
    next: [{ command: again, what: 'again' }],
  }),
};
export const gcTrouble = (error: GcError | EnvironmentsError, setting: Setting): Trouble =>
  troubleOf(gcWords, error, setting);
