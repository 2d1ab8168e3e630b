import { stat } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { possiblePaths } from '../config/python-code.ts';
import { parseNotebook } from '../fingerprint/notebook.ts';

/** Lines that make a file rather than read one. */
const writes = /\b(?:to_\w+|save\w*|dump\w*|write\w*|mkdir|makedirs)\s*\(|,\s*(?:mode\s*=\s*)?["'][wax]b?\+?["']/;

/** A collection of paths is data of its own, not what a notebook reads. */
const most = 200;

/**
 * Files of the worktree that the code of a notebook names and that the job will not have: neither in the commit nor under `data:`. A guess
 * from texts in quotes, so that it is only told, and stops nothing.
 */
export async function uncarriedFiles(
  top: string | undefined,
  notebooks: ReadonlyMap<string, string>,
  carried: ReadonlySet<string>,
): Promise<readonly string[]> {
  if (top === undefined) return [];
  const folders = new Set([...carried].flatMap(parents));
  const found = new Set<string>();
  for (const [path, text] of notebooks) {
    const parsed = parseNotebook(text);
    if (!parsed.ok || parsed.value.language !== 'python') continue;
    const code = parsed.value.cells.filter(({ type }) => type === 'code').map(({ source }) => source);
    const lines = code.join('\n').split('\n');
    for (const named of possiblePaths(lines.join('\n')).slice(0, most)) {
      if (lines.filter((line) => line.includes(named)).every((line) => writes.test(line))) continue;
      for (const candidate of [posix.normalize(named), posix.join(dirname(path), named)]) {
        const clean = candidate.replace(/\/+$/, '');
        if (clean === '' || clean === '.' || clean.startsWith('..') || clean.startsWith('/')) continue;
        if (carried.has(clean) || folders.has(clean) || found.has(clean)) continue;
        if (await isThere(join(top, clean))) found.add(clean);
      }
    }
  }
  return [...found].sort();
}

function parents(path: string): readonly string[] {
  const parts = path.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );
