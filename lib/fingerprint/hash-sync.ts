import type { BigIntStats } from 'node:fs';

/** What reading a file gave. `code` is the system's, of an error; the rest is there where the same file was seen before and after. */
export type ReadFile =
  | { readonly code: string }
  | { readonly state: 'special' | 'changing' | 'large' }
  | {
      readonly state: 'read';
      readonly sha256: string;
      readonly bytes: number;
      readonly key: string;
      readonly mtimeNs: bigint;
      readonly ctimeNs: bigint;
    };

/**
 * Reads and hashes a file up to `largest` bytes, again while it changes under us: three system calls and no promise, which for many small files is
 * four times as fast as streams. It stands on nothing of this module, because its text is also what worker threads run: a bundle has no
 * file of its own for them.
 */
export function syncHasher(load: NodeJS.Require): (path: string, largest: number) => ReadFile {
  const { createHash } = load('node:crypto') as typeof import('node:crypto');
  const fs = load('node:fs') as typeof import('node:fs');
  const tries = 4;
  const buffer = Buffer.allocUnsafeSlow(1 << 20);
  const keyOf = (stat: BigIntStats) => `${stat.size} ${stat.mtimeNs} ${stat.ctimeNs} ${stat.ino}`;
  const read = (
    path: string,
    size: number,
  ): { readonly sha256: string; readonly bytes: number; readonly key: string } => {
    const file = fs.openSync(path, 'r');
    try {
      const key = keyOf(fs.fstatSync(file, { bigint: true }));
      const hash = createHash('sha256');
      let bytes = 0;
      // Something that grows as fast as it is read would never end.
      for (let count = -1; count !== 0 && bytes <= size; bytes += count) {
        count = fs.readSync(file, buffer, 0, buffer.length, null);
        hash.update(buffer.subarray(0, count));
      }
      return { sha256: hash.digest('hex'), bytes, key };
    } finally {
      fs.closeSync(file);
    }
  };
  return (path, largest) => {
    try {
      for (let n = 0; n < tries; n++) {
        const before = fs.statSync(path, { bigint: true });
        if (!before.isFile()) return { state: 'special' };
        if (before.size > largest) return { state: 'large' };
        const { sha256, bytes, key } = read(path, Number(before.size));
        const same = key === keyOf(before) && key === keyOf(fs.statSync(path, { bigint: true }));
        if (same && bytes === Number(before.size)) {
          return { state: 'read', sha256, bytes, key, mtimeNs: before.mtimeNs, ctimeNs: before.ctimeNs };
        }
      }
      return { state: 'changing' };
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (typeof code !== 'string') throw error;
      return { code };
    }
  };
}
