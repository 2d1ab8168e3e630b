import type { JobEnd, JobRef, JobStatus, TaskCounts } from './scheduler.ts';
import type { QueueLine } from './slurm-parse.ts';

/**
 * What squeue says of an array while some task of it is live: several lines, of which one stands for all that still wait. Undefined where none
 * is: how they have ended, the others know.
 */
export function arrayInQueue(job: JobRef, lines: readonly QueueLine[]): JobStatus | undefined {
  const { tasks = [] } = job;
  const mine = lines
    .filter((line) => line.id === job.id && line.name === job.name)
    .map((line) => ({ ...line, tasks: (line.tasks ?? tasks).filter((task) => tasks.includes(task)) }))
    .filter((line) => line.tasks.length > 0);
  const statuses = mine.flatMap(({ status, tasks }) => (status === undefined ? [] : tasks.map(() => status)));
  return goingOn(statuses, tasks.length);
}

/** The parts' statuses as one: what is not known, then what runs, then what waits. Undefined: nothing goes on. */
function goingOn(statuses: readonly JobStatus[], all: number): JobStatus | undefined {
  const unknown = statuses.find(({ state }) => state === 'unknown');
  if (unknown !== undefined) return unknown;
  const running = statuses.flatMap((status) => (status.state === 'running' ? [status] : []));
  const queued = statuses.flatMap((status) => (status.state === 'queued' ? [status] : []));
  const counts: TaskCounts = { tasks: all, ended: all - running.length - queued.length, running: running.length };
  if (running.length > 0) {
    const nodes = [...new Set(running.map(({ node }) => node))];
    const elapsedSeconds = Math.max(...running.map((status) => status.elapsedSeconds));
    return { state: 'running', node: nodes.join(', '), elapsedSeconds, counts };
  }
  const [first] = queued;
  return first === undefined ? undefined : { ...first, counts };
}

/** Of each task's own status that of the array. Where the scheduler has forgotten some of them, it ended as the rest. */
export function arrayStatus(statuses: ReadonlyMap<number, JobStatus>): JobStatus {
  const live = goingOn([...statuses.values()], statuses.size);
  if (live !== undefined) return live;
  const tasks = new Map(
    [...statuses].flatMap(([task, status]) => (status.state === 'ended' ? [[task, status] as const] : [])),
  );
  const ends = [...tasks.values()];
  const worst = ends.find(isForeign) ?? ends.find(({ how }) => how === 'failed') ?? ends[0];
  if (worst === undefined) return { state: 'absent' };
  const most = (pick: (end: JobEnd) => number | undefined): number | undefined => {
    const known = ends.map(pick).filter((value) => value !== undefined);
    return known.length === 0 ? undefined : Math.max(...known);
  };
  const elapsedSeconds = most((end) => end.elapsedSeconds);
  const peakMemory = most((end) => end.peakMemory);
  return {
    ...worst,
    ...(elapsedSeconds === undefined ? {} : { elapsedSeconds }),
    ...(peakMemory === undefined ? {} : { peakMemory }),
    tasks,
  };
}

const isForeign = ({ how }: JobEnd): boolean => how !== 'completed' && how !== 'failed';
