import { allRows, type ProcessRow } from './process-table.ts';

/** A process and all below it. Jupyter's kernels have sessions of their own, so that a process group would miss them. */
export function processTree(root: number): readonly ProcessRow[] {
  const rows = allRows();
  const below = new Map<number, ProcessRow[]>();
  for (const row of rows) below.set(row.parent, [...(below.get(row.parent) ?? []), row]);
  const found = rows.filter(({ pid }) => pid === root);
  // Grows while it is walked.
  for (const { pid } of found) found.push(...(below.get(pid) ?? []));
  return found;
}

/** Sends a signal to each; one that has ended in between is what was wanted. */
export function signalAll(tree: readonly ProcessRow[], signal: NodeJS.Signals): void {
  for (const { pid } of tree) {
    try {
      process.kill(pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}
