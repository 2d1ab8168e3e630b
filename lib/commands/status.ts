import type { Fingerprint, Oid } from '../base/ids.ts';
import { asJobId } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import type { RunStore } from '../cluster/run-store.ts';
import type { JobRef, JobStatus } from '../cluster/scheduler.ts';
import type { Config } from '../config/types.ts';
import type { GateContext } from '../gate/context.ts';
import { type PendingRun, pendingRuns } from '../gate/pending.ts';
import { readPipeline } from '../gate/pipeline.ts';
import type { PlaceError } from '../gate/place.ts';
import type { GitError } from '../git/errors.ts';
import { commitInfos, currentBranch, resolveCommit } from '../git/history.ts';
import { mainRemote } from '../git/local-settings.ts';
import { readNotes } from '../git/notes.ts';
import { hasUnpublished } from '../git/publish.ts';
import { type Note, parseNoteLine } from '../report/note-line.ts';

/** A run of this clone that nobody has judged yet. */
export interface OpenRun extends PendingRun {
  readonly subject?: string;
  /** What the scheduler says now; absent: it was not asked, or did not answer. */
  readonly status?: JobStatus;
}

export interface StatusReport {
  /** What is checked out; absent in a repository without a commit. */
  readonly head?: {
    readonly commit: Oid;
    readonly branch?: string;
    readonly subject: string;
    readonly notes: readonly Note[];
  };
  readonly runs: readonly OpenRun[];
  /** Places that could not be asked. */
  readonly silent: readonly PlaceError[];
  /** Reports that the remote does not have yet. */
  readonly unpublished: boolean;
}

/** `mlops status`: what is checked out and what goes on; one connection and one question for each place. */
export async function status(
  context: GateContext,
  { ask, branch }: { readonly ask: boolean /** The reports branch. */; readonly branch: string },
): Promise<Result<StatusReport, GitError>> {
  const { repo } = context;
  const head = await headOf(context);
  if (!head.ok) return head;
  const remote = await mainRemote(repo);
  const pending = pendingRuns(repo);
  const infos = await commitInfos(
    repo,
    pending.map(({ commit }) => commit),
    'skip',
  );
  if (!infos.ok) return infos;
  const { statuses, silent } = ask
    ? await askPlaces(context, pending)
    : { statuses: new Map<Fingerprint, JobStatus>(), silent: [] };
  return ok({
    ...(head.value === undefined ? {} : { head: head.value }),
    runs: pending.map((run) => {
      const subject = infos.value.get(run.commit)?.subject;
      const said = statuses.get(run.fingerprint);
      return { ...run, ...(subject === undefined ? {} : { subject }), ...(said === undefined ? {} : { status: said }) };
    }),
    silent,
    unpublished: remote.ok && remote.value !== undefined && (await hasUnpublished(repo, remote.value, branch)),
  });
}

async function headOf({ repo }: GateContext): Promise<Result<StatusReport['head'], GitError>> {
  const commit = await resolveCommit(repo, 'HEAD');
  if (!commit.ok) return ok(undefined);
  const branch = await currentBranch(repo);
  if (!branch.ok) return branch;
  const infos = await commitInfos(repo, [commit.value]);
  if (!infos.ok) return infos;
  const notes = await readNotes(repo, [commit.value]);
  if (!notes.ok) return notes;
  return ok({
    commit: commit.value,
    ...(branch.value === undefined ? {} : { branch: branch.value }),
    subject: infos.value.get(commit.value)?.subject ?? '',
    notes: (notes.value.get(commit.value) ?? []).flatMap((line) => parseNoteLine(line) ?? []),
  });
}

async function askPlaces(
  context: GateContext,
  pending: readonly PendingRun[],
): Promise<{ readonly statuses: ReadonlyMap<Fingerprint, JobStatus>; readonly silent: readonly PlaceError[] }> {
  const places = new Map<string, { readonly config: Config; readonly runs: PendingRun[] }>();
  for (const run of pending) {
    const pipeline = await readPipeline(context.repo, run.commit);
    if (!pipeline.ok) continue;
    const key = JSON.stringify(pipeline.value.cluster ?? null);
    const place = places.get(key) ?? { config: pipeline.value, runs: [] };
    place.runs.push(run);
    places.set(key, place);
  }
  const statuses = new Map<Fingerprint, JobStatus>();
  const silent: PlaceError[] = [];
  for (const { config, runs } of places.values()) {
    const connected = await context.placeFor(config).connect(context.signal);
    if (!connected.ok) {
      silent.push(connected.error);
      continue;
    }
    const { scheduler, runs: folders } = connected.value;
    const jobs = await Promise.all(runs.map((run) => jobOf(folders, run)));
    const asked = await scheduler.query(jobs.flatMap((job) => job ?? []));
    await connected.value.close();
    if (!asked.ok) {
      if (asked.error.reason === 'host') silent.push({ reason: 'host', cause: asked.error.cause });
      continue;
    }
    for (const [index, { fingerprint }] of runs.entries()) {
      const job = jobs[index];
      const said = job === undefined ? undefined : asked.value.get(job.id);
      if (said !== undefined) statuses.set(fingerprint, said);
    }
  }
  return { statuses, silent };
}

/** What the run's folder says where the client was gone before it knew. */
async function jobOf(folders: RunStore, { fingerprint, attempt, job, since }: PendingRun): Promise<JobRef | undefined> {
  if (job === undefined) {
    const looked = await folders.look(fingerprint);
    return looked.ok ? looked.value.at(-1)?.job : undefined;
  }
  return {
    id: asJobId(job),
    name: folders.jobName(fingerprint, attempt),
    // The job may have been there before it was found; a day more, since the clocks are two.
    submittedAt: Math.floor(Date.parse(since) / 1000) - 7 * 86_400,
  };
}
