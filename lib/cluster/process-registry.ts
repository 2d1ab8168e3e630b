import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startOf } from './process-table.ts';

/** What a supervisor says of its job, in `WORKDIR/processes/NAME.json`. */
export interface ProcessRecord {
  readonly version: 1;
  readonly name: string;
  /** The supervisor's, with when it started: pids are recycled. */
  readonly pid: number;
  readonly started: string;
  readonly submittedAt: number;
  /** The script's, once it runs. */
  readonly root?: { readonly pid: number; readonly started: string };
  readonly status: 'queued' | 'running' | 'ended';
  readonly how?: 'completed' | 'failed' | 'cancelled' | 'timeout' | 'out-of-memory';
  readonly exitCode?: number;
  readonly signal?: number;
  readonly runningSince?: number;
  readonly endedAt?: number;
  /** Bytes. */
  readonly peakMemory?: number;
}

const folderOf = (workdir: string): string => join(workdir, 'processes');

export function writeProcess(workdir: string, record: ProcessRecord): void {
  mkdirSync(folderOf(workdir), { recursive: true, mode: 0o700 });
  const path = join(folderOf(workdir), `${record.name}.json`);
  writeFileSync(`${path}.${process.pid}.tmp`, `${JSON.stringify(record)}\n`);
  renameSync(`${path}.${process.pid}.tmp`, path);
}

/** Undefined: no such job, or a file that cannot be believed. */
export function readProcess(workdir: string, name: string): ProcessRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(join(folderOf(workdir), `${name}.json`), 'utf8')) as ProcessRecord;
    return record.version === 1 && record.name === name ? record : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

export function allProcesses(workdir: string): readonly ProcessRecord[] {
  mkdirSync(folderOf(workdir), { recursive: true, mode: 0o700 });
  return readdirSync(folderOf(workdir))
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => readProcess(workdir, file.slice(0, -'.json'.length)) ?? []);
}

export const isAlive = (process: Pick<ProcessRecord, 'pid' | 'started'>): boolean =>
  startOf(process.pid) === process.started;

/** A script whose supervisor was killed: nobody keeps its limits or waits for its end. */
export const isOrphan = (record: ProcessRecord): boolean =>
  record.status === 'running' && !isAlive(record) && record.root !== undefined && isAlive(record.root);
