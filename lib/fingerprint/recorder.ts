import { readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Oid } from '../base/ids.ts';
import { codeOf, readStateFile, writeCacheFile } from './state-file.ts';

/*
 * A recorder hashes in the background what post-commit had no time for. It leaves a small file, `.git/mlops/recording/COMMIT`, so that
 * a push waits for it instead of hashing the same terabyte beside it.
 */
const kind = { kind: 'mlops-recorder', version: 1 } as const;
const fileOf = (stateDir: string, commit: Oid): string => join(stateDir, 'recording', commit);

/** A sign of life is renewed this often, and without one for so long a recorder counts as dead: stopped, or on another machine. */
const pulseSeconds = 2;
const silenceSeconds = 30;

/** Says that this process records the commit. False: it cannot be said (a read-only disk), and nobody will wait. */
export const announceRecorder = (stateDir: string, commit: Oid, pid: number): boolean =>
  writeCacheFile(fileOf(stateDir, commit), kind, { pid, host: hostname(), boot: bootOf() });

/** Shows life while `work` goes on, and takes the file away after it. */
export async function asRecorder<T>(stateDir: string, commit: Oid, work: () => Promise<T>): Promise<T> {
  announceRecorder(stateDir, commit, process.pid);
  const file = fileOf(stateDir, commit);
  const pulse = setInterval(() => touch(file), pulseSeconds * 1000);
  try {
    return await work();
  } finally {
    clearInterval(pulse);
    rmSync(file, { force: true });
  }
}

/** Whether somebody is recording the commit right now. What a dead recorder left is taken away. */
export function hasRecorder(stateDir: string, commit: Oid, now: Date): boolean {
  const path = fileOf(stateDir, commit);
  const file = readStateFile(path, kind);
  if (file.state === 'absent') return false;
  const touched = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  if (touched === undefined) return false;
  const silent = now.getTime() - touched > silenceSeconds * 1000;
  if (file.state === 'there' && !silent && !isDead(file.value)) return true;
  rmSync(path, { force: true });
  return false;
}

/** Only of a process of this very system it can be said that it is not there. */
function isDead(value: unknown): boolean {
  const { pid, host, boot } = value as { readonly pid?: unknown; readonly host?: unknown; readonly boot?: unknown };
  if (typeof pid !== 'number' || host !== hostname()) return false;
  if (boot !== bootOf()) return true;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // Another user's process is a process (kill(2)).
    return codeOf(error) === 'ESRCH';
  }
}

/** Process numbers start anew with each boot. */
function bootOf(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

function touch(file: string): void {
  const now = new Date();
  try {
    utimesSync(file, now, now);
  } catch (error) {
    // Somebody has taken it away: then they hash for themselves.
    if (codeOf(error) === undefined) throw error;
  }
}
