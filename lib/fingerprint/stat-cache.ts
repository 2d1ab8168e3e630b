import type { BigIntStats } from 'node:fs';
import { join } from 'node:path';
import { asSha256, isSha256, type Sha256 } from '../base/ids.ts';
import { hashText } from './meaning.ts';
import { readStateFile, writeCacheFile } from './state-file.ts';

const kind = { kind: 'mlops-stat-cache', version: 1 };

/** What must be equal for a file to be believed unchanged: size, both times in ns, inode. */
export const statKey = (stat: BigIntStats): string => `${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.ino}`;

/** Content hashes by path and stat, for one worktree: linked worktrees share the state folder, not their files. */
export class StatCache {
  private readonly path: string;
  private readonly entries = new Map<string, { readonly key: string; readonly sha256: Sha256 }>();
  private changed = false;
  /** The file was there and could not be believed. */
  readonly damaged: string | undefined;

  constructor(stateDir: string, top: string) {
    this.path = join(stateDir, 'cache', `stat-${hashText(top).slice(0, 16)}`);
    const file = readStateFile(this.path, kind);
    this.damaged = file.state === 'damaged' ? this.path : undefined;
    if (file.state === 'there' && Array.isArray(file.value)) this.fill(file.value);
  }

  /** A flat list parses several times faster than an object with 10,000 members. */
  private fill(flat: readonly unknown[]): void {
    for (let i = 0; i + 2 < flat.length; i += 3) {
      const [path, key, sha256] = [flat[i], flat[i + 1], flat[i + 2]];
      if (typeof path === 'string' && typeof key === 'string' && typeof sha256 === 'string' && isSha256(sha256)) {
        this.entries.set(path, { key, sha256 });
      }
    }
  }

  get(path: string, key: string): Sha256 | undefined {
    const entry = this.entries.get(path);
    return entry?.key === key ? entry.sha256 : undefined;
  }

  set(path: string, key: string, sha256: string): void {
    this.entries.set(path, { key, sha256: asSha256(sha256) });
    this.changed = true;
  }

  /** Forgets what is not among `present` below the hashed entries, so that the file does not grow for ever. */
  prune(covers: (path: string) => boolean, present: ReadonlySet<string>): void {
    for (const path of this.entries.keys()) {
      if (!present.has(path) && covers(path)) {
        this.entries.delete(path);
        this.changed = true;
      }
    }
  }

  save(): void {
    if (!this.changed) return;
    const flat: string[] = [];
    for (const [path, { key, sha256 }] of this.entries) flat.push(path, key, sha256);
    writeCacheFile(this.path, kind, flat);
    this.changed = false;
  }
}

const coarse = 2_000_000_000n;
const fine = 50_000_000n;

/**
 * Git's "racily clean" rule: a file that was touched just before it was read may be touched again within the same tick
 * of the file system's clock, and its stat would not tell. Such a hash is used now and not kept. Times without a
 * fraction come from file systems that count in seconds (FAT: two).
 */
export function isSettled(stat: BigIntStats, readStartedNs: bigint): boolean {
  const whole = stat.mtimeNs % 1_000_000_000n === 0n && stat.ctimeNs % 1_000_000_000n === 0n;
  const latest = readStartedNs - (whole ? coarse : fine);
  return stat.mtimeNs < latest && stat.ctimeNs < latest;
}
