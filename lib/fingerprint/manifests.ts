import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { isOid, isSha256, type Sha256 } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { dataSet } from './data-set.ts';
import { codeOf, writeWhole } from './state-file.ts';
import type { DataFile } from './types.ts';

/** `foreign`: written by another version of the program. */
export interface StateProblem {
  readonly reason: 'absent' | 'damaged' | 'foreign';
  readonly path: string;
}

const version = 1;
const manifestPath = (stateDir: string, hash: Sha256): string =>
  join(stateDir, 'manifests', hash.slice(0, 2), `${hash}.json`);

/** Keeps an entry's files by the entry's hash: many commits share one manifest. */
export function writeManifest(stateDir: string, hash: Sha256, files: () => readonly DataFile[]): void {
  const path = manifestPath(stateDir, hash);
  // A power cut may leave an empty file behind a rename.
  if (!hasManifest(stateDir, hash)) writeWhole(path, manifestJson(files()));
}

/** One file a line: it travels with reports, and two of them can be compared by any diff. */
export function manifestJson(files: readonly DataFile[]): string {
  const lines = files.map(({ path, sha256, size, source }) =>
    JSON.stringify([path, sha256, size, ...(source?.kind === 'blob' ? [source.oid] : [])]),
  );
  return `{"version":${version},"files":[\n${lines.join(',\n')}\n]}\n`;
}

/** Whether there is one at all, without a look into it. */
export const hasManifest = (stateDir: string, hash: Sha256): boolean =>
  (statSync(manifestPath(stateDir, hash), { throwIfNoEntry: false })?.size ?? 0) > 0;

/** Proves itself: a manifest whose files do not give its name is damaged. */
export function readManifest(stateDir: string, hash: Sha256): Result<readonly DataFile[], StateProblem> {
  const path = manifestPath(stateDir, hash);
  const read = readJson(path);
  if (!read.ok) return read;
  const parsed = parseManifest(read.value);
  if (!parsed.ok) return err({ reason: parsed.error, path });
  return dataSet(parsed.value, false).hash === hash ? parsed : err({ reason: 'damaged', path });
}

/** The same from a report: the caller compares `dataSet(files).hash` with the hash it expects. */
export function parseManifest(value: unknown): Result<readonly DataFile[], 'damaged' | 'foreign'> {
  if (typeof value !== 'object' || value === null || !('version' in value)) return err('damaged');
  if (value.version !== version) return err('foreign');
  if (!('files' in value) || !Array.isArray(value.files)) return err('damaged');
  const files: DataFile[] = [];
  for (const line of value.files as readonly unknown[]) {
    if (!Array.isArray(line)) return err('damaged');
    const [path, sha256, size, oid] = line as readonly unknown[];
    if (typeof path !== 'string' || typeof sha256 !== 'string' || !isSha256(sha256)) return err('damaged');
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) return err('damaged');
    const isBlob = typeof oid === 'string' && isOid(oid);
    files.push({ path, sha256, size, ...(isBlob ? { source: { kind: 'blob' as const, oid } } : {}) });
  }
  return ok(files);
}

export function readJson(path: string): Result<unknown, StateProblem> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    return err({ reason: code === 'ENOENT' || code === 'ENOTDIR' ? 'absent' : 'damaged', path });
  }
  try {
    return ok(JSON.parse(text));
  } catch {
    return err({ reason: 'damaged', path });
  }
}
