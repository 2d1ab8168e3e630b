import { short } from '../../base/ids.ts';
import type { IgnoredReport, ShowError } from '../../commands/show.ts';
import { formatLocalTime } from '../../report/local-time.ts';
import { plural } from '../../report/numbers.ts';
import type { Report } from '../../report/types.ts';
import { treeTrouble } from './git-trouble.ts';
import { ignoredWords } from './ignored-report.ts';
import { columns, said, word } from './layout.ts';
import type { Setting } from './setting.ts';
import { type Trouble, troubleOf, type Words } from './trouble.ts';

const most = 8;
const some = (texts: readonly string[], columns = 88): readonly string[] => {
  const more = texts.length - most;
  return [...texts.slice(0, most).map((text) => said(text, columns)), ...(more > 0 ? [`and ${more} more`] : [])];
};
const left = (ignored: readonly IgnoredReport[]): readonly string[] =>
  ignored.length === 0
    ? []
    : ['not believed, and left out:', ...some(ignored.map(({ path, why }) => `${ignoredWords(why)}: ${path}`))];

function noReport(notes: readonly string[], ignored: readonly IgnoredReport[]): string {
  if (ignored.length > 0) return 'was judged, and its report cannot be believed';
  return notes.length > 0
    ? 'was judged, and its report is not in this clone'
    : 'has no report: it was not judged, as far as is known here';
}

const trains = { command: 'mlops run', what: 'trains and judges it' };

const words: Words<ShowError> = {
  'unknown-target': ({ target }) => ({
    failed: `${said(target, 60)} is neither a commit nor a run that is known here`,
    next: [
      { command: 'mlops log', what: 'lists what was judged' },
      { command: 'git fetch', what: "brings colleagues' commits and verdicts" },
    ],
  }),
  'ambiguous-run': ({ target, candidates }) => ({
    failed: `${said(target, 60)} is the beginning of ${plural(candidates.length, 'run')}`,
    list: some(candidates.map((run) => run.slice(0, 16))),
    next: candidates
      .slice(0, 1)
      .map((run) => ({ command: `mlops show ${run.slice(0, 16)}`, what: 'with more digits' })),
  }),
  'no-report': ({ commit, notes, ignored, branch }) => ({
    failed: `${short(commit)} ${noReport(notes, ignored)}`,
    list: [...some(notes), ...left(ignored)],
    next: [
      ...(notes.length > 0 && ignored.length === 0
        ? [{ command: `git fetch origin ${word(branch)}`, what: 'brings the reports' }]
        : [{ ...trains, command: `mlops run ${short(commit)}` }]),
      { command: 'mlops log', what: 'lists what was judged' },
    ],
  }),
  'no-report-yet': ({ head, searched, ignored }) => ({
    failed: `neither ${short(head)} nor one of the ${plural(Math.max(0, searched - 1), 'commit')} before it has a report`,
    list: left(ignored),
    next: [trains, { command: 'git fetch', what: "brings colleagues' verdicts" }],
  }),
  'run-not-readable': ({ fingerprint, ignored }) => ({
    failed: `run ${short(fingerprint)} has reports, and none of them can be believed`,
    list: left(ignored),
    means: 'They may be of a newer version, or changed by hand.',
    next: [{ command: 'mlops run --again', what: 'trains the commit anew' }],
  }),
  pruned: ({ commit, notes, pruned }, { clock }) => {
    const [newest] = pruned;
    const rows = pruned
      .slice(0, most)
      .map(({ fingerprint, id, prunedAt }) => [
        `run ${short(fingerprint)}`,
        id,
        prunedAt === undefined ? '' : `pruned ${formatLocalTime(prunedAt, clock.now, clock.timeZone)}`,
      ]);
    return {
      failed: `${pruned.length === 1 ? 'the report' : `${pruned.length} reports`} on it ${pruned.length === 1 ? 'was' : 'were'} pruned (mlops gc --reports)`,
      list: [...some(notes), ...columns(rows)],
      means: 'The history of the reports branch still has it, and what the note says holds.',
      next: [
        ...(newest === undefined
          ? []
          : [{ command: `git show ${short(newest.tip)}:${newest.folder}/report.md`, what: 'shows it' }]),
        ...(commit === undefined ? [] : [{ ...trains, command: `mlops run ${short(commit)}` }]),
      ],
    };
  },
  git: ({ cause }, setting) => treeTrouble(cause, setting),
};

export const showTrouble = (error: ShowError, setting: Setting): Trouble => troubleOf(words, error, setting);

/** `mlops show --plot` of a run of which there is nothing to draw. */
export const withoutCurves = ({ commit }: Pick<Report, 'commit'>): Trouble => ({
  failed: `the run of ${short(commit)} has no curves`,
  means:
    'A step asks for them: `curves: { loss: min }` beside a metric `loss` whose value is a list, or a column of a CSV file.',
  next: [{ command: 'mlops log --metric NAME --plot', what: 'draws a metric over the commits' }],
});
