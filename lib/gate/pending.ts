import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { asFingerprint, asOid, type Fingerprint, isFingerprint, isOid, type Oid } from '../base/ids.ts';
import { writeWhole } from '../fingerprint/state-file.ts';
import type { Repository } from '../git/repository.ts';
import type { WaitingOutcome } from './outcome.ts';

/** A run of this clone that went on when nobody waited for it any more: its verdict is still to be fetched. */
export interface PendingRun {
  readonly version: 1;
  readonly commit: Oid;
  readonly fingerprint: Fingerprint;
  readonly place: string;
  readonly job: string;
  readonly attempt: number;
  readonly branch?: string;
  readonly remote?: string;
  /** The reports branch. */
  readonly reports: string;
  /** ISO 8601. */
  readonly since: string;
}

const folderOf = ({ stateDir }: Pick<Repository, 'stateDir'>): string => join(stateDir, 'pending');
const pathOf = (repo: Pick<Repository, 'stateDir'>, commit: Oid): string => join(folderOf(repo), `${commit}.json`);

export function notePending(
  repo: Pick<Repository, 'stateDir'>,
  { commit, fingerprint, place, job, attempt }: WaitingOutcome,
  to: { readonly branch: string | undefined; readonly remote: string | undefined; readonly reports: string },
  now: Date,
): void {
  const { branch, remote, reports } = to;
  const run: PendingRun = {
    version: 1,
    commit,
    fingerprint,
    place,
    job,
    attempt,
    ...(branch === undefined ? {} : { branch }),
    ...(remote === undefined ? {} : { remote }),
    reports,
    since: now.toISOString(),
  };
  writeWhole(pathOf(repo, commit), `${JSON.stringify(run)}\n`);
}

export function forgetPending(repo: Pick<Repository, 'stateDir'>, commit: Oid): void {
  rmSync(pathOf(repo, commit), { force: true });
}

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
    .flatMap((name) => parse(readFileSync(join(folderOf(repo), name), 'utf8')))
    .sort((a, b) => (a.since < b.since ? -1 : 1));
}

function parse(text: string): readonly PendingRun[] {
  let value: Partial<PendingRun> | null;
  try {
    value = JSON.parse(text) as Partial<PendingRun> | null;
  } catch {
    return []; // cut off by a full disk
  }
  const { version, commit = '', fingerprint = '', place, job, attempt, reports, since } = value ?? {};
  if (version !== 1 || !isOid(commit) || !isFingerprint(fingerprint)) return [];
  if (typeof place !== 'string' || typeof job !== 'string' || typeof since !== 'string') return [];
  if (typeof attempt !== 'number' || typeof reports !== 'string') return [];
  return [{ ...(value as PendingRun), commit: asOid(commit), fingerprint: asFingerprint(fingerprint) }];
}
