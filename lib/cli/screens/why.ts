import { short } from '../../base/ids.ts';
import { unreachable } from '../../base/unreachable.ts';
import type { Side } from '../../commands/compare.ts';
import { plural } from '../../report/numbers.ts';
import type { Changes } from '../../report/types.ts';
import { columns, lead, paragraph, said, under } from './layout.ts';
import type { Setting } from './setting.ts';
import { nextLines } from './trouble.ts';

/** Two commits, and what makes them different runs. */
export interface Comparison {
  readonly before: Side;
  readonly after: Side;
  readonly changes: Changes;
  readonly steps: { readonly same: number; readonly of: number };
}

/** `mlops why A B`. */
export function whyLines({ before, after, changes, steps }: Comparison, { style }: Setting): readonly string[] {
  const same = before.fingerprint === after.fingerprint;
  const head = same
    ? `${short(before.commit)} and ${short(after.commit)} are the same run ${short(after.fingerprint)}: nothing that counts has changed`
    : `${short(after.commit)} is another run than ${short(before.commit)}: ${plural(changes.changed.length, 'change')}`;
  const needless = steps.same > 0 && steps.same < steps.of;
  return [
    lead(head),
    ...columns([sideCells('before', before), sideCells('after', after)]).map(under),
    ...paragraph(
      'changed',
      changes.changed.map(({ what, code }) => changeText(what, code)),
    ),
    ...(same || changes.same.length === 0
      ? []
      : paragraph('same', [changes.same.map((one) => said(one, 40)).join(', ')])),
    ...(needless
      ? paragraph('steps', [
          `the first ${steps.same === 1 ? 'one is' : `${steps.same} are`} the same: only ${steps.of - steps.same} of ${steps.of} run again`,
        ])
      : []),
    ...paragraph('data', [before, after].flatMap(dataText)),
    ...(same
      ? []
      : nextLines([{ command: `mlops show ${short(after.commit)}`, what: 'its verdict, if it has one' }], style)),
  ];
}

const sideCells = (label: string, { revision, commit, subject, fingerprint }: Side): readonly string[] => {
  const name = commit.startsWith(revision) ? '' : ` (${said(revision, 20)})`;
  return [label, `${short(commit)}${name}`, `run ${short(fingerprint)}`, said(subject, 34)];
};

const changeText = (what: string, code: string | undefined): string =>
  `${said(what, 160)}${code === undefined || code.trim() === '' ? '' : `   \`${said(code, 70)}\``}`;

/** What is not from the commit's own record is said: the comparison is only as good as that. */
function dataText({ commit, data }: Side): readonly string[] {
  switch (data) {
    case 'recorded':
      return [];
    case 'inherited':
      return [`of ${short(commit)}: as another commit recorded it`];
    case 'worktree':
      return [`of ${short(commit)}: as it is in the worktree now, for nothing was recorded`];
    default:
      return unreachable(data);
  }
}
