import type { Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import { catFile } from './cat-file.ts';
import type { GitError } from './errors.ts';
import type { Repository } from './repository.ts';

/** Files of the branch that are neither of one side nor of the other, but made anew from what both have. */
export interface Computed {
  /** The file of which every side's version is given, as far as it has one. */
  readonly from: string;
  readonly compute: (versions: readonly string[]) => ReadonlyMap<string, string>;
}

export interface WrittenFile {
  readonly path: string;
  readonly content: Buffer;
}

/** Of each side, a commit, its version is read. */
export async function computeFiles(
  repository: Repository,
  sides: readonly Oid[],
  { from, compute }: Computed,
): Promise<Result<readonly WrittenFile[], GitError>> {
  const versions: string[] = [];
  const read = await catFile(
    repository,
    sides.map((side) => `${side}:${from}`),
    (_index, object) => {
      if (object?.type === 'blob') versions.push(object.content.toString('utf8'));
    },
  );
  if (!read.ok) return read;
  return ok([...compute(versions)].map(([path, text]) => ({ path, content: Buffer.from(text) })));
}
