import type { Failure } from '../verdict/types.ts';

const refused = /Permission denied|Read-only file system|EACCES|EROFS/;

/**
 * Data is read-only, and so is a folder that runs share. A step that failed because it wanted to write there has not said so in words that lead
 * anywhere: the path in its complaint does. `linked` are the data files that are not the run's own copies.
 */
export function deniedWrite(failure: Failure | undefined, linked: readonly string[]): Failure | undefined {
  if (failure?.side !== 'code' || (failure.reason !== 'exception' && failure.reason !== 'exit-status')) return failure;
  const lines = failure.detail.split('\n').filter((line) => refused.test(line));
  if (lines.length === 0 || linked.length === 0) return failure;
  const files = new Set(linked);
  const folders = new Set(linked.flatMap(foldersAbove));
  const named = lines.flatMap((line) => [
    ...[...line.matchAll(/['"‘]([^'"‘’]+)['"’]/g)].map(([, path = '']) => path),
    ...line.split(/[\s:'"‘’]+/),
  ]);
  const path = named
    .map(inTree)
    .find((one) => files.has(one) || folders.has(one.slice(0, Math.max(0, one.lastIndexOf('/')))));
  return path === undefined ? failure : { ...failure, reason: 'wrote-into-data', detail: path };
}

/** As the commit has it: steps are run in `tree/`, and some say where that is. */
const inTree = (path: string): string => path.replace(/^.*\/tree\//, '').replace(/^(?:\.\/)+/, '');

function foldersAbove(path: string): readonly string[] {
  const found: string[] = [];
  for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) found.push(path.slice(0, end));
  return found;
}
