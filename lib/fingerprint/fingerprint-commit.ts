import { lstatSync } from 'node:fs';
import { join } from 'node:path';
import type { Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Config } from '../config/types.ts';
import type { Repository } from '../git/repository.ts';
import { git } from '../git/spawn.ts';
import { COMPUTATION, chain, FORMAT, fingerprintOf } from './chain.ts';
import { dataPart } from './data.ts';
import { leavesTop, type PathEntry, pathEntries } from './data-entry.ts';
import { pinnedSet, readPins } from './data-lock.ts';
import type { DataError, FingerprintError, Progress, Work } from './errors.ts';
import { hasManifest, readManifest } from './manifests.ts';
import { StatCache } from './stat-cache.ts';
import { stepDefinition } from './steps.ts';
import { dvcPart, type TreePart, trackedPart, treePart } from './tree-part.ts';
import type { DataFile, DataSet, Fingerprinted, Pin } from './types.ts';

export interface FingerprintContext {
  readonly repository: Repository;
  readonly commit: Oid;
  readonly config: Config;
  /**
   * Hash the worktree's data now; take what the commit's tree holds of it; or take what a record says. The last two touch no file.
   */
  readonly data: 'worktree' | 'commit' | { readonly recorded: Readonly<Record<string, DataSet>> };
  /** For entries of which there is nothing here: what an ancestor had. A clone without the data knows it by its hash. */
  readonly inherited?: Readonly<Record<string, DataSet>>;
  /** Nanoseconds since 1970 by the system's clock: compared with the times of files. */
  readonly nowNs: () => bigint;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: Progress) => void;
}

export type FingerprintedNow = Fingerprinted & { readonly work: Work };

/** What determines the metrics of this commit, and its SHA-256: docs/fingerprint.md. */
export async function fingerprintCommit(
  context: FingerprintContext,
): Promise<Result<FingerprintedNow, FingerprintError>> {
  const { config, repository } = context;
  if (config.steps.length === 0) return err({ reason: 'no-steps' });
  const refused = refusedEntry(context);
  if (refused !== undefined) return err(refused);
  const pins = await readPins(repository, context.commit, config);
  if (!pins.ok) return pins;
  const work = { filesRead: 0, bytesRead: 0, blobsRead: 0, damaged: [] as string[] };
  const shared = {
    repository,
    commit: context.commit,
    config,
    entries: pathEntries(config, (path) => exists(repository.top, path)),
    ...(context.signal === undefined ? {} : { signal: context.signal }),
    onBlobRead: () => {
      work.blobsRead += 1;
    },
    onDamaged: (path: string) => {
      work.damaged.push(path);
    },
  };
  const indexed = indexedPaths(repository, context.data === 'worktree' ? shared.entries : []);
  const tree = await treePart(shared);
  if (!tree.ok) return tree;
  const data =
    typeof context.data === 'string'
      ? await presentData(context, shared, tree.value, indexed, work)
      : ok(recordedData(repository.stateDir, context.data.recorded, config));
  if (!data.ok) return data;
  const sets = inOrder(config, { ...data.value.sets, ...pinnedSets(pins.value) });
  const assembled = assemble(config, tree.value, { sets, files: data.value.files });
  return ok({ ...assembled, ...(Object.keys(pins.value).length === 0 ? {} : { pins: pins.value }), work });
}

interface Data {
  readonly sets: Readonly<Record<string, DataSet>>;
  readonly files: Readonly<Record<string, readonly DataFile[]>>;
}

function assemble(config: Config, tree: TreePart, data: Data): Fingerprinted {
  const setup = config.setup?.replaceAll('\r\n', '\n').trim();
  const inputs = chain({
    format: FORMAT,
    computation: COMPUTATION,
    code: tree.code,
    data: data.sets,
    environment: tree.environment,
    env: config.env,
    ...(setup === undefined || setup === '' ? {} : { setup }),
    steps: config.steps.map((step, index) => ({
      definition: stepDefinition(step),
      without: (tree.without[index] ?? []).filter((path) => path in tree.code),
    })),
  });
  const fingerprint = fingerprintOf(inputs);
  if (fingerprint === undefined) throw new Error('a chain without steps');
  return { fingerprint, inputs, data: data.files };
}

/** What no hashing can help. */
function refusedEntry({ config, data }: FingerprintContext): FingerprintError | undefined {
  for (const entry of config.data) {
    // The commit's own lock has it, whatever a record says.
    if (entry.kind === 'cluster') continue;
    const name = entry.path;
    if (typeof data === 'string') {
      if (leavesTop(name)) return { reason: 'outside', entry: name };
    } else if (!Object.hasOwn(data.recorded, name)) return { reason: 'not-recorded', entry: name };
  }
  return undefined;
}

/** As the config has them: a report without names knows entries by their order. */
const inOrder = ({ data }: Config, sets: Data['sets']): Data['sets'] =>
  Object.fromEntries(
    data.flatMap((entry) => {
      const name = entry.kind === 'path' ? entry.path : entry.as;
      const set = sets[name];
      return set === undefined ? [] : [[name, set] as const];
    }),
  );

const pinnedSets = (pins: Readonly<Record<string, Pin>>): Readonly<Record<string, DataSet>> =>
  Object.fromEntries(Object.entries(pins).map(([entry, pin]) => [entry, pinnedSet(pin)]));

