import type { Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Config } from '../config/types.ts';
import { compareData, type DataComparison, isSameData } from '../fingerprint/compare-data.ts';
import type { FingerprintError } from '../fingerprint/errors.ts';
import { type FingerprintContext, fingerprintCommit, isAbsent } from '../fingerprint/fingerprint-commit.ts';
import { readManifest } from '../fingerprint/manifests.ts';
import { readRecord, recordCommit } from '../fingerprint/records.ts';
import type { CommitRecord, DataFile, Fingerprinted } from '../fingerprint/types.ts';
import { identity } from '../git/history.ts';
import type { Repository } from '../git/repository.ts';
import { type GateContext, nowNs } from './context.ts';
import { type PipelineError, readPipeline } from './pipeline.ts';
import { bringManifests, inheritedData } from './recorded-data.ts';

export interface Identified extends Fingerprinted {
  readonly commit: Oid;
  readonly config: Config;
  /** Absent: the data was hashed just now, because nothing had been recorded for this commit. */
  readonly record?: CommitRecord;
  /** Entries of which nothing is here: their content is an ancestor's, by its hash. */
  readonly inherited: readonly string[];
}

export type IdentifyError =
  | { readonly reason: 'pipeline'; readonly cause: PipelineError }
  | { readonly reason: 'fingerprint'; readonly cause: FingerprintError };

type Clock = Pick<GateContext, 'repo' | 'now' | 'signal' | 'emit'>;

/**
 * What a commit is: by its record where post-commit made one, else by the worktree's data as it is now, which is then recorded. Of data
 * that is not here at all, what an ancestor had counts.
 */
export async function identify(context: Clock, commit: Oid): Promise<Result<Identified, IdentifyError>> {
  const pipeline = await readPipeline(context.repo, commit);
  if (!pipeline.ok) return err({ reason: 'pipeline', cause: pipeline.error });
  const config = pipeline.value;
  const record = readRecord(context.repo, commit);
  if (record.ok) {
    const known = await fingerprint(context, commit, config, { data: { recorded: record.value.data } });
    if (known.ok) return ok({ ...known.value, commit, config, record: record.value, inherited: [] });
    // The record is of another config: a personal setting has changed what counts as data. Then it is hashed again.
    if (known.error.reason !== 'not-recorded') return err({ reason: 'fingerprint', cause: known.error });
  }
  const who = whoAmI(context.repo);
  const hashed = await hash(context, commit, config, 'worktree');
  if (!hashed.ok) return err({ reason: 'fingerprint', cause: hashed.error });
  // Without a record the next call hashes again: slower, and nothing else.
  recordCommit(context.repo, commit, hashed.value, context.now(), await who);
  return ok(hashed.value);
}

/** What another commit was, without a look at the worktree: by its record, else by what its tree and its ancestors' records hold. */
export async function identifyPast(context: Clock, commit: Oid): Promise<Result<Identified, IdentifyError>> {
  const pipeline = await readPipeline(context.repo, commit);
  if (!pipeline.ok) return err({ reason: 'pipeline', cause: pipeline.error });
  const config = pipeline.value;
  const record = readRecord(context.repo, commit);
  if (record.ok) {
    const known = await fingerprint(context, commit, config, { data: { recorded: record.value.data } });
    if (known.ok) return ok({ ...known.value, commit, config, record: record.value, inherited: [] });
  }
  const found = await hash(context, commit, config, 'commit');
  return found.ok ? found : err({ reason: 'fingerprint', cause: found.error });
}

/** The environment of a commit as it is asked for: without its lock, which may be missing or old, and whatever its data is. */
export async function identifyUnlocked(context: Clock, commit: Oid): Promise<Result<Identified, IdentifyError>> {
  const pipeline = await readPipeline(context.repo, commit);
  if (!pipeline.ok) return err({ reason: 'pipeline', cause: pipeline.error });
  const { environment } = pipeline.value;
  const source = 'locks' in environment && environment.locks !== undefined ? environment.locks : environment;
  const found = await hash(context, commit, { ...pipeline.value, environment: source, data: [] }, 'commit');
  return found.ok ? found : err({ reason: 'fingerprint', cause: found.error });
}

async function hash(
  context: Clock,
  commit: Oid,
  config: Config,
  data: 'worktree' | 'commit',
): Promise<Result<Identified, FingerprintError>> {
  const alone = await fingerprint(context, commit, config, { data });
  if (alone.ok) return ok({ ...alone.value, commit, config, inherited: [] });
  if (!isAbsent(alone.error)) return alone;
  const inherited = await inheritedData({ ...context, branch: config.reports }, commit, config);
  const helped = await fingerprint(context, commit, config, { data, inherited });
  if (!helped.ok) return helped;
  const taken = Object.keys(inherited).filter((entry) => helped.value.inputs.data[entry] === inherited[entry]);
  return ok({ ...helped.value, commit, config, inherited: taken });
}

function fingerprint(
  context: Clock,
  commit: Oid,
  config: Config,
  data: Pick<FingerprintContext, 'data' | 'inherited'>,
): Promise<Result<Fingerprinted, FingerprintError>> {
  return fingerprintCommit({
    repository: context.repo,
    commit,
    config,
    ...data,
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
  /** The files behind the fingerprint, by entry: of the record, or the same as they are here. */
  readonly data: Readonly<Record<string, readonly DataFile[]>>;
  /** Entries of which only the hash is known: their manifest is neither here nor on the reports branch. */
  readonly unlisted: readonly string[];
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
  const { commit, config, inputs, record } = identified;
  const now =
    record === undefined
      ? ok(identified)
      : await fingerprint(context, commit, config, { data: 'worktree', inherited: inputs.data });
  if (!now.ok) return now;
  const here = now.value;
  // What is on the cluster already is never listed or sent: the job checks it there.
  const entries = Object.entries(inputs.data).filter(([entry]) => !Object.hasOwn(identified.pins ?? {}, entry));
  if (record !== undefined)
    await bringManifests(
      { ...context, branch: config.reports },
      entries.map(([, set]) => set),
    );
  const data: Record<string, readonly DataFile[]> = {};
  for (const [entry, { hash }] of entries) {
    const same = here.inputs.data[entry]?.hash === hash && Object.hasOwn(here.data, entry);
    const manifest = readManifest(context.repo.stateDir, hash);
    const files = same ? here.data[entry] : manifest.ok ? manifest.value : undefined;
    if (files !== undefined) data[entry] = files;
  }
  const recorded = Object.values(data).flat();
  const current = Object.values(here.data).flat();
  const byContent = new Map(current.flatMap((file) => (file.source === undefined ? [] : [[file.sha256, file.source]])));
  const sources = new Map(
    recorded.flatMap((file) => {
      const source = byContent.get(file.sha256) ?? file.source;
      return source === undefined ? [] : [[file.path, source] as const];
    }),
  );
  const difference = compareData(recorded, current);
  return ok({
    data,
    unlisted: entries.map(([entry]) => entry).filter((entry) => !Object.hasOwn(data, entry)),
    sources,
    ...(isSameData(difference) ? {} : { difference }),
  });
}
