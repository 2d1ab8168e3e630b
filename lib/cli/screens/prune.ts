import { short } from '../../base/ids.ts';
import type { PrunedReport, PruneError, Pruning } from '../../commands/prune-reports.ts';
import { formatLocalTime } from '../../report/local-time.ts';
import { plural } from '../../report/numbers.ts';
import { reportTime } from '../../report/report-path.ts';
import { gitTrouble } from './git-trouble.ts';
import { columns, lead, paragraph, said, under } from './layout.ts';
import { day } from './log.ts';
import { publishedLines } from './outcome.ts';
import { recordTrouble } from './record-trouble.ts';
import type { Setting } from './setting.ts';
import { nextLines, type Trouble, troubleOf, type Words } from './trouble.ts';
import { colours } from './verdict.ts';

const most = 20;

/** `mlops gc --reports`: what went, or would go. What a person has accepted is named, however much goes. */
export function pruneLines(
  { pruned, left, inUse, unreadable, published }: Pruning,
  { branch, dryRun }: { readonly branch: string; readonly dryRun: boolean },
  setting: Setting,
): readonly string[] {
  const { style, again } = setting;
  const from = `from the branch ${said(branch, 40)}`;
  const accepted = pruned.filter(({ outcome }) => outcome === 'accepted');
  const others = pruned.filter(({ outcome }) => outcome !== 'accepted');
  const shown = others.slice(0, most);
  const stay = [
    `${plural(left, 'report')} ${left === 1 ? 'stays' : 'stay'}`,
    ...(inUse === 0 ? [] : [`${inUse} of them because a branch, a tag or the README stands on them`]),
    ...(unreadable === 0 ? [] : [`${unreadable} that cannot be read here`]),
  ].join(', ');
  return [
    lead(
      pruned.length === 0
        ? `no report to prune ${from}`
        : `${plural(pruned.length, 'report')} ${dryRun ? 'would go' : 'gone'} ${from}`,
    ),
    ...columns([...accepted, ...shown].map((report) => row(report, setting))).map(under),
    ...(others.length > shown.length ? [under(`and ${others.length - shown.length} more`)] : []),
    ...(accepted.length === 0
      ? []
      : paragraph(
          'accepted',
          [`${plural(accepted.length, 'decision')} of a person among them: who and why stays in git log`],
          style.yellow,
        )),
    ...paragraph('kept', [stay]),
    ...publishedLines(published, setting),
    ...(dryRun && pruned.length > 0
      ? nextLines([{ command: again.replace(' --dry-run', ''), what: 'prunes them' }], style)
      : []),
  ];
}

function row(
  { commit, fingerprint, id, outcome, subject }: PrunedReport,
  { style, clock }: Setting,
): readonly string[] {
  const time = reportTime(id);
  return [
    style.yellow(short(commit)),
    time === undefined ? '' : day(formatLocalTime(time, clock.now, clock.timeZone)),
    style[colours[outcome]](outcome),
    short(fingerprint),
    said(subject, 40),
  ];
}

const words: Words<PruneError> = {
  'not-fetched': ({ remote, cause }, setting) => ({
    ...recordTrouble(cause, setting),
    failed: `nothing was pruned: what ${said(remote, 60)} has is not known, and it may be newer`,
    means: recordTrouble(cause, setting).failed,
    next: [{ command: setting.again, what: 'again, when it can be reached' }],
  }),
  'not-recorded': ({ cause }, setting) => recordTrouble(cause, setting),
  git: ({ cause }, setting) => gitTrouble(cause, setting),
};

/** Why nothing could be pruned. */
export const pruneTrouble = (error: PruneError, setting: Setting): Trouble => troubleOf(words, error, setting);
