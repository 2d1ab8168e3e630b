import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { SourceRange } from '../config/types.ts';
import { formatLock, localLines } from '../fingerprint/environment-lock.ts';
import { writeWhole } from '../fingerprint/state-file.ts';
import type { GateContext } from '../gate/context.ts';
import { type Identified, identifyUnlocked } from '../gate/identify.ts';
import { readPipeline, readPipelineText } from '../gate/pipeline.ts';
import type { Connection } from '../gate/place.ts';
import { installsFromTree } from '../job/local-requirements.ts';
import { type EnvBuildError, envBuild } from './env-build.ts';
import { type ChooseError, envShow } from './env-show.ts';

export const usualLock = '.mlops/environment.lock';

export interface LockedEnvironment {
  readonly key: string;
  /** Relative to the top. */
  readonly path: string;
  readonly packages: number;
  /** False: it was there, and says the same. */
  readonly changed: boolean;
  /** The first line of it: which Python, and which platform. */
  readonly about: string;
  /** Where the config says `lock:`; absent: nowhere yet. */
  readonly range?: SourceRange;
  /** The environment as the config has it. */
  readonly source: Identified['config']['environment'];
}
export type EnvLockError =
  | EnvBuildError
  | ChooseError
  /** Of these kinds there is nothing to resolve, or it is locked already. */
  | { readonly reason: 'not-lockable'; readonly kind: string }
  /** It installs what is in the commit: no list of packages holds that. */
  | { readonly reason: 'lock-local'; readonly lines: readonly string[] }
  | { readonly reason: 'no-lock-there'; readonly key: string }
  | { readonly reason: 'no-worktree' }
  | { readonly reason: 'lock-not-written'; readonly path: string; readonly detail: string };

/**
 * `mlops env lock`: the commit's environment as it was resolved where its jobs run, built first if need be, written into the worktree.
 * What the config's own lock says does not count: it may be old, or missing.
 */
export async function envLock(
  context: GateContext,
  connection: Connection,
  place: string,
  commit: Oid,
): Promise<Result<LockedEnvironment, EnvLockError>> {
  const { top } = context.repo;
  if (top === undefined) return err({ reason: 'no-worktree' });
  const [pipeline, identified] = [await readPipeline(context.repo, commit), await identifyUnlocked(context, commit)];
  if (!pipeline.ok) return err({ reason: 'pipeline', cause: pipeline.error });
  if (!identified.ok) return identified;
  const { environment: source } = identified.value.config;
  if (source.kind !== 'conda' && source.kind !== 'packages' && source.kind !== 'venv')
    return err({ reason: 'not-lockable', kind: source.kind });
  const specification = identified.value.inputs.environment;
  if (installsFromTree(specification)) return err({ reason: 'lock-local', lines: [] });
  const built = await envBuild(context, connection, place, identified.value);
  if (!built.ok) return built;
  const { key } = built.value;
  const shown = await envShow(connection, key);
  if (!shown.ok) return shown;
  const lock = shown.value.files.get('lock.txt');
  if (lock === undefined) return err({ reason: 'no-lock-there', key });
  const lines = localLines(lock);
  if (lines.length > 0) return err({ reason: 'lock-local', lines });
  const { environment } = pipeline.value;
  const path = 'locks' in environment && environment.locks !== undefined ? environment.file : usualLock;
  const text = formatLock(lock, specification);
  const written = await write(join(top, path), text);
  if (!written.ok) return written;
  const located = await readPipelineText(context.repo, commit);
  const range = located.ok ? located.value.locate('environment.lock') : undefined;
  return ok({
    key,
    path,
    packages: text.split('\n').filter((line) => /^(?:# pip: |[^#@\s])/.test(line)).length,
    changed: written.value,
    about: /^# mlops lock 1: (.*)$/m.exec(text)?.[1] ?? '',
    source,
    ...(range === undefined ? {} : { range }),
  });
}

/** Whether it was another before. */
async function write(path: string, text: string): Promise<Result<boolean, EnvLockError>> {
  try {
    const before = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined;
      throw error;
    });
    if (before === text) return ok(false);
    writeWhole(path, text);
    return ok(true);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    return err({ reason: 'lock-not-written', path, detail: code });
  }
}
