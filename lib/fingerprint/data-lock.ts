import { isSha256, type Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Config } from '../config/types.ts';
import { type BlobError, readBlobs } from '../git/blobs.ts';
import type { Repository } from '../git/repository.ts';
import { readTreePaths, type TreeError } from '../git/tree.ts';
import type { DataSet, Pin } from './types.ts';

/** Committed: what the data that is on the cluster already was when somebody last said that it is right. */
export const lockPath = '.mlops/data.lock';
const version = 1;

export type ClusterEntry = Extract<Config['data'][number], { readonly kind: 'cluster' }>;

export type LockError =
  | { readonly reason: 'lock-damaged'; readonly detail: string }
  /** `other`: it is pinned, but from another place, or by another `fingerprint:`. */
  | {
      readonly reason: 'not-pinned';
      readonly entry: string;
      readonly cluster: string;
      readonly why: 'no-lock' | 'no-entry' | 'other';
    };

export const clusterEntries = (config: Config): readonly ClusterEntry[] =>
  config.data.flatMap((entry) => (entry.kind === 'cluster' ? [entry] : []));

/** One pin a line, sorted, so that two branches that pin different data merge. */
export function formatLock(pins: readonly Pin[]): string {
  const lines = [...pins]
    .sort((a, b) => (a.as < b.as ? -1 : 1))
    .map(({ as, cluster, how, hash, listing, files, bytes, pinnedAt }) =>
      JSON.stringify({ as, cluster, how, hash, listing, files, bytes, pinnedAt }),
    );
  return `{"version":${version},"data":[\n${lines.join(',\n')}\n]}\n`;
}

export function parseLock(text: string): Result<readonly Pin[], LockError> {
  const damaged = (detail: string) => err({ reason: 'lock-damaged' as const, detail });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return damaged(error instanceof Error ? error.message : String(error));
  }
  if (typeof value !== 'object' || value === null || !('version' in value)) return damaged('it has no version');
  if (value.version !== version) return damaged(`version ${String(value.version)} is not known here`);
  if (!('data' in value) || !Array.isArray(value.data)) return damaged('it has no list `data`');
  const pins: Pin[] = [];
  for (const [index, line] of (value.data as readonly unknown[]).entries()) {
    const pin = parsePin(line);
    if (pin === undefined) return damaged(`entry ${index + 1} is not a pin`);
    if (pins.some(({ as }) => as === pin.as)) return damaged(`${pin.as} is in it twice`);
    pins.push(pin);
  }
  return ok(pins);
}

function parsePin(line: unknown): Pin | undefined {
  if (typeof line !== 'object' || line === null) return undefined;
  const { as, cluster, how, hash, listing, files, bytes, pinnedAt } = line as Readonly<Record<string, unknown>>;
  if (typeof as !== 'string' || typeof cluster !== 'string' || typeof pinnedAt !== 'string') return undefined;
  if (how !== 'stat' && how !== 'content') return undefined;
  if (typeof hash !== 'string' || !isSha256(hash) || typeof listing !== 'string' || !isSha256(listing))
    return undefined;
  if (typeof files !== 'number' || !Number.isSafeInteger(files) || files < 1) return undefined;
  if (typeof bytes !== 'number' || !Number.isSafeInteger(bytes) || bytes < 0) return undefined;
  return { as, cluster, how, hash, listing, files, bytes, pinnedAt };
}

export const pinFor = (pins: readonly Pin[], { as, cluster, fingerprint }: ClusterEntry): Pin | undefined =>
  pins.find((pin) => pin.as === as && pin.cluster === cluster && pin.how === fingerprint);

export const pinnedSet = ({ hash, files, bytes }: Pin): DataSet => ({ hash, files, bytes, writable: false });

/** The pins of the commit, one for each entry of its config that is on the cluster. */
export async function readPins(
  repository: Repository,
  commit: Oid,
  config: Config,
): Promise<
  Result<Readonly<Record<string, Pin>>, LockError | { readonly reason: 'git'; readonly error: TreeError | BlobError }>
> {
  const entries = clusterEntries(config);
  if (entries.length === 0) return ok({});
  const tree = await readTreePaths(repository, commit, [lockPath]);
  if (!tree.ok) return err({ reason: 'git', error: tree.error });
  let text: string | undefined;
  const read = await readBlobs(
    repository,
    tree.value.map(({ oid }) => oid),
    (_, content) => {
      text = content.toString('utf8');
    },
  );
  if (!read.ok) return err({ reason: 'git', error: read.error });
  const parsed = text === undefined ? ok([]) : parseLock(text);
  if (!parsed.ok) return parsed;
  const found: Record<string, Pin> = {};
  for (const entry of entries) {
    const pin = pinFor(parsed.value, entry);
    if (pin === undefined) {
      const other = parsed.value.some(({ as }) => as === entry.as);
      const why = text === undefined ? 'no-lock' : other ? 'other' : 'no-entry';
      return err({ reason: 'not-pinned', entry: entry.as, cluster: entry.cluster, why });
    }
    found[entry.as] = pin;
  }
  return ok(found);
}
