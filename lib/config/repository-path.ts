export type PathProblem = 'absolute' | 'home' | 'outside' | 'git-folder' | 'empty' | 'newline';

/** Why a path cannot mean something in the repository; undefined if it can. */
export function pathProblem(path: string): PathProblem | undefined {
  if (path.trim() === '') return 'empty';
  if (/[\n\r\0]/.test(path)) return 'newline';
  if (path.startsWith('/') || /^[A-Za-z]:[\\/]/.test(path)) return 'absolute';
  if (/^~(?:$|\/|[a-z])/.test(path)) return 'home';
  const parts = path.split('/');
  if (parts.includes('..')) return 'outside';
  // On case-insensitive file systems `.GIT` is git's folder too.
  return parts.find((part) => part !== '' && part !== '.')?.toLowerCase() === '.git' ? 'git-folder' : undefined;
}

/** `./data//x/` → `data/x`; the top itself is `.`. */
export function tidyPath(path: string): string {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  return parts.length === 0 ? '.' : parts.join('/');
}