const exists = (top: string | undefined, path: string): boolean =>
  top !== undefined && lstatSync(join(top, path), { throwIfNoEntry: false }) !== undefined;

interface Shared {
  readonly repository: Repository;
  readonly commit: Oid;
  readonly config: Config;
  readonly entries: readonly PathEntry[];
  readonly signal?: AbortSignal;
  readonly onBlobRead: () => void;
  readonly onDamaged: (path: string) => void;
}
type Counts = { filesRead: number; bytesRead: number; blobsRead: number; damaged: string[] };

/** What is here of the entries; of which there is nothing, an ancestor's may stand. */
async function presentData(
  context: FingerprintContext,
  shared: Shared,
  tree: TreePart,
  indexed: Promise<Indexed>,
  work: Counts,
): Promise<Result<Data, FingerprintError>> {
  const { config, repository, inherited = {} } = context;
  const taken: Record<string, DataSet> = {};
  for (let { entries } = shared; ; ) {
    const data = await hereData(context, { ...shared, entries }, tree, indexed, work);
    if (data.ok) {
      const others = recordedData(repository.stateDir, taken, config);
      return ok({ sets: { ...data.value.sets, ...others.sets }, files: merged(data.value.files, others.files) });
    }
    const absent = isAbsent(data.error) ? data.error.entry : '';
    const set = Object.hasOwn(inherited, absent) ? inherited[absent] : undefined;
    if (set === undefined) return data;
    taken[absent] = set;
    entries = entries.filter(({ name }) => name !== absent);
  }
}

/** Nothing of the entry is here, or not all: an ancestor may tell what it was. */
export const isAbsent = (
  error: FingerprintError,
): error is DataError & { readonly reason: 'no-match' | 'broken-link' | 'dvc-missing' } =>
  error.reason === 'no-match' || error.reason === 'broken-link' || error.reason === 'dvc-missing';

/** Files are made when asked for, and a spread would ask. */
function merged(here: Data['files'], others: Data['files']): Data['files'] {
  return Object.defineProperties({ ...others }, Object.getOwnPropertyDescriptors(here));
}

async function hereData(
  context: FingerprintContext,
  shared: Shared,
  tree: TreePart,
  indexed: Promise<Indexed>,
  work: Counts,
): Promise<Result<Data, FingerprintError>> {
  if (shared.entries.length === 0) return ok({ sets: {}, files: {} });
  const { repository, signal, onProgress } = context;
  const tracked = await trackedPart(shared, tree);
  if (!tracked.ok) return tracked;
  if (tracked.value === undefined) {
    return err({ reason: 'aborted', progress: { files: 0, ofFiles: 0, bytes: 0, ofBytes: 0 } });
  }
  const dvc = await dvcPart(shared, tree);
  if (!dvc.ok) return dvc;
  const top = context.data === 'worktree' ? repository.top : undefined;
  const cache = new StatCache(repository.stateDir, top ?? '');
  const data = await dataPart(
    {
      top,
      commonDir: repository.commonDir,
      dvc: dvc.value,
      cache,
      indexed: indexed.then((index) => (index.ok ? index.value : new Set())),
      nowNs: context.nowNs,
      ...(signal === undefined ? {} : { signal }),
      ...(onProgress === undefined ? {} : { onProgress }),
      onFileRead: (bytes) => {
        work.filesRead += 1;
        work.bytesRead += bytes;
      },
    },
    shared.entries,
    tracked.value,
  );
  if (cache.damaged !== undefined) shared.onDamaged(cache.damaged);
  // Also after an abort or an error: the next call goes on from what was hashed.
  if (top !== undefined) cache.save();
  const index = await indexed;
  return index.ok ? data : index;
}

type Indexed = Result<ReadonlySet<string>, FingerprintError>;

/** Started before anything else, and answered while we walk: the index is git's to read. */
async function indexedPaths(repository: Repository, entries: readonly PathEntry[]): Promise<Indexed> {
  if (repository.top === undefined || entries.length === 0) return ok(new Set());
  const bases = entries.map((entry) => entry.base);
  const where = bases.includes('') ? [] : ['--', ...new Set(bases)];
  const output = await git(repository, ['ls-files', '-z', '--cached', ...where]);
  return output.ok
    ? ok(new Set(output.value.stdout.toString().split('\0')))
    : err({ reason: 'git', error: output.error });
}

/** The files behind a record's hashes are known only where their manifest is. */
function recordedData(stateDir: string, recorded: Readonly<Record<string, DataSet>>, config: Config): Data {
  const names = config.data.map((entry) => (entry.kind === 'path' ? entry.path : entry.as));
  const sets = names.flatMap((name) => (recorded[name] === undefined ? [] : [[name, recorded[name]] as const]));
  const files: Record<string, readonly DataFile[]> = {};
  for (const [name, { hash }] of sets) {
    if (!hasManifest(stateDir, hash)) continue;
    let read: readonly DataFile[] | undefined;
    // Read when asked for: a known verdict needs no file. One that is damaged lists nothing, and whoever sends data reads it again.
    const get = () => {
      const manifest = read === undefined ? readManifest(stateDir, hash) : undefined;
      read ??= manifest?.ok ? manifest.value : [];
      return read;
    };
    Object.defineProperty(files, name, { enumerable: true, configurable: true, get });
  }
  return { sets: Object.fromEntries(sets), files };
}
