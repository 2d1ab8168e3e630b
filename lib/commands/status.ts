import type { Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import type { JobStatus } from '../cluster/scheduler.ts';
import type { GateContext } from '../gate/context.ts';
import { type PendingRun, pendingRuns } from '../gate/pending.ts';
import type { PlaceError } from '../gate/place.ts';
import type { GitError } from '../git/errors.ts';
import { commitInfos, currentBranch, resolveCommit } from '../git/history.ts';
import { mainRemote } from '../git/local-settings.ts';
import { readNotes } from '../git/notes.ts';
import { hasUnpublished } from '../git/publish.ts';
import { type Note, parseNoteLine } from '../report/note-line.ts';
import { askPlaces, nothingAsked, type OtherRun } from './ask-places.ts';

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
  /** What else goes on where this clone's runs are, and where those of the commit that is checked out would be. */
  readonly others: readonly OtherRun[];
  /** Places that could not be asked. */
  readonly silent: readonly PlaceError[];
  /** Reports that the remote does not have yet. */
  readonly unpublished: boolean;
}

/** `mlops status`: what is checked out and what goes on, in this clone and in others; one connection and one question for each place. */
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
  const { statuses, others, silent } = ask ? await askPlaces(context, pending, head.value?.commit) : nothingAsked;
  return ok({
    ...(head.value === undefined ? {} : { head: head.value }),
    runs: pending.map((run) => {
      const subject = infos.value.get(run.commit)?.subject;
      const said = statuses.get(run);
      return { ...run, ...(subject === undefined ? {} : { subject }), ...(said === undefined ? {} : { status: said }) };
    }),
    others,
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
