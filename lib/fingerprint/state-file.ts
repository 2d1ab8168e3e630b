import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Json } from '../base/canonical-json.ts';
import { hashText } from './meaning.ts';

/**
 * Our files under `.git/mlops/`: one line with what it is, its version and the SHA-256 of the rest, then JSON. The
 * hash is there because a half-written or bit-flipped cache that is believed gives a wrong fingerprint in silence.
 */
export interface StateKind {
  readonly kind: string;
  readonly version: number;
}

export type StateFile =
  | { readonly state: 'there'; readonly value: Json }
  | { readonly state: 'absent' }
  /** Another version of the program wrote it. */
  | { readonly state: 'foreign' }
  | { readonly state: 'damaged'; readonly path: string };

export function readStateFile(path: string, kind: StateKind): StateFile {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR' ? { state: 'absent' } : { state: 'damaged', path };
  }
  const newline = text.indexOf('\n');
  const [name, version, hash] = text.slice(0, Math.max(newline, 0)).split(' ');
  if (name !== kind.kind || version === undefined || hash === undefined) return { state: 'damaged', path };
  if (version !== String(kind.version)) return { state: 'foreign' };
  const body = text.slice(newline + 1);
  if (hashText(body) !== hash) return { state: 'damaged', path };
  try {
    return { state: 'there', value: JSON.parse(body) as Json };
  } catch {
    return { state: 'damaged', path };
  }
}

/** Atomic: a reader sees the old file or the new one. Throws what the file system says. */
export function writeStateFile(path: string, kind: StateKind, value: Json): void {
  const body = `${JSON.stringify(value)}\n`;
  writeWhole(path, `${kind.kind} ${kind.version} ${hashText(body)}\n${body}`);
}

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
  try {
    writeStateFile(path, kind, value);
    return true;
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return false;
  }
}

/** The system's name for a failed call (`ENOENT`); undefined for an error that is none of the system's. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
