import { type Fingerprint, type Oid, short } from '../../base/ids.ts';
import { unreachable } from '../../base/unreachable.ts';
import type { JobStatus } from '../../cluster/scheduler.ts';
import type { PlaceError } from '../../gate/place.ts';
import { formatLocalTime } from '../../report/local-time.ts';
import type { Note } from '../../report/note-line.ts';
import { plural } from '../../report/numbers.ts';
import { runningText } from './gate-words.ts';
import { placeTrouble } from './host-trouble.ts';
import { queuedText, statusText } from './job-status.ts';
import { clip, joined, lead, paragraph, said, under, widest } from './layout.ts';
import type { Setting } from './setting.ts';
import { type Next, nextLines, troubleLines } from './trouble.ts';
import { colours } from './verdict.ts';

/** A run that nobody has judged yet. */
export interface OpenRun {
  readonly commit: Oid;
  readonly subject?: string;
  readonly branch?: string;
  readonly fingerprint: Fingerprint;
  readonly place: string;
  /** Absent: whoever submitted it was gone before its id was known. */
  readonly job?: string;
  readonly attempt: number;
  /** ISO 8601: since when it is known. */
  readonly since?: string;
  /** What the scheduler says now; absent: it was not asked, or did not answer. */
  readonly status?: JobStatus;
  /** The job's own line. */
  readonly progress?: string;
}

/** A run of another clone. */
export interface OtherRun {
  /** The first digits of its fingerprint. */
  readonly run: string;
  readonly attempt: number;
  readonly place: string;
  readonly job: string;
  readonly user?: string;
  readonly status: JobStatus;
}

export interface StatusFacts {
  /** What is checked out; absent in a repository without a commit. */
  readonly head?: {
    readonly commit: Oid;
    readonly branch?: string;
    readonly subject: string;
    readonly notes: readonly Note[];
  };
  readonly runs: readonly OpenRun[];
  readonly others: readonly OtherRun[];
  /** Places that could not be asked. */
  readonly silent: readonly PlaceError[];
  /** Reports that the remote does not have yet. */
  readonly unpublished?: boolean;
}

/** `mlops status`: what is checked out, and what goes on. */
export function statusLines(
  { head, runs, others, silent, unpublished }: StatusFacts,
  setting: Setting,
): readonly string[] {
  const { style } = setting;
  const ended = runs.some(({ status }) => status?.state === 'ended' || status?.state === 'absent');
  const next: readonly Next[] = [
    ...(ended ? [{ command: 'mlops sync', what: 'judges what has ended' }] : []),
    ...(runs.length > 0 && !ended ? [{ command: 'mlops attach', what: 'waits for a run' }] : []),
    ...(runs.length > 0 ? [{ command: 'mlops cancel', what: 'ends a job' }] : []),
  ];
  return [
    ...headLines(head, setting),
    runs.length === 0 ? under('no run goes on') : under(`${plural(runs.length, 'run')} without a verdict`),
    ...runs.flatMap((run) => runLines(run, setting)),
    ...(others.length === 0 ? [] : [under(`${plural(others.length, 'run')} of other clones`)]),
    ...others.flatMap((run) => otherLines(run, setting)),
    ...(unpublished === true
      ? paragraph('reports', ['some are only here: the next push publishes them'], style.yellow)
      : []),
    ...nextLines(next, style),
    ...silent.flatMap((error) => troubleLines(placeTrouble(error, setting), style)),
  ];
}

function headLines(head: StatusFacts['head'], { style }: Setting): readonly string[] {
  if (head === undefined) return [lead('no commit yet')];
  const { commit, branch, subject, notes } = head;
  const verdict =
    notes.length === 0 ? 'no verdict' : notes.map(({ outcome }) => style[colours[outcome]](outcome)).join(', ');
  const name = `${short(commit)}${branch === undefined ? '' : ` on ${said(branch, 30)}`}`;
  return [clip(lead(joined([name, verdict, said(subject, 50)])), widest)];
}

function runLines(run: OpenRun, setting: Setting): readonly string[] {
  const { clock } = setting;
  const since = run.since === undefined ? Number.NaN : Date.parse(run.since) / 1000;
  const text = joined([
    `run ${short(run.fingerprint)} of ${short(run.commit)}${run.branch === undefined ? '' : ` on ${said(run.branch, 30)}`}`,
    run.subject === undefined ? '' : said(run.subject, 50),
  ]);
  const [label, state] = stateOf(run, setting);
  return [
    ...paragraph(label, [text]),
    ...paragraph('', [
      joined([
        state,
        run.job === undefined ? `on ${said(run.place, 40)}` : `job ${said(run.job, 40)} on ${said(run.place, 40)}`,
        run.attempt > 1 && `attempt ${run.attempt}`,
        !Number.isNaN(since) && `since ${formatLocalTime(since, clock.now, clock.timeZone)}`,
      ]),
    ]),
  ];
}

function otherLines(run: OtherRun, setting: Setting): readonly string[] {
  const [label, state] = stateOf(run, setting);
  return [
    ...paragraph(label, [
      `run ${said(run.run.slice(0, 7), 7)}${run.user === undefined ? '' : ` of ${said(run.user, 30)}`}`,
    ]),
    ...paragraph('', [
      joined([
        state,
        `job ${said(run.job, 40)} on ${said(run.place, 40)}`,
        run.attempt > 1 && `attempt ${run.attempt}`,
      ]),
    ]),
  ];
}

function stateOf(
  { status, progress }: Pick<OpenRun, 'status' | 'progress'>,
  { clock }: Setting,
): readonly [label: string, text: string] {
  if (status === undefined) return ['unknown', 'could not be asked'];
  const line = progress === undefined ? {} : { progress: { line: progress, at: clock.now } };
  switch (status.state) {
    case 'running':
      return ['running', runningText({ status: { status, at: clock.now }, ...line }, status, clock.now)];
    case 'queued':
      return ['queued', queuedText(status, clock)];
    case 'ended':
      return ['ended', said(status.word, 40)];
    case 'absent':
      return ['gone', statusText(status, clock)];
    case 'unknown':
      return ['unknown', statusText(status, clock)];
    default:
      return unreachable(status);
  }
}
