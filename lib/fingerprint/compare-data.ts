import type { Sha256 } from '../base/ids.ts';
import type { DataFile } from './types.ts';

export interface DataComparison {
  readonly changed: readonly { readonly path: string; readonly recorded: Sha256; readonly current: Sha256 }[];
  /** Recorded, and not there now. */
  readonly missing: readonly { readonly path: string; readonly recorded: Sha256 }[];
  /** There now, and not recorded. */
  readonly added: readonly { readonly path: string; readonly current: Sha256 }[];
}

/** The files that keep the data from being what was recorded; all three empty where it is. */
export function compareData(recorded: readonly DataFile[], current: readonly DataFile[]): DataComparison {
  const before = new Map(recorded.map((file) => [file.path, file.sha256]));
  const after = new Map(current.map((file) => [file.path, file.sha256]));
  return {
    changed: [...before].flatMap(([path, old]) => {
      const now = after.get(path);
      return now === undefined || now === old ? [] : [{ path, recorded: old, current: now }];
    }),
    missing: [...before].flatMap(([path, old]) => (after.has(path) ? [] : [{ path, recorded: old }])),
    added: [...after].flatMap(([path, now]) => (before.has(path) ? [] : [{ path, current: now }])),
  };
}

export const isSameData = (comparison: DataComparison): boolean =>
  comparison.changed.length + comparison.missing.length + comparison.added.length === 0;
