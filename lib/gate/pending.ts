import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { asFingerprint, asOid, type Fingerprint, isFingerprint, isOid, type Oid } from '../base/ids.ts';
import { writeTasks } from '../cluster/array-tasks.ts';
import type { JobRef } from '../cluster/scheduler.ts';
import { writeWhole } from '../fingerprint/state-file.ts';
import type { Repository } from '../git/repository.ts';
import type { RunResult } from '../verdict/types.ts';

/** A run of this clone without a verdict: whoever waits for it may be killed at any time, and then the verdict is still to be fetched. */
export interface PendingRun {
  readonly version: 1;
  readonly commit: Oid;
  readonly fingerprint: Fingerprint;
  readonly place: string;
  /** Absent: it was about to be submitted, and what came of it shows the run's folder. */
  readonly job?: string;
  /** The job is an array of these tasks, `1-20`. */
  readonly tasks?: string;
  readonly attempt: number;
  readonly branch?: string;
  readonly remote?: string;
  /** The reports branch. */
  readonly reports: string;
  /** It was started although a verdict may be known: only its own result is what is waited for. */
  readonly again?: true;
  /** When it was submitted, or found. ISO 8601. */
  readonly since: string;
}

const folderOf = ({ stateDir }: Pick<Repository, 'stateDir'>): string => join(stateDir, 'pending');
const pathOf = (repo: Pick<Repository, 'stateDir'>, commit: Oid): string => join(folderOf(repo), `${commit}.json`);

/** Written before the job is there, and again when its id is known. */
export function notePending(
  repo: Pick<Repository, 'stateDir'>,
  run: Pick<PendingRun, 'commit' | 'fingerprint' | 'place' | 'attempt' | 'reports'> & {
    readonly job: JobRef | undefined;
    readonly branch: string | undefined;
    readonly remote: string | undefined;
    readonly again: boolean;
  },
  now: Date,
): void {
  const { commit, fingerprint, place, job, attempt, branch, remote, reports } = run;
  const noted = pendingRun(repo, run);
  const before = noted?.attempt === attempt ? noted : undefined;
  const pending: PendingRun = {
    version: 1,
    commit,
    fingerprint,
    place,
    ...(job === undefined ? {} : { job: job.id }),
    ...(job?.tasks === undefined ? {} : { tasks: writeTasks(job.tasks) }),
    attempt,
    ...(branch === undefined ? {} : { branch }),
    ...(remote === undefined ? {} : { remote }),
    reports,
    ...(run.again || before?.again === true ? { again: true } : {}),
    // Who comes back to it later has not submitted it then (supersede.ts goes by the order).
    since: before?.since ?? now.toISOString(),
  };
  writeWhole(pathOf(repo, commit), `${JSON.stringify(pending)}\n`);
}

export function forgetPending(repo: Pick<Repository, 'stateDir'>, commit: Oid): void {
  rmSync(pathOf(repo, commit), { force: true });
}

/** Whether what is waited for has come with this result: any of the same fingerprint, of a run that was started `again` only its own. */
export const isAnswered = (
  { again, attempt, place }: PendingRun,
  result: Pick<RunResult, 'attempt' | 'place'> | undefined,
): boolean => again !== true || (result?.attempt === attempt && result.place.cluster === place);

/** The commit's run that is waited for. */
export const pendingRun = (
  repo: Pick<Repository, 'stateDir'>,
  { commit, fingerprint }: Pick<PendingRun, 'commit' | 'fingerprint'>,
): PendingRun | undefined => parse(readIfThere(pathOf(repo, commit))).find((run) => run.fingerprint === fingerprint);

/** Oldest first. A file that cannot be read is no run: the next push of that commit finds its job all the same. */
export function pendingRuns(repo: Pick<Repository, 'stateDir'>): readonly PendingRun[] {
  let names: readonly string[];
  try {
    names = readdirSync(folderOf(repo));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
  return names
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => parse(readIfThere(join(folderOf(repo), name))))
    .sort((a, b) => (a.since < b.since ? -1 : 1));
}

/** Another process may have fetched the verdict in between. */
function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

function parse(text: string): readonly PendingRun[] {
  let value: Partial<PendingRun> | null;
  try {
    value = JSON.parse(text) as Partial<PendingRun> | null;
  } catch {
    return []; // cut off by a full disk
  }
  const { version, commit = '', fingerprint = '', place, job, tasks, attempt, reports, since } = value ?? {};
  if (version !== 1 || !isOid(commit) || !isFingerprint(fingerprint)) return [];
  if (typeof place !== 'string' || typeof since !== 'string') return [];
  if (typeof attempt !== 'number' || typeof reports !== 'string') return [];
  if (job !== undefined && typeof job !== 'string') return [];
  if (tasks !== undefined && typeof tasks !== 'string') return [];
  return [{ ...(value as PendingRun), commit: asOid(commit), fingerprint: asFingerprint(fingerprint) }];
}
