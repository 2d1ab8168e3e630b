import { isUtf8 } from 'node:buffer';
import { asOid, type Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { GitError } from './errors.ts';
import { type GitPlace, git, gitText } from './spawn.ts';

export interface TreeEntry {
  /** From the top, with slashes. */
  readonly path: string;
  /** 160000 is a submodule: its oid is a commit of another repository. */
  readonly mode: '100644' | '100755' | '120000' | '160000';
  readonly oid: Oid;
}

export type TreeError =
  | GitError
  /** Bytes that are no text: neither a config's glob nor JSON can name this file. `path` shows them as \xNN. */
  | { readonly reason: 'path-not-utf8'; readonly path: string };

/** All files of a commit (or tree), sorted as git sorts: by bytes. */
export async function readTree(place: GitPlace, commit: Oid): Promise<Result<readonly TreeEntry[], TreeError>> {
  const output = await git(place, ['ls-tree', '-r', '-z', '--full-tree', commit]);
  return output.ok ? parseTree(output.value.stdout) : output;
}

/** How many paths go on one command line: the kernel takes 2 MB of arguments, and a path may have 4096 bytes. */
const atOnce = 200;

/** Those of the files that the commit has, without reading all of a large tree. */
export async function readTreePaths(
  place: GitPlace,
  commit: Oid,
  paths: readonly string[],
): Promise<Result<readonly TreeEntry[], TreeError>> {
  const entries: TreeEntry[] = [];
  for (let from = 0; from < paths.length; from += atOnce) {
    const wanted = paths.slice(from, from + atOnce);
    const output = await git(place, ['ls-tree', '-r', '-z', '--full-tree', commit, '--', ...wanted]);
    if (!output.ok) return output;
    const found = parseTree(output.value.stdout);
    if (!found.ok) return found;
    // A folder that stands where a file was is listed with all that is in it.
    entries.push(...found.value.filter(({ path }) => wanted.includes(path)));
  }
  return ok(entries);
}

/** `MODE TYPE OID\tPATH\0` (git-ls-tree(1)). */
export function parseTree(bytes: Buffer): Result<readonly TreeEntry[], TreeError> {
  if (!isUtf8(bytes)) return err({ reason: 'path-not-utf8', path: firstForeignPath(bytes) });
  const entries: TreeEntry[] = [];
  for (const record of bytes.toString().split('\0')) {
    if (record === '') continue;
    const tab = record.indexOf('\t');
    const [mode = '', , oid = ''] = record.slice(0, tab).split(' ');
    entries.push({ path: record.slice(tab + 1), mode: fileMode(mode), oid: asOid(oid) });
  }
  return ok(entries);
}

/** 100664 is from git's first months, and still in old histories: git itself reads it as 100644. */
function fileMode(mode: string): TreeEntry['mode'] {
  return mode === '100755' || mode === '120000' || mode === '160000' ? mode : '100644';
}

function firstForeignPath(bytes: Buffer): string {
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(0, start);
    const record = bytes.subarray(bytes.indexOf(9, start) + 1, end);
    if (!isUtf8(record)) {
      return record
        .toString('latin1')
        .replace(/[^ -~]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16).padStart(2, '0')}`);
    }
    start = end + 1;
  }
  throw new Error('every path is UTF-8');
}

/** Equal trees have equal files: what tells that an amended commit is the same content. */
export async function treeOid(place: GitPlace, commit: Oid): Promise<Result<Oid, GitError>> {
  const text = await gitText(place, ['rev-parse', '--verify', '--end-of-options', `${commit}^{tree}`]);
  return text.ok ? ok(asOid(text.value)) : text;
}
