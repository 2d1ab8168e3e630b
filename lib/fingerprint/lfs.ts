import { asSha256, type Sha256 } from '../base/ids.ts';

/** A Git LFS pointer (git-lfs, docs/spec.md): a small text that stands for the content. */
export function lfsPointer(content: Buffer): { readonly sha256: Sha256; readonly size: number } | undefined {
  if (
    content.length >= 1024 ||
    !content.toString('latin1', 0, 43).startsWith('version https://git-lfs.github.com/spec/v1')
  ) {
    return undefined;
  }
  const text = content.toString('utf8');
  const oid = /^oid sha256:([0-9a-f]{64})$/m.exec(text)?.[1];
  const size = /^size (\d+)$/m.exec(text)?.[1];
  return oid === undefined || size === undefined ? undefined : { sha256: asSha256(oid), size: Number(size) };
}

/** Where git-lfs keeps that content, below the repository's common directory. */
export const lfsPath = (commonDir: string, sha256: Sha256): string =>
  `${commonDir}/lfs/objects/${sha256.slice(0, 2)}/${sha256.slice(2, 4)}/${sha256}`;
