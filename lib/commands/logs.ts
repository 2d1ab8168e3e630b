import { setTimeout as sleep } from 'node:timers/promises';
import { err, ok, type Result } from '../base/result.ts';
import type { GateContext } from '../gate/context.ts';
import { type FollowEnd, follow } from '../gate/follow.ts';
import type { Identified } from '../gate/identify.ts';
import { reportsOf } from '../gate/known.ts';
import type { GateError } from '../gate/outcome.ts';
import type { PlaceError } from '../gate/place.ts';
import type { Session } from '../gate/reconnect.ts';
import type { Following } from '../gate/run-ears.ts';
import type { Report } from '../report/types.ts';

export interface LogsOptions {
  /** Until the job has ended. */
  readonly follow: boolean;
  /** Of a run with tasks: this one's alone. */
  readonly task?: number;
  readonly write: (piece: Buffer | string) => void;
  /** So many bytes of a flood are passed over. */
  readonly passOver: (bytes: number) => void;
}

export type LogsEnd =
  | { readonly kind: 'shown'; readonly bytes: number; readonly attempt: number; readonly job?: string }
  /** Each task of an array has a log of its own: there is none to follow for all of them. */
  | { readonly kind: 'which-task'; readonly tasks: readonly number[] }
  | { readonly kind: 'followed'; readonly attempt: number; readonly job: string; readonly end: FollowEnd }
  /** Not where the job ran: the end of it, as the report has it. `unreached`: nobody could look there. */
  | { readonly kind: 'report'; readonly report: Report; readonly unreached?: PlaceError };

/** `mlops logs`: what the newest attempt of a commit's run has written, from where it runs or ran, else from its report. */
export async function logs(
  context: GateContext,
  identified: Identified,
  options: LogsOptions,
): Promise<Result<LogsEnd, GateError>> {
  const place = context.placeFor(identified.config);
  const connected = await place.connect(context.signal);
  if (!connected.ok) {
    const report = await lastReport(context, identified);
    return report === undefined || options.follow
      ? err({ reason: 'place', cause: connected.error })
      : ok({ kind: 'report', report, unreached: connected.error });
  }
  const session: Session = { place, connection: connected.value };
  try {
    return await logsThere(context, identified, session, options);
  } finally {
    await session.connection.close();
  }
}

async function logsThere(
  context: GateContext,
  identified: Identified,
  session: Session,
  options: LogsOptions,
): Promise<Result<LogsEnd, GateError>> {
  const { commit, fingerprint } = identified;
  const { runs } = session.connection;
  const place = session.place.name;
  for (;;) {
    const looked = await runs.look(fingerprint);
    if (!looked.ok) return err({ reason: 'runs', cause: looked.error, place });
    const last = looked.value.at(-1);
    if (last === undefined) {
      const report = await lastReport(context, identified);
      return report === undefined ? err({ reason: 'no-run', commit, fingerprint }) : ok({ kind: 'report', report });
    }
    const { attempt, job, finished, abandoned } = last;
    // Somebody submits it just now.
    if (options.follow && job === undefined && !abandoned && last.silentSeconds < 60) {
      if (context.signal.aborted) return err({ reason: 'aborted' });
      await sleep(1000);
      continue;
    }
    const { task } = options;
    const array = job?.tasks;
    if (options.follow && task === undefined && array !== undefined && !finished)
      return ok({ kind: 'which-task', tasks: array });
    const read = await runs.readLog(fingerprint, attempt, task, options.write, context.signal);
    if (!read.ok) return err({ reason: 'runs', cause: read.error, place });
    const isOver = finished || (task !== undefined && array?.includes(task) === false);
    if (!options.follow || job === undefined || isOver)
      return ok({ kind: 'shown', bytes: read.value, attempt, ...(job === undefined ? {} : { job: job.id }) });
    const only = task === undefined ? {} : { task };
    // What the others do is of no interest.
    const ofTask = task === undefined || array === undefined ? job : { ...job, tasks: [task] };
    const run = { attempt, job: ofTask, logFrom: read.value, ...only };
    const end = await followLog(context, identified, session, run, options);
    return ok({ kind: 'followed', attempt, job: job.id, end });
  }
}

/** The same following as a push's: it comes back to a lost connection, and knows the end of a job that left no last word. */
function followLog(
  context: GateContext,
  { fingerprint }: Identified,
  session: Session,
  run: Omit<Following, 'fingerprint'>,
  { write, passOver }: LogsOptions,
): Promise<FollowEnd> {
  return follow(
    session,
    { fingerprint, ...run },
    {
      signal: context.signal,
      holdUntil: undefined,
      now: () => context.now().getTime(),
      emit: (event) => {
        context.emit(event);
        if (event.event !== 'log') return;
        if (event.left > 0) passOver(event.left);
        write(event.text);
      },
    },
  );
}

async function lastReport(
  { repo, emit }: GateContext,
  { fingerprint, config }: Identified,
): Promise<Report | undefined> {
  const reports = await reportsOf({ repo, branch: config.reports, emit }, fingerprint);
  return reports.findLast(({ run, logTail }) => run !== undefined && logTail !== '');
}
