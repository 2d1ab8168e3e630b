import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessRow {
  readonly pid: number;
  readonly parent: number;
}

/** Linux has it in files, which costs no process; elsewhere (macOS) ps tells. */
const inFiles = process.platform === 'linux';

/** Every process of this machine. */
export function allRows(): readonly ProcessRow[] {
  if (!inFiles) return psNumbers('-A', '-o', 'pid=,ppid=').map(([pid = 0, parent = 0]) => ({ pid, parent }));
  return readdirSync('/proc').flatMap((name): ProcessRow[] => {
    const pid = Number(name);
    const fields = Number.isInteger(pid) ? statFields(pid) : undefined;
    return fields === undefined ? [] : [{ pid, parent: Number(fields[1]) }];
  });
}

/** Bytes resident, each process for itself: what they share counts in each. */
export function residentBytes(pids: readonly number[]): number {
  if (inFiles) return sum(pids.map((pid) => kilobytes(pid, 'status', 'VmRSS') ?? 0));
  return pids.length === 0 ? 0 : sum(psNumbers('-o', 'rss=', '-p', pids.join(',')).map(([size = 0]) => size));
}

/** Bytes resident, with what processes share divided among them: exact, and slow for large ones. Where it is not known, as above. */
export function sharedOutBytes(pids: readonly number[]): number {
  if (!inFiles) return residentBytes(pids);
  return sum(pids.map((pid) => kilobytes(pid, 'smaps_rollup', 'Pss') ?? kilobytes(pid, 'status', 'VmRSS') ?? 0));
}

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0) * 1024;

/** When a process started, in words that stay the same while it lives; undefined where it is gone. Pids are recycled. */
export function startOf(pid: number): string | undefined {
  if (inFiles) {
    const fields = statFields(pid);
    // A zombie has ended.
    return fields === undefined || fields[0] === 'Z' ? undefined : fields[19];
  }
  return psStart(pid);
}

/** proc(5), from `state` on: the name before it, in parentheses, may contain anything. */
function statFields(pid: number): readonly string[] | undefined {
  const text = procFile(pid, 'stat');
  return text?.slice(text.lastIndexOf(')') + 2).split(' ');
}

function kilobytes(pid: number, file: string, field: string): number | undefined {
  const found = new RegExp(`^${field}:\\s*(\\d+) kB`, 'm').exec(procFile(pid, file) ?? '')?.[1];
  return found === undefined ? undefined : Number(found);
}

function procFile(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch (error) {
    // It has ended in between, or has become somebody else's.
    if (['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

function psNumbers(...options: readonly string[]): readonly number[][] {
  return execFileSync('ps', options, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
}

function psStart(pid: number): string | undefined {
  try {
    const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
    const said = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env, stdio: 'pipe' });
    return said.trim() === '' ? undefined : said.trim();
  } catch (error) {
    // ps exits 1 where there is no such process.
    if ((error as { status?: number }).status === 1) return undefined;
    throw error;
  }
}
