import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
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

/** Throws what the file system says. */
function writeStateText(path: string, kind: StateKind, body: string): void {
  writeWhole(path, `${kind.kind} ${kind.version} ${hashText(body)}\n${body}`);
}

/** Atomic: a reader sees the old file or the new one. */
export function writeWhole(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    writeFileSync(temporary, text, { flag: 'wx' });
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
export function writeCacheText(path: string, kind: StateKind, body: string): boolean {
  try {
    writeStateText(path, kind, body);
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
