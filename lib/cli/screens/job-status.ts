import { unreachable } from '../../base/unreachable.ts';
import type { JobStatus, TaskCounts } from '../../cluster/scheduler.ts';
import { formatLocalTime } from '../../report/local-time.ts';
import { plural } from '../../report/numbers.ts';
import { joined, said } from './layout.ts';
import { pendingReason } from './pending.ts';
import type { Clock } from './setting.ts';

/** `4th for gpu (Resources) · likely start 14:32`. */
export function queuedText(status: Extract<JobStatus, { state: 'queued' }>, clock: Clock): string {
  const { reason, ahead, partition, expectedStart, counts } = status;
  // Before its first task there is nothing to count.
  const tasks = counts !== undefined && counts.ended > 0 ? tasksText(counts) : undefined;
  const place =
    ahead === undefined
      ? undefined
      : `${ordinal(ahead + 1)}${partition === undefined ? '' : ` for ${said(partition, 30)}`}`;
  const start =
    expectedStart === undefined
      ? undefined
      : `likely start ${formatLocalTime(expectedStart, clock.now, clock.timeZone)}`;
  // For the two ordinary reasons the place in the queue says it all.
  if (place !== undefined && /^(?:Resources|Priority)$/.test(reason))
    return joined([tasks, `${place} (${reason})`, start]);
  const partitionAlone = place === undefined && partition !== undefined ? said(partition, 30) : undefined;
  return joined([tasks, place ?? partitionAlone, pendingReason(reason), start]);
}

/** `7 of 20 tasks ended, 3 running`. */
export const tasksText = (counts: TaskCounts | undefined): string | undefined =>
  counts === undefined
    ? undefined
    : `${counts.ended} of ${plural(counts.tasks, 'task')} ended, ${counts.running} running`;

export function statusText(status: JobStatus, clock: Clock): string {
  switch (status.state) {
    case 'queued':
      return joined(['queued', queuedText(status, clock)]);
    case 'running':
      return joined(['running', said(status.node, 40), tasksText(status.counts)]);
    case 'ended':
      return joined(['ended', said(status.word, 40)]);
    case 'absent':
      return 'the scheduler does not know it any more';
    case 'unknown':
      return `in a state that is not known here: ${said(status.word, 40)}`;
    default:
      return unreachable(status);
  }
}

export function ordinal(number: number): string {
  const end = number % 100 >= 11 && number % 100 <= 13 ? 'th' : (['th', 'st', 'nd', 'rd'][number % 10] ?? 'th');
  return `${number}${end}`;
}
