import { Buffer } from 'node:buffer';
import { err, ok, type Result } from '../base/result.ts';
import type { StoreError, TreeEntry, TreePath } from './store-types.ts';

export const pathBytes = (path: TreePath): Buffer => (typeof path === 'string' ? Buffer.from(path) : Buffer.from(path));

type Unsafe = StoreError & { readonly reason: 'unsafe-path' };

/** No path may leave its folder, and none may go through another file or a symbolic link. */
export function checkTree(tree: readonly TreeEntry[]): Result<void, Unsafe> {
  // latin1 keeps bytes apart that are no UTF-8.
  const leaves = new Set<string>();
  for (const entry of tree) {
    const key = pathBytes(entry.path).toString('latin1');
    const why = wrong(key) ?? (entry.kind === 'symlink' && wrongTarget(pathBytes(entry.target)) ? 'nul' : undefined);
    if (why !== undefined) return unsafe(entry.path, why);
    if (leaves.has(key)) return unsafe(entry.path, 'conflict');
    leaves.add(key);
  }
  for (const entry of tree) {
    const key = pathBytes(entry.path).toString('latin1');
    for (let slash = key.indexOf('/'); slash !== -1; slash = key.indexOf('/', slash + 1)) {
      if (leaves.has(key.slice(0, slash))) return unsafe(entry.path, 'conflict');
    }
  }
  return ok(undefined);
}

const unsafe = (path: TreePath, why: Unsafe['why']) =>
  err({ reason: 'unsafe-path', path: pathBytes(path).toString(), why } as const);

function wrong(path: string): Unsafe['why'] | undefined {
  if (path.includes('\0')) return 'nul';
  if (path.startsWith('/')) return 'absolute';
  const parts = path.split('/');
  if (parts.includes('') || parts.includes('.')) return 'empty';
  return parts.includes('..') ? 'outside' : undefined;
}

const wrongTarget = (target: Buffer): boolean => target.length === 0 || target.includes(0);
