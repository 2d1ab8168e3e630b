import { type Fingerprint, type Oid, short } from '../../base/ids.ts';
import type { GitError } from '../../git/errors.ts';
import type { TreeError } from '../../git/tree.ts';
import { plural } from '../../report/numbers.ts';
import { treeTrouble } from './git-trouble.ts';
import { ignoredWords } from './ignored-report.ts';
import { said, word } from './layout.ts';
import type { Setting } from './setting.ts';
import { type Trouble, troubleOf, type Words } from './trouble.ts';

interface Ignored {
  readonly path: string;
  readonly why: string;
}

/** Why `mlops show` has nothing to show. */
export type ShowProblem =
  | { readonly reason: 'unknown-target'; readonly target: string }
  | { readonly reason: 'ambiguous-run'; readonly target: string; readonly candidates: readonly Fingerprint[] }
  | {
      readonly reason: 'no-report';
      readonly commit: Oid;
      readonly notes: readonly string[];
      readonly ignored: readonly Ignored[];
      readonly branch: string;
    }
  | {
      readonly reason: 'no-report-yet';
      readonly head: Oid;
      readonly searched: number;
      readonly ignored: readonly Ignored[];
    }
  | { readonly reason: 'run-not-readable'; readonly fingerprint: Fingerprint; readonly ignored: readonly Ignored[] }
  | { readonly reason: 'git'; readonly cause: GitError | TreeError };

const most = 8;
const some = (texts: readonly string[], columns = 88): readonly string[] => {
  const more = texts.length - most;
  return [...texts.slice(0, most).map((text) => said(text, columns)), ...(more > 0 ? [`and ${more} more`] : [])];
};
const left = (ignored: readonly Ignored[]): readonly string[] =>
  ignored.length === 0
    ? []
    : ['not believed, and left out:', ...some(ignored.map(({ path, why }) => `${ignoredWords(why)}: ${path}`))];

function noReport(notes: readonly string[], ignored: readonly Ignored[]): string {
  if (ignored.length > 0) return 'was judged, and its report cannot be believed';
  return notes.length > 0
    ? 'was judged, and its report is not in this clone'
    : 'has no report: it was not judged, as far as is known here';
}

const trains = { command: 'mlops run', what: 'trains and judges it' };

const words: Words<ShowProblem> = {
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
  git: ({ cause }, setting) => treeTrouble(cause, setting),
};

export const showTrouble = (error: ShowProblem, setting: Setting): Trouble => troubleOf(words, error, setting);
