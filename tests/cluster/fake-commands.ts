import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findProgram } from '../rig/requirements.ts';

export interface FakeCommands extends AsyncDisposable {
  /** To be put before PATH. */
  readonly folder: string;
  /** A site's own command in front of the real one, which it calls as `"$real"`. */
  put(name: string, ...lines: readonly string[]): Promise<void>;
  /** The real ones again. */
  clear(): Promise<void>;
}

/** A folder of programs that stand in front of Slurm's, as sites have them. */
export async function fakeCommands(): Promise<FakeCommands> {
  const folder = await mkdtemp(join(tmpdir(), 'mlops-commands-'));
  await chmod(folder, 0o755);
  return {
    folder,
    async put(name, ...lines) {
      const path = join(folder, name);
      await writeFile(path, ['#!/bin/sh', `real=${findProgram(name) ?? '/nowhere'}`, ...lines, ''].join('\n'));
      await chmod(path, 0o755);
    },
    async clear() {
      await rm(folder, { recursive: true });
      await mkdir(folder, { mode: 0o755 });
    },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
