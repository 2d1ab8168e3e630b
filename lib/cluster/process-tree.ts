import { execFileSync } from 'node:child_process';

export interface TreeProcess {
  readonly pid: number;
  /** Bytes resident. */
  readonly memory: number;
}

/** A process and all below it. Jupyter's kernels have sessions of their own, so that a process group would miss them. */
export function processTree(root: number): readonly TreeProcess[] {
  const rows = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,rss='], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const found: TreeProcess[] = [];
  const waiting = [root];
  for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
    const row = rows.find(([pid]) => pid === next);
    if (row !== undefined) found.push({ pid: next, memory: (row[2] ?? 0) * 1024 });
    for (const [pid, parent] of rows) if (parent === next && pid !== undefined) waiting.push(pid);
  }
  return found;
}

/** Sends a signal to each; one that has ended in between is what was wanted. */
export function signalAll(tree: readonly TreeProcess[], signal: NodeJS.Signals): void {
  for (const { pid } of tree) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
