import type { DataFile } from './types.ts';

/** One entry of `data:` whose content is all in another. */
export interface SameData {
  readonly entry: string;
  readonly within: string;
  /** The other is also all in this one. */
  readonly both: boolean;
}

/**
 * Entries that hold what another holds under other names: test data that was trained on. Empty files are alike everywhere, and a file
 * that two entries name by the same path is one file. A few files in common (a licence, a list of classes) say nothing.
 */
export function sameData(entries: Readonly<Record<string, readonly DataFile[]>>): readonly SameData[] {
  const listed = Object.entries(entries).map(([entry, files]) => ({
    entry,
    files: files.filter(({ size }) => size > 0),
    paths: new Set(files.map(({ path }) => path)),
    contents: new Set(files.map(({ sha256 }) => sha256)),
  }));
  const isWithin = (a: (typeof listed)[number], b: (typeof listed)[number]) =>
    a.files.length > 0 && a.files.every(({ path, sha256 }) => !b.paths.has(path) && b.contents.has(sha256));
  return listed.flatMap((a, index) =>
    listed.slice(index + 1).flatMap((b): readonly SameData[] => {
      const [first, second] = [isWithin(a, b), isWithin(b, a)];
      if (first) return [{ entry: a.entry, within: b.entry, both: second }];
      return second ? [{ entry: b.entry, within: a.entry, both: false }] : [];
    }),
  );
}
