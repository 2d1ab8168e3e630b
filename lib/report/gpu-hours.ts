import type { RunResult } from '../verdict/types.ts';

/** Of tasks that were jobs of their own the hours add up; undefined: it asked for no GPU, or its time is not known. */
export function gpuHours({ seconds, taskSeconds, place }: RunResult): number | undefined {
  const used = taskSeconds ?? seconds;
  return used === undefined || place.gpus === 0 ? undefined : (used * place.gpus) / 3600;
}
