/** Numbers as sbatch's `--array` has them: `1-3,7`. */
export function writeTasks(tasks: readonly number[]): string {
  const ranges: [from: number, to: number][] = [];
  for (const task of [...tasks].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === task - 1) last[1] = task;
    else ranges.push([task, task]);
  }
  return ranges.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

/** The same read back, and as squeue, sacct and scontrol write those that still wait: `5-10%2`, `1,3-7:2`. */
export function readTasks(text: string): readonly number[] {
  return text.split(',').flatMap((range) => {
    const [, from, to = from, step = '1'] = /^\s*(\d+)(?:-(\d+)(?::(\d+))?)?(?:%\d+)?\s*$/.exec(range) ?? [];
    if (from === undefined) return [];
    const count = Math.floor((Number(to) - Number(from)) / Math.max(1, Number(step))) + 1;
    return Array.from({ length: Math.max(0, count) }, (_, index) => Number(from) + index * Math.max(1, Number(step)));
  });
}
