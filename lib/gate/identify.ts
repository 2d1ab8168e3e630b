import type { Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Config } from '../config/types.ts';
import { compareData, type DataComparison, isSameData } from '../fingerprint/compare-data.ts';
import type { FingerprintError } from '../fingerprint/errors.ts';
import { fingerprintCommit } from '../fingerprint/fingerprint-commit.ts';
import { readRecord, recordCommit } from '../fingerprint/records.ts';
import type { CommitRecord, DataFile, Fingerprinted } from '../fingerprint/types.ts';
import { identity } from '../git/history.ts';
import type { Repository } from '../git/repository.ts';
import { type GateContext, nowNs } from './context.ts';
import { type PipelineError, readPipeline } from './pipeline.ts';

export interface Identified extends Fingerprinted {
  readonly commit: Oid;
  readonly config: Config;
  /** Absent: the data was hashed just now, because nothing had been recorded for this commit. */
  readonly record?: CommitRecord;
}

export type IdentifyError =
  | { readonly reason: 'pipeline'; readonly cause: PipelineError }
  | { readonly reason: 'fingerprint'; readonly cause: FingerprintError };

type Clock = Pick<GateContext, 'repo' | 'now' | 'signal' | 'emit'>;

/** What a commit is: by its record where post-commit made one, else by the worktree's data as it is now, which is then recorded. */
export async function identify(context: Clock, commit: Oid): Promise<Result<Identified, IdentifyError>> {
  const pipeline = await readPipeline(context.repo, commit);
  if (!pipeline.ok) return err({ reason: 'pipeline', cause: pipeline.error });
  const config = pipeline.value;
  const record = readRecord(context.repo, commit);
  if (record.ok) {
    const known = await fingerprint(context, commit, config, record.value);
    if (known.ok) return ok({ ...known.value, commit, config, record: record.value });
    // The record is of another config: a personal setting has changed what counts as data. Then it is hashed again.
    if (known.error.reason !== 'not-recorded') return err({ reason: 'fingerprint', cause: known.error });
  }
  const hashed = await fingerprint(context, commit, config, undefined);
  if (!hashed.ok) return err({ reason: 'fingerprint', cause: hashed.error });
  // Without a record the next call hashes again: slower, and nothing else.
  recordCommit(context.repo, commit, hashed.value, context.now(), await whoAmI(context.repo));
  return ok({ ...hashed.value, commit, config });
}

function fingerprint(context: Clock, commit: Oid, config: Config, record: CommitRecord | undefined) {
  return fingerprintCommit({
    repository: context.repo,
    commit,
    config,
    data: record === undefined ? 'worktree' : { recorded: record.data },
    nowNs: () => nowNs(context),
    signal: context.signal,
    onProgress: ({ ofFiles, ofBytes }) => context.emit({ event: 'hashing', files: ofFiles, bytes: ofBytes }),
  });
}

export async function whoAmI(repo: Repository): Promise<string> {
  const who = await identity(repo);
  return who.ok && who.value !== undefined ? `${who.value.name} <${who.value.email}>` : 'unknown';
}

export interface DataNow {
  /** By path of the recorded data: where the content is on this machine now. */
  readonly sources: ReadonlyMap<string, NonNullable<DataFile['source']>>;
  /** What keeps the worktree from being what was recorded. */
  readonly difference?: DataComparison;
}

/**
 * Where the recorded content is now. Data that has changed since is no error yet: its old content may already be where the job runs
 * (then the run goes on), and only otherwise is the push refused.
 */
export async function locateData(context: Clock, identified: Identified): Promise<Result<DataNow, FingerprintError>> {
  const recorded = Object.values(identified.data).flat();
  const now =
    identified.record === undefined
      ? ok(identified)
      : await fingerprint(context, identified.commit, identified.config, undefined);
  // Data that is not here at all (another clone) is found by its content on the cluster, or named later.
  const current = now.ok ? Object.values(now.value.data).flat() : [];
  if (!now.ok && now.error.reason !== 'no-match' && now.error.reason !== 'broken-link') return now;
  const byContent = new Map(current.flatMap((file) => (file.source === undefined ? [] : [[file.sha256, file.source]])));
  const sources = new Map(
    recorded.flatMap((file) => {
      const source = byContent.get(file.sha256) ?? file.source;
      return source === undefined ? [] : [[file.path, source] as const];
    }),
  );
  const difference = compareData(recorded, current);
  return ok({ sources, ...(isSameData(difference) ? {} : { difference }) });
}
