import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ok, type Result } from '../base/result.ts';
import type { Config } from './types.ts';

/** Raise it when Config, a default or the meaning of a key changes: an older cache is then not read. */
const format = 3;

/** The config by the blob of its file and the overrides (`key` says both), without loading yaml and zod a second time. */
export async function cachedConfig<E>(
  stateDir: string,
  key: string,
  load: () => Promise<Result<Config, E>>,
): Promise<Result<Config, E>> {
  const file = join(stateDir, 'config.json');
  const cached = await readCache(file, key);
  if (cached !== undefined) return ok(cached);
  const loaded = await load();
  if (loaded.ok) await writeCache(stateDir, file, { format, key, config: loaded.value });
  return loaded;
}

interface Cache {
  readonly format: number;
  readonly key: string;
  readonly config: Config;
}

async function readCache(file: string, key: string): Promise<Config | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const cache = JSON.parse(text) as Partial<Cache> | null;
    return cache?.format === format && cache.key === key && cache.config?.version === 1 ? cache.config : undefined;
  } catch {
    // Cut off or foreign: it is written anew.
    return undefined;
  }
}

/** A cache that cannot be written (a full disk, a folder of somebody else) costs time and nothing else. */
async function writeCache(stateDir: string, file: string, cache: Cache): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    await mkdir(stateDir, { recursive: true });
    await writeFile(temporary, JSON.stringify(cache));
    await rename(temporary, file);
  } catch {
    await rm(temporary, { force: true }).catch(() => undefined);
  }
}
