import { chmod, lstat, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { err, ok, type Result } from '../base/result.ts';
import type { LefthookError } from './hooks-lefthook.ts';
import type { HookPlaceError } from './hooks-place.ts';
import type { HookName } from './hooks-shim.ts';
import { addBlock, findBlock, isShellScript, removeBlock } from './hooks-text.ts';

export interface HookAction {
  /** Undefined: lefthook's config, which holds all of them. */
  readonly hook: HookName | undefined;
  readonly file: string;
  readonly action:
    | 'created'
    | 'added'
    | 'updated'
    | 'unchanged'
    /** The hook that was there is now at `original`, and is called after ours. */
    | 'moved-aside'
    | 'removed'
    | 'deleted'
    | 'restored';
  readonly original?: string;
}

export type HookError =
  | HookPlaceError
  | LefthookError
  /** A hook has to be moved aside, and a file with that name is there. */
  | { readonly reason: 'original-in-the-way'; readonly file: string }
  | { readonly reason: 'not-writable'; readonly file: string; readonly detail: string };

export async function installFile(file: string, hook: HookName, lines: string): Promise<Result<HookAction, HookError>> {
  const before = await readText(file);
  const ours = before !== undefined && findBlock(before) !== undefined;
  if (before !== undefined && !ours && !(await canHoldOurs(file, before))) {
    const original = originalOf(file);
    if ((await lstat(original).catch(() => undefined)) !== undefined)
      return err({ reason: 'original-in-the-way', file: original });
    await rename(file, original);
    await writeHook(file, addBlock(undefined, lines + chain));
    return ok({ hook, file, action: 'moved-aside', original });
  }
  const after = withChain(before, lines);
  if (after === before) return ok({ hook, file, action: 'unchanged' });
  await writeHook(file, after);
  return ok({ hook, file, action: before === undefined ? 'created' : ours ? 'updated' : 'added' });
}

/** A link leads to a file that is tracked or shared; a file without the x bit is a hook that somebody switched off. */
async function canHoldOurs(file: string, text: string): Promise<boolean> {
  if ((await lstat(file)).isSymbolicLink() || !isShellScript(text)) return false;
  return (await isExecutable(file)) || dirname(file).endsWith('/.husky');
}

const originalOf = (file: string): string => `${file}.mlops-original`;
const chain = 'if [ -x "$0.mlops-original" ]; then exec "$0.mlops-original" "$@"; fi\n';

/** A file that calls a hook which was moved aside goes on calling it. */
export function withChain(before: string | undefined, lines: string): string {
  const found = before === undefined ? undefined : findBlock(before);
  const chained = found !== undefined && before?.slice(found.from, found.to).includes(chain) === true;
  return addBlock(before, chained ? lines + chain : lines);
}

export async function removeFile(file: string, hook: HookName): Promise<readonly HookAction[]> {
  const text = await readText(file);
  if (text === undefined || findBlock(text) === undefined) return [];
  const without = removeBlock(text);
  if (without !== undefined) {
    await writeHook(file, without);
    return [{ hook, file, action: 'removed' }];
  }
  const original = originalOf(file);
  if (text.includes(chain) && (await lstat(original).catch(() => undefined)) !== undefined) {
    await rename(original, file);
    return [{ hook, file, action: 'restored', original }];
  }
  await rm(file);
  return [{ hook, file, action: 'deleted' }];
}

/** Undefined: no such file. A link that leads nowhere is a file too: it is moved aside like any other link. */
export async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'latin1');
  } catch (error) {
    if (!isErrno(error) || (error.code !== 'ENOENT' && error.code !== 'ENOTDIR')) throw error;
    return (await lstat(file).catch(() => undefined)) === undefined ? undefined : '';
  }
}

/** With the mode that the file had. A new one is executable for whom the umask allows it. */
export async function writeHook(file: string, text: string): Promise<void> {
  const mode = await stat(file).then(
    (found) => found.mode & 0o7777,
    () => undefined,
  );
  const temporary = `${file}.mlops-${process.pid}.tmp`;
  try {
    await writeFile(temporary, text, { encoding: 'latin1', mode: 0o777 });
    if (mode !== undefined) await chmod(temporary, mode);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

export const isExecutable = async (file: string): Promise<boolean> => ((await stat(file)).mode & 0o111) !== 0;
/** What the file system refuses is an answer; anything else is our bug. */
export async function guarded<T>(work: () => Promise<Result<T, HookError>>): Promise<Result<T, HookError>> {
  try {
    return await work();
  } catch (error) {
    if (!isErrno(error)) throw error;
    return err({ reason: 'not-writable', file: error.path ?? '', detail: error.message });
  }
}

/** By its shape: an error of another realm is no instance of our Error. */
const isErrno = (error: unknown): error is NodeJS.ErrnoException =>
  typeof error === 'object' && error !== null && 'code' in error && 'syscall' in error;
