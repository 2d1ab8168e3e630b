import type { KeptFile } from '../verdict/types.ts';

/** `HASH SIZE ROLE PATH`, a line each. */
export function keptFiles(text: string): KeptFile[] {
  return text.split('\n').flatMap((line): KeptFile[] => {
    const [, sha256, size, role, path] = /^([0-9a-f]{64}) (\d+) (log|notebook|artifact) (.+)$/.exec(line) ?? [];
    if (sha256 === undefined || path === undefined) return [];
    return [{ path, sha256, size: Number(size), role: role === 'log' || role === 'notebook' ? role : 'artifact' }];
  });
}
