import type { ArrayAttempt } from '../cluster/run-store.ts';
import type { RunResult } from '../verdict/types.ts';

/** Of an array only the tasks that the infrastructure ended are run again: the results of the others stand, as passes or as fails. */
export function takenFrom(before: RunResult | undefined): { readonly taken?: ArrayAttempt['taken'] } {
  if (before?.taskSeconds === undefined) return {};
  const tasks = (before.tasks ?? []).flatMap(({ lost }, index) => (lost === true ? [] : [index + 1]));
  const some = tasks.length > 0 && tasks.length < (before.tasks ?? []).length;
  return some ? { taken: { tasks, from: before.attempt } } : {};
}
