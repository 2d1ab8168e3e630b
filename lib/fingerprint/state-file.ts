import { createHash, randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Json } from '../base/canonical-json.ts';
import type { Sha256 } from '../base/ids.ts';
import { hashText } from './meaning.ts';

/**
 * Our files under `.git/mlops/`: one line with what it is, its version and the SHA-256 of the rest, then JSON. The
 * hash is there because a half-written or bit-flipped cache that is believed gives a wrong fingerprint in silence.
 */
export interface StateKind {
  readonly kind: string;
  readonly version: number;
}

export type StateFile<Body = Json> =
  /** `hash` is that of the body: equal bodies have equal ones. */
  | { readonly state: 'there'; readonly value: Body; readonly hash: Sha256 }
  | { readonly state: 'absent' }
  /** Another version of the program wrote it. */
  | { readonly state: 'foreign' }
  | { readonly state: 'damaged'; readonly path: string };

export function readStateFile(path: string, kind: StateKind): StateFile {
  const file = readStateText(path, kind);
  if (file.state !== 'there') return file;
  try {
    return { ...file, value: JSON.parse(file.value) as Json };
  } catch {
    return { state: 'damaged', path };
  }
}

/** The body unparsed, for a caller that may not need all of it. */
export function readStateText(path: string, kind: StateKind): StateFile<string> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const absent = codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR';
    return absent ? { state: 'absent' } : { state: 'damaged', path };
  }
  const newline = text.indexOf('\n');
  const [name, version, hash] = text.slice(0, Math.max(newline, 0)).split(' ');
  if (name !== kind.kind || version === undefined || hash === undefined) return { state: 'damaged', path };
  if (version !== String(kind.version)) return { state: 'foreign' };
  const value = text.slice(newline + 1);
  const actual = hashText(value);
  return actual === hash ? { state: 'there', value, hash: actual } : { state: 'damaged', path };
}

/** Throws what the file system says. The hash is known at the end, and takes its place in the first line then: the body comes in pieces, and is held nowhere. */
function writeStatePieces(path: string, { kind, version }: StateKind, pieces: Iterable<string>): void {
  const head = `${kind} ${version} `;
  const hash = createHash('sha256');
  replaceFile(path, (temporary) => {
    const file = openSync(temporary, 'wx');
    try {
      writeSync(file, `${head}${'0'.repeat(64)}\n`);
      for (const piece of pieces) {
        hash.update(piece);
        writeWholly(file, Buffer.from(piece));
      }
      writeSync(file, hash.digest('hex'), head.length);
    } finally {
      closeSync(file);
    }
  });
}

/** A full disk takes a part, and says so at the next call alone. */
function writeWholly(file: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(file, bytes, at);
}

/** Atomic: a reader sees the old file or the new one. */
export const writeWhole = (path: string, text: string): void =>
  replaceFile(path, (temporary) => writeFileSync(temporary, text, { flag: 'wx' }));

function replaceFile(path: string, write: (temporary: string) => void): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    write(temporary);
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** A cache that cannot be written (a full or read-only disk) costs time, never the fingerprint. */
export function writeCacheFile(path: string, kind: StateKind, value: Json): boolean {
  return writeCacheText(path, kind, `${JSON.stringify(value)}\n`);
}
export const writeCacheText = (path: string, kind: StateKind, body: string): boolean =>
  writeCachePieces(path, kind, [body]);
export function writeCachePieces(path: string, kind: StateKind, pieces: Iterable<string>): boolean {
  try {
    writeStatePieces(path, kind, pieces);
    return true;
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return false;
  }
}

/** The system's name for a failed call (`ENOENT`); undefined for an error that is none of the system's. */
export const codeOf = (error: unknown): string | undefined =>
  typeof error === 'object' && error !== null && 'code' in error && typeof error.code === 'string'
    ? error.code
    : undefined;
