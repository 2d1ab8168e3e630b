import type { JobStatus } from '../../cluster/scheduler.ts';
import type { GateEvent } from '../../gate/events.ts';
import { formatBytes, formatDuration, formatMetric, plural, precisionFor } from '../../report/numbers.ts';
import { failureWords, spreadText } from '../../report/words.ts';
import type { Failure, FailureReason } from '../../verdict/types.ts';
import type { GateState, Upload } from './gate-state.ts';
import { queuedText, statusText, tasksText } from './job-status.ts';
import { joined, lead, said, under, widest, wrap } from './layout.ts';
import type { Clock } from './setting.ts';

/** `run 5b7e90d on login.hpc.example.edu · environment mlops ready · 1 file, 3 KB to send`. */
function plannedText({
  fingerprint,
  place,
  environment,
  files,
  bytes,
}: Extract<GateEvent, { readonly event: 'planned' }>): string {
  const { label, ready } = environment;
  return joined([
    `run ${fingerprint.slice(0, 7)} on ${said(place, 40)}`,
    label !== '' && `environment ${said(label, 30)} ${ready ? 'ready' : 'to be built'}`,
    files === 0 ? 'nothing to send' : `${plural(files, 'file')}, ${formatBytes(bytes)} to send`,
  ]);
}

export function plannedLines(
  planned: Extract<GateEvent, { readonly event: 'planned' }>,
  columns = widest,
): readonly string[] {
  const [first = '', ...more] = wrap(plannedText(planned), Math.max(40, Math.min(widest, columns)) - 7);
  return [lead(first), ...more.map((line) => under(line))];
}

/** `45 % · 1.2 GB of 2.7 GB · 11 MB/s · 2:10 left`. The rate shows after the first seconds only. */
export function uploadText({ bytes, of, from, at }: Upload): string {
  const seconds = at - from.at;
  const rate = seconds >= 2 ? (bytes - from.bytes) / seconds : 0;
  return joined([
    `${percent(bytes, of)} %`,
    `${formatBytes(bytes)} of ${formatBytes(of)}`,
    rate > 0 && `${formatBytes(rate)}/s`,
    rate > 0 && bytes < of && `${formatDuration((of - bytes) / rate)} left`,
  ]);
}
export const percent = (part: number, whole: number): number =>
  whole <= 0 ? 100 : Math.max(0, Math.min(100, Math.floor((part / whole) * 100)));

export interface Cells {
  readonly step: number;
  readonly steps: number;
  readonly cell?: number;
  readonly cells?: number;
}
/** The job's own words, `step 1 of 2 cell 31 of 69`; undefined: it prepares or tidies up. */
export function cellsOf(line: string): Cells | undefined {
  const [, step, steps, cell, cells] = /^step (\d+) of (\d+)(?: cell (\d+) of (\d+))?/.exec(line) ?? [];
  if (step === undefined || steps === undefined) return undefined;
  return {
    step: Number(step),
    steps: Number(steps),
    ...(cell === undefined || cells === undefined ? {} : { cell: Number(cell), cells: Number(cells) }),
  };
}

/** `cell 31 of 69`: a single step needs no number. */
export const progressText = (line: string): string => said(line.replace(/^step 1 of 1(?:\s+|$)/, ''), 70);

/** `c117 · cell 31 of 69 · 0:42`; time goes on while nothing is heard. */
export function runningText(
  state: Pick<GateState, 'status' | 'progress'>,
  running: Extract<JobStatus, { readonly state: 'running' }> | undefined,
  now: number,
): string {
  const since = running === undefined ? undefined : running.elapsedSeconds + now - (state.status?.at ?? now);
  return joined([
    running !== undefined && said(running.node, 40),
    state.progress === undefined ? tasksText(running?.counts) : progressText(state.progress.line),
    since !== undefined && formatDuration(since),
  ]);
}

/** `rprec 0.395 ± 0.004 (3 seeds)`, of the tasks that have ended. */
export function partialText({ metrics }: Extract<GateEvent, { readonly event: 'partial' }>): string {
  const shown = Object.entries(metrics).slice(0, 3);
  const more = Object.keys(metrics).length - shown.length;
  return joined([
    ...shown.map(([name, { mean, sd, n }]) => {
      const precision = precisionFor([mean]);
      return `${said(name, 40)} ${formatMetric(mean, precision)}${n < 2 ? '' : ` ${spreadText(n, sd, precision)}`}`;
    }),
    more > 0 && `${more} more`,
  ]);
}

/** What is said of a job in one line, label and text. */
export function jobLine(state: GateState, clock: Clock): readonly [label: string, text: string] | undefined {
  const { job, status, progress } = state;
  if (job === undefined) return undefined;
  const known = status?.status;
  // The job's own files are often ahead of the scheduler; but a job that is queued since has been put back.
  const begun = progress !== undefined && (status === undefined || progress.at >= status.at);
  if (known?.state === 'running' || (begun && (known === undefined || known.state === 'queued')))
    return ['running', runningText(state, known?.state === 'running' ? known : undefined, clock.now)];
  const name = `job ${said(job.id, 40)}`;
  if (known === undefined)
    return ['job', joined([said(job.id, 40), job.attached ? 'found: it is there already' : 'submitted'])];
  if (known.state === 'queued') return ['queued', joined([name, queuedText(known, clock)])];
  if (known.state === 'ended') return ['ended', joined([name, said(known.word, 40), endedAfter(known)])];
  return ['job', joined([said(job.id, 40), statusText(known, clock)])];
}

const endedAfter = ({ elapsedSeconds }: Extract<JobStatus, { readonly state: 'ended' }>): string | undefined =>
  elapsedSeconds === undefined ? undefined : formatDuration(elapsedSeconds);

/** A reason alone, as a sentence's part: `out of memory`. */
export function reasonWords(reason: FailureReason): string {
  const failure: Failure = { side: 'infrastructure', reason, detail: '' };
  return failureWords[reason](failure);
}
