import { short } from '../../base/ids.ts';
import { unreachable } from '../../base/unreachable.ts';
import type { BisectError, Bisected, BisectPoint, BisectStep } from '../../commands/bisect-types.ts';
import type { Diff } from '../../commands/diff.ts';
import { formatMetric, plural } from '../../report/numbers.ts';
import { headline, readingText } from '../../report/words.ts';
import { diffBody } from './diff.ts';
import { gateTroubles, stoppedLines } from './gate-trouble.ts';
import { gitTrouble } from './git-trouble.ts';
import { joined, lead, paragraph, said, under, word, wrap } from './layout.ts';
import type { Setting } from './setting.ts';
import { nextLines, type Trouble, troubleLines, troubleOf, type Words } from './trouble.ts';
import { waitingLines } from './waiting.ts';
import { unknownRevision } from './why-trouble.ts';

/** What happens on the way, a line for each. */
export function bisectStepLines(step: BisectStep, setting: Setting): readonly string[] {
  switch (step.step) {
    case 'line': {
      const { commits, known, looks } = step;
      const judge = looks === 0 ? 'nothing to judge' : `at most ${looks} to judge`;
      return [lead(joined([`${plural(commits, 'commit')} after the good one`, known > 0 && `${known} known`, judge]))];
    }
    case 'judging':
      return [lead(`judging ${short(step.commit)}`)];
    case 'found-out':
      return leading(pointText(step.point, setting));
    default:
      return unreachable(step);
  }
}

const leading = (text: string, paint = (line: string): string => line): readonly string[] =>
  wrap(text, 90).map((line, index) => (index === 0 ? lead(paint(line)) : under(paint(line))));

const standings = { good: 'is good', bad: 'is bad', skip: 'cannot be told' } as const;

function pointText(point: BisectPoint, setting: Setting): string {
  const { commit, standing, report } = point;
  const what = standing === undefined ? 'is not known' : standings[standing];
  const why = standing === 'good' ? metricText(point) : reasonText(point, setting);
  return `${short(commit)} ${what}${why === '' ? '' : `: ${why}`}${report === undefined ? '' : `   ${said(report.subject, 40)}`}`;
}

function metricText({ verdict, report }: BisectPoint): string {
  const [metric] = verdict?.checks.map((check) => check.metric) ?? [];
  const reading = metric === undefined ? undefined : report?.run?.metrics[metric];
  if (metric === undefined || reading === undefined) return '';
  return `${said(metric, 24)} ${reading.kind === 'number' ? formatMetric(reading.value) : readingText(reading)}`;
}

function reasonText({ verdict, against, error }: BisectPoint, setting: Setting): string {
  if (verdict !== undefined) return said(headline(verdict, against === undefined ? [] : [against]), 160);
  if (error === undefined) return '';
  const [trouble] = gateTroubles(error, setting);
  return said(trouble?.failed === '' ? 'its config cannot be used' : (trouble?.failed ?? error.reason), 160);
}

/** The end of the search: the commit, its metrics beside those of the last good one, and what it changed. */
export function bisectedLines(found: Bisected, changes: Diff | undefined, setting: Setting): readonly string[] {
  const { bad, untold, commits, judged } = found;
  const { style } = setting;
  const why = reasonText(bad, setting);
  const what =
    untold.length === 0
      ? `${short(bad.commit)} is the first bad commit`
      : `the first bad commit is ${short(bad.commit)} or one of ${untold.length} before it`;
  return [
    ...leading(`${what}${why === '' ? '' : `: ${why}`}`, style.bold),
    ...(changes === undefined ? [] : diffBody(changes, setting)),
    ...paragraph('untold', untoldTexts(untold, setting), style.yellow),
    ...paragraph('looked', [`at ${plural(commits, 'commit')}, ${judged} of them judged now`]),
    ...nextLines([{ command: `mlops show ${short(bad.commit)}`, what: 'its report' }], style),
  ];
}

const mostUntold = 6;

function untoldTexts(untold: readonly BisectPoint[], setting: Setting): readonly string[] {
  const texts = untold.slice(0, mostUntold).map((point) => {
    const why = reasonText(point, setting);
    return `${short(point.commit)}: ${why === '' ? 'no verdict is known' : why}`;
  });
  const more = untold.length - texts.length;
  return [...texts, ...(more > 0 ? [`and ${more} more`] : [])];
}

type Plain = Exclude<BisectError, { readonly reason: 'waiting' | 'stopped' }>;
const words: Words<Plain> = {
  'unknown-revision': ({ revision }) => unknownRevision(revision),
  'not-ancestor': ({ good, bad }) => ({
    failed: `${said(good, 40)} does not lead to ${said(bad, 40)}: there is no line between them to search`,
    next: [
      {
        command: `mlops bisect $(git merge-base ${word(good)} ${word(bad)}) ${word(bad)}`,
        what: 'begins where they part',
      },
    ],
  }),
  same: ({ commit }) => ({
    failed: `both ends are ${short(commit)}`,
    next: [{ command: 'mlops bisect GOOD BAD', what: 'takes the older, good one first' }],
  }),
  'bad-unknown': ({ commit }) => ({
    failed: `nothing says that ${short(commit)} is bad: it has no verdict`,
    next: [
      { command: `mlops run ${short(commit)}`, what: 'judges it' },
      { command: 'mlops bisect GOOD BAD', what: 'takes your word for it' },
    ],
  }),
  'bad-passes': ({ commit }) => ({
    failed: `${short(commit)} is good: it meets all that it requires, also compared with the good one`,
    next: [{ command: 'mlops diff GOOD BAD', what: 'shows how far apart they are' }],
  }),
  'good-fails': ({ commit, report, verdict }) => ({
    failed: `${short(commit)} is not good by what the bad one requires: ${said(headline(verdict, report.baselines), 160)}`,
    next: [{ command: 'mlops log', what: 'lists what was judged, and how' }],
  }),
  'good-unknown': ({ commit }) => ({
    failed: `${short(commit)} has no metrics, and the others are to be compared with them`,
    next: [{ command: `mlops run ${short(commit)}`, what: 'judges it' }],
  }),
  'no-good': ({ commit, searched }) => ({
    failed: `none of the ${plural(searched, 'commit')} before ${short(commit)} is known to have passed`,
    next: [
      { command: `mlops bisect GOOD ${short(commit)}`, what: 'takes your word for it' },
      { command: 'git fetch', what: "brings colleagues' verdicts" },
    ],
  }),
  identify: ({ commit, cause }, setting) => {
    const what = `what ${short(commit)} requires cannot be read`;
    const [trouble = { failed: '', next: [] }] = gateTroubles(cause, setting);
    return { ...trouble, failed: trouble.failed === '' ? what : `${what}: ${trouble.failed}` };
  },
  git: ({ cause }, setting) => gitTrouble(cause, setting),
};

export const bisectTrouble = (error: Plain, setting: Setting): Trouble => troubleOf(words, error, setting);

/** Where it stopped on the way, what is known already is kept: the same command goes on from there. */
export function bisectTroubleLines(error: BisectError, setting: Setting): readonly string[] {
  switch (error.reason) {
    case 'waiting':
      return waitingLines(error.waiting, setting);
    case 'stopped':
      return stoppedLines(error.cause, setting);
    default:
      return troubleLines(bisectTrouble(error, setting), setting.style);
  }
}
