import { asJobId, type JobId, type Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import { readTasks } from '../cluster/array-tasks.ts';
import { type NamedRun, readJobName } from '../cluster/job-name.ts';
import type { RunStore } from '../cluster/run-store.ts';
import type { JobRef, JobStatus, QueryError } from '../cluster/scheduler.ts';
import type { Config } from '../config/types.ts';
import type { GateContext } from '../gate/context.ts';
import type { PendingRun } from '../gate/pending.ts';
import { readPipeline } from '../gate/pipeline.ts';
import type { Connection, PlaceError } from '../gate/place.ts';

/** A run of another clone: the commit is known there. */
export interface OtherRun extends NamedRun {
  readonly place: string;
  readonly job: string;
  readonly user?: string;
  readonly status: JobStatus;
}

export interface Answers {
  /** What the scheduler says now; absent: it was not asked, or did not answer. */
  readonly statuses: ReadonlyMap<PendingRun, JobStatus>;
  readonly others: readonly OtherRun[];
  /** Places that could not be asked. */
  readonly silent: readonly PlaceError[];
}

export const nothingAsked: Answers = { statuses: new Map(), others: [], silent: [] };

/** Where these runs are, and where those of `head` would be: one connection for each place, and one question for all that goes on there. */
export async function askPlaces(context: GateContext, pending: readonly PendingRun[], head?: Oid): Promise<Answers> {
  const places = new Map<string, { readonly config: Config; readonly runs: PendingRun[] }>();
  for (const run of [...pending, ...(head === undefined ? [] : [{ commit: head }])]) {
    const pipeline = await readPipeline(context.repo, run.commit);
    if (!pipeline.ok) continue;
    const key = JSON.stringify(pipeline.value.cluster ?? null);
    const place = places.get(key) ?? { config: pipeline.value, runs: [] };
    if ('fingerprint' in run) place.runs.push(run);
    places.set(key, place);
  }
  const answers = { statuses: new Map<PendingRun, JobStatus>(), others: [] as OtherRun[], silent: [] as PlaceError[] };
  for (const { config, runs } of places.values()) {
    const place = context.placeFor(config);
    const connected = await place.connect(context.signal);
    if (!connected.ok) {
      answers.silent.push(connected.error);
      continue;
    }
    const whose = config.cluster?.group === undefined ? 'own' : 'everyone';
    const asked = await askPlace(connected.value, place.name, whose, runs, answers);
    await connected.value.close();
    if (!asked.ok && asked.error.reason === 'host') answers.silent.push({ reason: 'host', cause: asked.error.cause });
  }
  return answers;
}

/** One question for all that goes on, and one for all of this clone's runs that do not any more. */
async function askPlace(
  { scheduler, runs: folders, workdir }: Connection,
  place: string,
  whose: 'own' | 'everyone',
  runs: readonly PendingRun[],
  { statuses, others }: { readonly statuses: Map<PendingRun, JobStatus>; readonly others: OtherRun[] },
): Promise<Result<void, QueryError>> {
  const live = await scheduler.live(`${workdir}/runs`, whose);
  if (!live.ok) return live;
  const ours = new Set<JobId>();
  const rest: { readonly run: PendingRun; readonly job: JobRef }[] = [];
  for (const run of runs) {
    const job = await jobOf(folders, run);
    if (job === undefined) continue;
    const found = live.value.find((one) => one.job.id === job.id && one.job.name === job.name);
    // Of an array squeue has the tasks that go on, and not how many there were.
    if (found === undefined || job.tasks !== undefined) rest.push({ run, job });
    else statuses.set(run, found.status);
    ours.add(job.id);
  }
  for (const { job, user, status } of live.value) {
    const named = readJobName(job.name);
    if (named === undefined || ours.has(job.id)) continue;
    others.push({ ...named, place, job: job.id, status, ...(user === undefined ? {} : { user }) });
  }
  const asked = await scheduler.query(rest.map(({ job }) => job));
  if (!asked.ok) return asked;
  for (const { run, job } of rest) {
    const said = asked.value.get(job.id);
    if (said !== undefined) statuses.set(run, said);
  }
  return ok(undefined);
}

/** What the run's folder says where the client was gone before it knew. */
async function jobOf(
  folders: RunStore,
  { fingerprint, attempt, job, tasks, since }: PendingRun,
): Promise<JobRef | undefined> {
  if (job === undefined) {
    const looked = await folders.look(fingerprint);
    return looked.ok ? looked.value.at(-1)?.job : undefined;
  }
  return {
    id: asJobId(job),
    name: folders.jobName(fingerprint, attempt),
    // The job may have been there before it was found; a day more, since the clocks are two.
    submittedAt: Math.floor(Date.parse(since) / 1000) - 7 * 86_400,
    ...(tasks === undefined ? {} : { tasks: readTasks(tasks) }),
  };
}
