import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { err, ok, type Result } from '../base/result.ts';
import { join as below, type DvcFile, type DvcOutput, isMd5 } from './dvc-pointers.ts';
import { codeOf } from './state-file.ts';

/** Where DVC keeps an output's content: the cache of the `.dvc` folder that is nearest above its pointer. */
export function dvcCacheFolder(top: string, pointer: string): string {
  let folder = dirname(pointer);
  while (folder !== '.' && !isFolder(join(top, folder, '.dvc'))) folder = dirname(folder);
  const own = join(top, folder, '.dvc');
  for (const name of ['config.local', 'config']) {
    const written = cacheDir(readText(join(own, name)) ?? '');
    if (written !== undefined) return isAbsolute(written) ? written : resolve(own, written);
  }
  return join(own, 'cache');
}

/** `dir` of the section `[cache]` (dvc config cache.dir). */
function cacheDir(config: string): string | undefined {
  let section = '';
  for (const line of config.split(/\r?\n/)) {
    section = /^\s*\[\s*(.*?)\s*\]\s*$/.exec(line)?.[1] ?? section;
    const [, value] = /^\s*dir\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (section === 'cache' && value !== undefined) return value.replace(/^(['"])(.*)\1$/, '$2');
  }
  return undefined;
}

/** The file of the cache with that content, if there is one. */
export function cachedFile(cache: string, md5: string, old: boolean, suffix = ''): string | undefined {
  const rest = `${md5.slice(0, 2)}/${md5.slice(2)}${suffix}`;
  const places = [`${cache}/files/md5/${rest}`, `${cache}/${rest}`];
  return (old ? places.reverse() : places).find((path) => statSync(path, { throwIfNoEntry: false })?.isFile());
}

/** A folder's files, from its listing in the cache; undefined: it is not there. */
export function dvcListing(cache: string, output: DvcOutput): Result<readonly DvcFile[] | undefined, string> {
  if (output.files !== undefined) return ok(output.files);
  const file = cachedFile(cache, output.md5, output.old, '.dir');
  const text = file === undefined ? undefined : readText(file);
  if (file === undefined || text === undefined) return ok(undefined);
  if (createHash('md5').update(text).digest('hex') !== output.md5) return err(file);
  const found: DvcFile[] = [];
  for (const entry of listOf(text)) {
    const path = typeof entry.relpath === 'string' ? below('', entry.relpath) : undefined;
    if (path === undefined || path === '' || !isMd5(entry.md5)) return err(file);
    found.push({ path, md5: entry.md5 });
  }
  return ok(found);
}

type Listed = { readonly md5?: unknown; readonly relpath?: unknown };
/** An entry without a name belongs to a text that is no listing. */
function listOf(text: string): readonly Listed[] {
  try {
    const list: unknown = JSON.parse(text);
    return Array.isArray(list) ? list.map((entry: Listed | null) => entry ?? {}) : [{}];
  } catch {
    return [{}];
  }
}

const chunk = 1 << 20;

/**
 * Whether a file of the cache is what its name says. Before DVC 3 a text was hashed with LF for CRLF, in pieces of 1 MiB: a pair on the seam of
 * two pieces stayed one.
 */
export async function isContentOf(path: string, md5: string, old: boolean, signal?: AbortSignal): Promise<boolean> {
  const plain = createHash('md5');
  const unix = createHash('md5');
  const buffer = Buffer.allocUnsafeSlow(chunk);
  const file = await open(path);
  try {
    for (let filled = chunk; filled === chunk && signal?.aborted !== true; ) {
      filled = 0;
      for (let count = -1; count !== 0 && filled < chunk; filled += count) {
        count = (await file.read(buffer, filled, chunk - filled)).bytesRead;
      }
      const piece = buffer.subarray(0, filled);
      plain.update(piece);
      if (old) unix.update(Buffer.from(piece.toString('latin1').replaceAll('\r\n', '\n'), 'latin1'));
    }
  } finally {
    await file.close();
  }
  return plain.digest('hex') === md5 || (old && unix.digest('hex') === md5);
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === undefined) throw error;
    return undefined;
  }
}
