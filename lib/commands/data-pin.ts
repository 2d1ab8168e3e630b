import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Sha256 } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { shellQuote } from '../base/shell-quote.ts';
import type { HostError } from '../cluster/host.ts';
import { type PinAnswer, type PinRequest, parseContent, parsePin, pinScript } from '../cluster/pin-script.ts';
import type { JobStatus } from '../cluster/scheduler.ts';
import type { Config } from '../config/types.ts';
import {
  type ClusterEntry,
  clusterEntries,
  formatLock,
  type LockError,
  lockPath,
  parseLock,
  pinFor,
} from '../fingerprint/data-lock.ts';
import { dataSet } from '../fingerprint/data-set.ts';
import { codeOf, writeWhole } from '../fingerprint/state-file.ts';
import type { Pin } from '../fingerprint/types.ts';
import { type DraftError, readDraft } from '../gate/pipeline.ts';
import type { Connection, Place, PlaceError } from '../gate/place.ts';
import type { Repository } from '../git/repository.ts';
import { jobResources } from '../job/resources.ts';
import { runSmallJob, type SmallJobError } from './small-job.ts';

export interface DataPinOptions {
  readonly repo: Repository;
  /** What `as:` says; empty: all. */
  readonly names: readonly string[];
  readonly placeFor: (config: Config) => Place;
  /** `never`: look at it on the login node, whatever its size. */
  readonly job: 'if-large' | 'never';
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** Letters and digits of this call alone. */
  readonly token: string;
  readonly onBegin: (entry: ClusterEntry, place: string) => void;
  readonly onStatus: (id: string, status: JobStatus) => void;
  readonly onPinned: (pinned: Pinned) => void;
}

export interface Pinned {
  readonly pin: Pin;
  /** What the lock in the worktree had. */
  readonly before?: Pin;
  /** The job that looked at it; absent: it was looked at from the login node, or on this machine. */
  readonly job?: string;
}

export type DataPinError =
  | DraftError
  | LockError
  | SmallJobError
  | { readonly reason: 'place'; readonly cause: PlaceError }
  /** The config has no data that is on the cluster; or none that is seen under this name. */
  | { readonly reason: 'no-entry'; readonly name?: string; readonly known: readonly string[] }
  | {
      readonly reason: 'data';
      readonly entry: ClusterEntry;
      readonly state: Exclude<PinAnswer['state'], 'done' | 'big'>;
      readonly words: string;
      readonly place: string;
    }
  /** The script that looks at it ended before its end. */
  | { readonly reason: 'odd-answer'; readonly entry: ClusterEntry; readonly words: string }
  | { readonly reason: 'not-writable'; readonly path: string; readonly detail: string };

/** What a login node lists without a job: a second or two. */
const mostFiles = 20_000;
const daySeconds = 24 * 3600;

/** `mlops data pin`: looks once at data that is on the cluster already, and writes what it is into `.mlops/data.lock`, to be committed. */
export async function dataPin(options: DataPinOptions): Promise<Result<readonly Pinned[], DataPinError>> {
  const { repo, names, signal } = options;
  const draft = await readDraft(repo);
  if (!draft.ok) return draft;
  const config = draft.value;
  const all = clusterEntries(config);
  const known = all.map(({ as }) => as);
  const unknown = names.map((name) => name.replace(/\/+$/, '')).find((name) => !known.includes(name));
  if (all.length === 0 || unknown !== undefined)
    return err({ reason: 'no-entry', known, ...(unknown === undefined ? {} : { name: unknown }) });
  const wanted =
    names.length === 0 ? all : all.filter(({ as }) => names.some((name) => name.replace(/\/+$/, '') === as));
  const path = join(repo.top ?? '', lockPath);
  const lock = await readLock(path);
  if (!lock.ok) return lock;
  const place = options.placeFor(config);
  const connected = await place.connect(signal);
  if (!connected.ok) return err({ reason: 'place', cause: connected.error });
  const connection = connected.value;
  try {
    let pins = lock.value.filter((pin) => all.some((entry) => pinFor([pin], entry) !== undefined));
    const done: Pinned[] = [];
    for (const entry of wanted) {
      options.onBegin(entry, place.name);
      const looked = await pinEntry(options, connection, config, entry, place.name);
      if (!looked.ok) return looked;
      const before = pinFor(pins, entry);
      const pinned: Pinned = { ...looked.value, ...(before === undefined ? {} : { before }) };
      // What has not changed keeps its line: nothing to commit then.
      if (before === undefined || !isSame(before, pinned.pin)) {
        pins = [...pins.filter((pin) => pin !== before), pinned.pin];
        const written = writeLock(path, pins);
        if (!written.ok) return written;
      }
      done.push(pinned);
      options.onPinned(pinned);
    }
    return ok(done);
  } finally {
    await connection.close();
  }
}

