import { readManifest } from '../fingerprint/manifests.ts';
import { sameData } from '../fingerprint/same-data.ts';
import type { Repository } from '../git/repository.ts';
import type { Finding } from '../verdict/types.ts';
import type { Identified } from './identify.ts';

/** Larger lists are not looked through: a verdict that is known is to be there at once. */
const mostFiles = 100_000;

/** What is odd about a commit's data, as far as this clone knows its files. */
export function oddData({ stateDir }: Pick<Repository, 'stateDir'>, { inputs, data }: Identified): readonly Finding[] {
  const sets = Object.entries(inputs.data);
  if (sets.length < 2 || sets.reduce((sum, [, { files }]) => sum + files, 0) > mostFiles) return [];
  const known = sets.flatMap(([entry, { hash }]) => {
    const manifest = data[entry] === undefined ? readManifest(stateDir, hash) : undefined;
    const files = data[entry] ?? (manifest?.ok ? manifest.value : undefined);
    return files === undefined ? [] : [[entry, files] as const];
  });
  return sameData(Object.fromEntries(known)).map(({ entry, within, both }) => ({
    name: 'same-data-twice',
    severity: 'warn',
    detail: both ? `${entry} and ${within} have the same content` : `all of ${entry} is in ${within}`,
  }));
}
