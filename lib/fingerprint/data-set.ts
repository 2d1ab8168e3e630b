import { createHash } from 'node:crypto';
import { asSha256, type Sha256 } from '../base/ids.ts';
import type { DataFile, DataSet } from './types.ts';

type FileContent = Pick<DataFile, 'path' | 'sha256' | 'size'>;

/** The entry's hash: over paths and contents alone. docs/fingerprint.md, "Data". */
export function dataSet(files: readonly FileContent[], writable: boolean): DataSet {
  const bytes = files.reduce((sum, file) => sum + file.size, 0);
  return { hash: hashOf(files), files: files.length, bytes, writable };
}

/** Of the canonical JSON of `{ files: { PATH: SHA256, … } }`, in pieces: of a million files the whole text, and an object for it, are hundreds of MB. */
function hashOf(files: readonly FileContent[]): Sha256 {
  const isSorted = files.every(({ path }, index) => index === 0 || (files[index - 1]?.path ?? '') < path);
  const sorted = isSorted ? files : [...files].sort((a, b) => (a.path < b.path ? -1 : 1));
  const hash = createHash('sha256').update('{"files":{');
  let piece = '';
  for (const [index, { path, sha256 }] of sorted.entries()) {
    piece += `${index === 0 ? '' : ','}${JSON.stringify(path)}:"${sha256}"`;
    if (piece.length < 65_536) continue;
    hash.update(piece);
    piece = '';
  }
  return asSha256(hash.update(`${piece}}}`).digest('hex'));
}
