import type { BigIntStats } from 'node:fs';
import { join } from 'node:path';
import { asSha256, type Sha256 } from '../base/ids.ts';
import { hashText } from './meaning.ts';
import { readStateText, writeCachePieces, writeCacheText } from './state-file.ts';

const kind = { kind: 'mlops-stat-cache', version: 2 };

/** What must be equal for a file to be believed unchanged: size, both times in ns, inode. */
export const statKey = (stat: BigIntStats): string => `${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.ino}`;

/** What a whole entry came to when all its files had exactly these stats. */
export interface Listing {
  /** Over every path and stat, and what the commit itself holds of the entry. */
  readonly digest: string;
  readonly hash: Sha256;
  readonly files: number;
  readonly bytes: number;
}

/**
 * Content hashes by path and stat, for one worktree: linked worktrees share the state folder, not their files. One
 * file has the listings, another one every file: where a listing holds, the second is not even read.
 */
export class StatCache {
  private readonly path: string;
  private readonly listings = new Map<string, Listing>();
  private parsed: Map<string, { readonly key: string; readonly sha256: Sha256 }> | undefined;
  private changed = false;
  /** A file that was there and could not be believed. That of the single files is not even read where every listing holds. */
  damaged: string | undefined;

  constructor(stateDir: string, top: string) {
    this.path = join(stateDir, 'cache', `stat-${hashText(top).slice(0, 16)}`);
    const listings = JSON.parse(this.read(this.path, '{}')) as Record<string, Listing>;
    for (const [entry, listing] of Object.entries(listings)) this.listings.set(entry, listing);
  }

  private read(path: string, otherwise: string): string {
    const file = readStateText(path, kind);
    if (file.state === 'damaged') this.damaged = path;
    return file.state === 'there' ? file.value : otherwise;
  }

  /** A flat list parses several times faster than an object with 10,000 members. */
  private get entries(): Map<string, { readonly key: string; readonly sha256: Sha256 }> {
    if (this.parsed !== undefined) return this.parsed;
    this.parsed = new Map();
    const flat = JSON.parse(this.read(`${this.path}-files`, '[]')) as readonly string[];
    for (let i = 0; i + 2 < flat.length; i += 3) {
      const [path = '', key = '', sha256 = ''] = [flat[i], flat[i + 1], flat[i + 2]];
      this.parsed.set(path, { key, sha256: asSha256(sha256) });
    }
    return this.parsed;
  }

  /** Its JSON, in pieces. */
  private *flatText(): Generator<string> {
    let piece = '[';
    let separator = '';
    for (const [path, { key, sha256 }] of this.entries) {
      piece += `${separator}${JSON.stringify(path)},${JSON.stringify(key)},"${sha256}"`;
      separator = ',';
      if (piece.length < 65_536) continue;
      yield piece;
      piece = '';
    }
    yield `${piece}]\n`;
  }

  listing(entry: string, digest: string): Listing | undefined {
    const listing = this.listings.get(entry);
    return listing?.digest === digest ? listing : undefined;
  }

  setListing(entry: string, listing: Listing): void {
    if (this.listing(entry, listing.digest) !== undefined) return;
    this.listings.set(entry, listing);
    this.changed = true;
  }

  get(path: string, key: string): Sha256 | undefined {
    const entry = this.entries.get(path);
    return entry?.key === key ? entry.sha256 : undefined;
  }

  set(path: string, key: string, sha256: Sha256): void {
    this.entries.set(path, { key, sha256 });
    this.changed = true;
  }

  /**
   * Forgets the files that `covers` and that are not `present`, so that the cache does not grow for ever, and with
   * them the listings that are not `current`: they might stand on a file that is forgotten.
   */
  prune(
    covers: (path: string) => boolean,
    paths: () => ReadonlySet<string>,
    current: ReadonlyMap<string, string>,
  ): void {
    if (!this.changed) return;
    const present = paths();
    for (const path of this.entries.keys()) if (!present.has(path) && covers(path)) this.entries.delete(path);
    for (const [entry, { digest }] of this.listings) if (current.get(entry) !== digest) this.listings.delete(entry);
  }

  save(): void {
    if (!this.changed) return;
    writeCachePieces(`${this.path}-files`, kind, this.flatText());
    writeCacheText(this.path, kind, `${JSON.stringify(Object.fromEntries(this.listings))}\n`);
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
export function isSettled(stat: Pick<BigIntStats, 'mtimeNs' | 'ctimeNs'>, readStartedNs: bigint): boolean {
  const whole = stat.mtimeNs % 1_000_000_000n === 0n && stat.ctimeNs % 1_000_000_000n === 0n;
  const latest = readStartedNs - (whole ? coarse : fine);
  return stat.mtimeNs < latest && stat.ctimeNs < latest;
}
