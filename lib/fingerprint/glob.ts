import picomatch from 'picomatch';

export type Matcher = (path: string) => boolean;

const special = /[*?[\]{}()!]/;
export const isGlob = (pattern: string): boolean => special.test(pattern);

/** As written by people: `./data/` is `data`. */
export const tidy = (pattern: string): string => pattern.replace(/^(?:\.\/)+/, '').replace(/\/+$/, '');

/** One pattern; a plain name matches the file, and everything below the folder, of that name. */
export function matcher(pattern: string): Matcher {
  const clean = tidy(pattern);
  if (clean === '' || clean === '.') return () => true;
  // `windows: false`: paths are git's, with slashes, on every platform.
  const matches = picomatch(clean, { dot: true, windows: false });
  if (isGlob(clean)) return (path) => matches(path);
  return (path) => path === clean || path.startsWith(`${clean}/`);
}

/** Patterns in order: the last that matches a path decides, and `!` takes away. */
export function selection(patterns: readonly string[]): Matcher {
  const rules = patterns.map((pattern) =>
    pattern.startsWith('!')
      ? { selects: false, matches: matcher(pattern.slice(1)) }
      : { selects: true, matches: matcher(pattern) },
  );
  return (path) => rules.findLast((rule) => rule.matches(path))?.selects ?? false;
}