export const isSame = (a: Pin, b: Pin): boolean => a.hash === b.hash && a.listing === b.listing;

async function readLock(path: string): Promise<Result<readonly Pin[], DataPinError>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const detail = codeOf(error);
    if (detail === undefined) throw error;
    return detail === 'ENOENT' ? ok([]) : err({ reason: 'not-writable', path, detail });
  }
  return parseLock(text);
}

function writeLock(path: string, pins: readonly Pin[]): Result<void, DataPinError> {
  try {
    writeWhole(path, formatLock(pins));
    return ok(undefined);
  } catch (error) {
    const detail = codeOf(error);
    if (detail === undefined) throw error;
    return err({ reason: 'not-writable', path, detail });
  }
}

async function pinEntry(
  options: DataPinOptions,
  connection: Connection,
  config: Config,
  entry: ClusterEntry,
  place: string,
): Promise<Result<Pick<Pinned, 'pin' | 'job'>, DataPinError>> {
  const { host, workdir } = connection;
  const folder = `${workdir}/tmp/ASK-pin-${options.token}`;
  try {
    const asked = await ask(options, connection, config, entry, folder);
    if (!asked.ok) return asked;
    const { answer, job, words } = asked.value;
    if (answer === undefined || answer.state === 'big') return err({ reason: 'odd-answer', entry, words });
    if (answer.state !== 'done') return err({ reason: 'data', entry, state: answer.state, words: answer.words, place });
    const hash =
      entry.fingerprint === 'stat' ? ok(answer.listing) : await contentHash(connection, entry, folder, answer.files);
    if (!hash.ok) return hash;
    const { files, bytes, listing } = answer;
    const pinnedAt = options
      .now()
      .toISOString()
      .replace(/\.\d+Z$/, 'Z');
    const { as, cluster, fingerprint: how } = entry;
    const pin: Pin = { as, cluster, how, hash: hash.value, listing, files, bytes, pinnedAt };
    return ok({ pin, ...(job === undefined ? {} : { job }) });
  } finally {
    // Where this cannot, `mlops gc` does.
    await host.exec(`rm -rf ${shellQuote(folder)}`);
  }
}

interface Asked {
  readonly answer: PinAnswer | undefined;
  readonly words: string;
  readonly job?: string;
}

/** Content, and folders of many files, are read by a job: a login node is shared. */
async function ask(
  options: DataPinOptions,
  connection: Connection,
  config: Config,
  entry: ClusterEntry,
  folder: string,
): Promise<Result<Asked, DataPinError>> {
  const { host, scheduler, workdir } = connection;
  const { now, signal, token, onStatus } = options;
  const jobs = scheduler.kind === 'slurm' && options.job === 'if-large';
  const request: PinRequest = {
    cluster: entry.cluster,
    how: entry.fingerprint,
    folder,
    workdir,
    group: config.cluster?.group !== undefined,
  };
  if (!jobs || entry.fingerprint === 'stat') {
    const script = pinScript(jobs ? { ...request, mostFiles } : request);
    const asked = await host.exec(`umask 077; mkdir -p ${shellQuote(folder)} || exit 1\n${script}`, {
      timeoutSeconds: daySeconds,
      signal,
    });
    if (!asked.ok) return err(unanswered(entry.as, asked.error));
    const answer = parsePin(asked.value.stdout);
    if (answer?.state !== 'big') return ok({ answer, words: asked.value.stderr.trim() });
  }
  const { seconds, cpus } = jobResources(config);
  const ran = await runSmallJob({
    host,
    scheduler,
    config,
    resources: { seconds, ...(cpus === undefined ? {} : { cpus }) },
    name: `mlops-pin-${token}`,
    folder,
    script: pinScript(request),
    now,
    signal,
    onStatus,
  });
  if (!ran.ok) return ran;
  return ok({ answer: parsePin(ran.value.stdout), words: ran.value.stderr.trim(), job: ran.value.id });
}

const unanswered = (what: string, cause: HostError) => ({ reason: 'unanswered' as const, what, cause });

/** What the same files would have in the repository: data that moves onto the cluster is still the same data. */
async function contentHash(
  { host }: Connection,
  entry: ClusterEntry,
  folder: string,
  count: number,
): Promise<Result<Sha256, DataPinError>> {
  const read = await host.exec(`cat ${shellQuote(`${folder}/content`)}`, { timeoutSeconds: 600 });
  if (!read.ok) return err(unanswered(entry.as, read.error));
  const contents = parseContent(read.value.stdout, entry.as);
  if (contents.size !== count) {
    const words = `${contents.size} hashes for ${count} files\n${read.value.stderr}`.trim();
    return err({ reason: 'odd-answer', entry, words });
  }
  const files = [...contents].map(([path, sha256]) => ({ path, sha256, size: 0 }));
  return ok(dataSet(files, false).hash);
}
