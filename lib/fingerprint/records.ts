import { join } from 'node:path';
import { canonicalJson, type Json } from '../base/canonical-json.ts';
import { isFingerprint, isSha256, type Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Repository } from '../git/repository.ts';
import { readJson, type StateProblem, writeManifest } from './manifests.ts';
import { hashJson } from './meaning.ts';
import { codeOf, writeWhole } from './state-file.ts';
import type { CommitRecord, DataSet, Fingerprinted } from './types.ts';

const version = 1;
const recordPath = (stateDir: string, commit: Oid): string =>
  join(stateDir, 'records', commit.slice(0, 2), `${commit}.json`);

/** Manifests first: a record never names one that is not there. */
export function recordCommit(
  { stateDir }: Pick<Repository, 'stateDir'>,
  commit: Oid,
  fingerprinted: Fingerprinted,
  now: Date,
  who: string,
): Result<CommitRecord, { readonly reason: 'not-writable'; readonly path: string; readonly detail: string }> {
  const record: CommitRecord = {
    version,
    commit,
    fingerprint: fingerprinted.fingerprint,
    recordedAt: now.toISOString(),
    recordedBy: who,
    data: fingerprinted.inputs.data,
  };
  const path = recordPath(stateDir, commit);
  try {
    for (const [entry, { hash }] of Object.entries(record.data)) {
      // A record made from a record may not know the files behind a hash.
      if (Object.hasOwn(fingerprinted.data, entry))
        writeManifest(stateDir, hash, () => fingerprinted.data[entry] ?? []);
    }
    writeWhole(path, `${canonicalJson({ ...content(record), check: hashJson(content(record)) })}\n`);
  } catch (error) {
    const detail = codeOf(error);
    if (detail === undefined) throw error;
    return err({ reason: 'not-writable', path, detail });
  }
  return ok(record);
}

/** What was recorded for a commit. A file that cannot be believed is a named problem: the caller hashes again. */
export function readRecord(
  { stateDir }: Pick<Repository, 'stateDir'>,
  commit: Oid,
): Result<CommitRecord, StateProblem> {
  const path = recordPath(stateDir, commit);
  const read = readJson(path);
  if (!read.ok) return read;
  const { value } = read;
  if (isObject(value) && typeof value.version === 'number' && value.version !== version) {
    return err({ reason: 'foreign', path });
  }
  const record = parseRecord(value);
  const intact =
    record !== undefined && isObject(value) && record.commit === commit && value.check === hashJson(content(record));
  return intact ? ok(record) : err({ reason: 'damaged', path });
}

const content = (record: CommitRecord): { readonly [key: string]: Json } => ({
  version: record.version,
  commit: record.commit,
  fingerprint: record.fingerprint,
  recordedAt: record.recordedAt,
  recordedBy: record.recordedBy,
  data: Object.fromEntries(Object.entries(record.data).map(([entry, set]) => [entry, { ...set }])),
});

type Fields = Readonly<Record<string, unknown>>;
const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function parseRecord(value: unknown): CommitRecord | undefined {
  if (!isObject(value) || value.version !== version || !isObject(value.data)) return undefined;
  const { commit, fingerprint, recordedAt, recordedBy } = value;
  if (typeof fingerprint !== 'string' || !isFingerprint(fingerprint) || typeof commit !== 'string') return undefined;
  if (typeof recordedAt !== 'string' || typeof recordedBy !== 'string') return undefined;
  const sets: (readonly [string, DataSet])[] = [];
  for (const [entry, set] of Object.entries(value.data)) {
    if (!isObject(set)) return undefined;
    const { hash, files, bytes, writable } = set;
    if (typeof hash !== 'string' || !isSha256(hash) || typeof writable !== 'boolean') return undefined;
    if (typeof files !== 'number' || typeof bytes !== 'number') return undefined;
    sets.push([entry, { hash, files, bytes, writable }]);
  }
  return { version, commit: commit as Oid, fingerprint, recordedAt, recordedBy, data: Object.fromEntries(sets) };
}
