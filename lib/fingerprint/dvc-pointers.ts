import { err, ok, type Result } from '../base/result.ts';
import { type BlobError, readBlobs } from '../git/blobs.ts';
import type { GitPlace } from '../git/spawn.ts';
import type { TreeEntry } from '../git/tree.ts';

/** What DVC keeps outside of git, by the commit's own pointers: `X.dvc` files and `dvc.lock`. DVC itself is not needed. */
export interface DvcOutput {
  /** From the top of the repository. */
  readonly path: string;
  /** 32 hex digits; of a folder that of its listing. */
  readonly md5: string;
  readonly folder: boolean;
  /** Before DVC 3: another place in the cache, and line ends of texts count as LF. */
  readonly old: boolean;
  readonly pointer: string;
  /** Of a folder whose files the pointer itself lists (cloud versioning). */
  readonly files?: readonly DvcFile[];
}
export interface DvcFile {
  /** Below the folder. */
  readonly path: string;
  readonly md5: string;
}
export interface DvcPointers {
  readonly outputs: readonly DvcOutput[];
  /** Pointers that cannot be read: somebody's merge, mostly. `path` is what they are about, as far as their name says. */
  readonly unreadable: readonly { readonly pointer: string; readonly path: string; readonly detail: string }[];
}
export const noDvcPointers: DvcPointers = { outputs: [], unreadable: [] };

const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);
const isRegular = ({ mode }: TreeEntry) => mode === '100644' || mode === '100755';
/** Files of the tree that say what DVC tracks. `dvc.yaml` has the folders that paths of `dvc.lock` count from. */
export const dvcPointers = (tree: readonly TreeEntry[]): readonly TreeEntry[] =>
  tree.filter(
    (entry) =>
      isRegular(entry) &&
      (/.\.dvc$/.test(nameOf(entry.path)) || /^dvc\.(?:lock|yaml)$/.test(nameOf(entry.path))) &&
      !/(?:^|\/)\.dvc\//.test(entry.path),
  );

export async function readDvcPointers(
  place: GitPlace,
  pointers: readonly TreeEntry[],
): Promise<Result<DvcPointers, BlobError>> {
  const texts = new Map<string, string>();
  const read = await readBlobs(place, [...new Set(pointers.map(({ oid }) => oid))], (oid, content) => {
    texts.set(oid, content.toString('utf8'));
  });
  if (!read.ok) return read;
  const { parseYaml } = await import('./yaml-text.ts');
  const parsed = new Map(pointers.map(({ path, oid }) => [path, parseYaml(texts.get(oid) ?? '')] as const));
  const outputs: DvcOutput[] = [];
  const unreadable: DvcPointers['unreadable'][number][] = [];
  for (const [pointer, document] of parsed) {
    if (nameOf(pointer) === 'dvc.yaml') continue;
    const found = document.ok ? outputsOf(pointer, document.value, parsed) : document;
    if (found.ok) outputs.push(...found.value);
    else unreadable.push({ pointer, path: pointer.replace(/\.dvc$/, ''), detail: found.error });
  }
  return ok({ outputs, unreadable });
}

type Parsed = ReadonlyMap<string, Result<unknown, string>>;

function outputsOf(pointer: string, document: unknown, parsed: Parsed): Result<readonly DvcOutput[], string> {
  const folder = pointer.slice(0, Math.max(0, pointer.lastIndexOf('/')));
  const top = mapOf(document);
  if (top === undefined) return err('it is no map');
  if (nameOf(pointer) !== 'dvc.lock') {
    const base = join(folder, typeof top.wdir === 'string' ? top.wdir : '.');
    return ok(base === undefined ? [] : listOf(top.outs).flatMap((out) => output(pointer, base, out)));
  }
  const pipeline = parsed.get(join(folder, 'dvc.yaml') ?? '');
  const stages = mapOf(mapOf(pipeline?.ok ? pipeline.value : undefined)?.stages);
  return ok(
    Object.entries(mapOf(top.stages) ?? {}).flatMap(([name, stage]) => {
      // A stage of a `foreach` or `matrix` is called NAME@ITEM.
      const { wdir } = mapOf(stages?.[name] ?? stages?.[name.replace(/@.*/, '')]) ?? {};
      // With a template in it only DVC knows the folder.
      if (typeof wdir === 'string' && wdir.includes('$')) return [];
      const base = join(folder, typeof wdir === 'string' ? wdir : '.');
      return base === undefined ? [] : listOf(mapOf(stage)?.outs).flatMap((out) => output(pointer, base, out));
    }),
  );
}

function output(pointer: string, base: string, written: unknown): readonly DvcOutput[] {
  const { path: relative, md5, hash, cache, files } = mapOf(written) ?? {};
  // What is not cached is in git or nowhere; a path with a scheme is a remote one.
  if (typeof relative !== 'string' || cache === false || /^(?:[a-z0-9+.-]+:\/\/|\/)/i.test(relative)) return [];
  const path = join(base, relative);
  if (path === undefined || path === '') return [];
  const old = hash === undefined && !Array.isArray(files);
  const listed = listOf(files).flatMap((file): DvcFile[] => {
    const { relpath, md5: content } = mapOf(file) ?? {};
    const below = typeof relpath === 'string' ? join('', relpath) : undefined;
    return below !== undefined && below !== '' && isMd5(content) ? [{ path: below, md5: content }] : [];
  });
  if (Array.isArray(files)) return [{ path, md5: '', folder: true, old, pointer, files: listed }];
  const [, digest = '', suffix] = /^([0-9a-f]{32})(\.dir)?$/.exec(typeof md5 === 'string' ? md5 : '') ?? [];
  return digest === '' ? [] : [{ path, md5: digest, folder: suffix !== undefined, old, pointer }];
}

export const isMd5 = (value: unknown): value is string => typeof value === 'string' && /^[0-9a-f]{32}$/.test(value);

/** From the top; undefined where that is outside of it. */
export function join(base: string, relative: string): string | undefined {
  if (relative.startsWith('/') || relative.includes('\0')) return undefined;
  const parts = base === '' ? [] : base.split('/');
  for (const part of relative.replaceAll('\\', '/').split('/')) {
    if (part === '..') {
      if (parts.pop() === undefined) return undefined;
    } else if (part !== '' && part !== '.') parts.push(part);
  }
  return parts.join('/');
}

const mapOf = (value: unknown): Readonly<Record<string, unknown>> | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? (value as readonly unknown[]) : []);
