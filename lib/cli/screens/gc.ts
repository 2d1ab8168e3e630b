import type { GcError } from '../../cluster/store-gc.ts';
import type { GcReport } from '../../commands/gc.ts';
import { formatBytes, plural } from '../../report/numbers.ts';
import { hostTrouble } from './host-trouble.ts';
import { columns, labelled, lead, paragraph, said, saidLines, under } from './layout.ts';
import type { Setting } from './setting.ts';
import { nextLines, type Trouble, troubleOf, type Words } from './trouble.ts';

const most = 20;

const words = {
  object: 'content',
  step: 'known step',
  environment: 'environment',
  tree: 'shared data',
  temporary: 'left over',
  'run-files': 'files of a run',
} satisfies Record<GcReport['items'][number]['kind'], string>;

/** `mlops gc`: what went, or would go, and what was left alone. */
export function gcLines(report: GcReport, place: string, { style, again }: Setting): readonly string[] {
  const { dryRun, items, bytes, live, unsure, damaged, left, stderr } = report;
  const freed = bytes === 0 ? '' : `, ${formatBytes(bytes)} of content`;
  const head = `${plural(items.length, 'item')}${freed} ${dryRun ? 'would go' : 'gone'} from ${said(place, 60)}`;
  const more = items.length - most;
  return [
    lead(items.length === 0 ? `nothing to free on ${said(place, 60)}` : head),
    ...columns(items.slice(0, most).map(({ kind, path }) => [words[kind], said(path, 80)])).map(under),
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
    ...(dryRun && items.length > 0
      ? nextLines([{ command: again.replace(' --dry-run', ''), what: 'frees it' }], style)
      : []),
  ];
}

/** Why nothing, or not all, could be freed. */
const gcWords: Words<GcError> = {
  host: ({ cause }, setting) => hostTrouble(cause, setting),
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
export const gcTrouble = (error: GcError, setting: Setting): Trouble => troubleOf(gcWords, error, setting);
