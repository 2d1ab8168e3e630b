import { describe, expect, test } from '@jest/globals';
import { asJobId } from '../../lib/base/ids.ts';
import { readTasks, writeTasks } from '../../lib/cluster/array-tasks.ts';
import type { JobRef, JobStatus } from '../../lib/cluster/scheduler.ts';
import { arrayInQueue, arrayStatus } from '../../lib/cluster/slurm-array.ts';
import { accounted, parseQueue, shown } from '../../lib/cluster/slurm-parse.ts';

// What Slurm 22.05 has really printed of `--array=1-3,7,9-40%2`, with SLURM_TIME_FORMAT=%s and SLURM_BITSTR_LEN=0.
const name = 'mlops-65331aaaaaaaaaaa.1';
const job: JobRef = { id: asJobId('1'), name, submittedAt: 1795536159, tasks: [1, 2, 3, 7, 9, 40] };
const now = 1795536180;
const queueOf = (...lines: string[]) =>
  arrayInQueue(
    job,
    parseQueue(lines.join('\n'), () => undefined),
  );
const waiting = (tasks: string) => `1|PENDING|${tasks}|JobArrayTaskLimit|N/A|0:00||main|1795536159|4294901759|${name}`;
const task = (number: number, state: string, node = 'c1', elapsed = '0:03') =>
  `1|${state}|${number}|None|1795536161|${elapsed}|${node}|main|1795536159|4294901759|${name}`;

test.each([
  [[1, 2, 3, 7, 9, 10], '1-3,7,9-10'],
  [[4], '4'],
  [[3, 1, 2], '1-3'],
])('the numbers %j are written %s, and read back', (numbers, text) => {
  expect(writeTasks(numbers)).toBe(text);
  expect(readTasks(text)).toEqual([...numbers].sort((a, b) => a - b));
});

test('those that wait are read with their throttle, and with a step', () => {
  expect(readTasks('3,7,9-11%2')).toEqual([3, 7, 9, 10, 11]);
  expect(readTasks('0-6:3')).toEqual([0, 3, 6]);
  expect(readTasks('N/A')).toEqual([]);
  expect(readTasks('')).toEqual([]);
});

describe('an array', () => {
  test('waits as long as none of its tasks runs', () => {
    const status = queueOf(waiting('1-3,7,9-40%2'));
    expect(status).toMatchObject({ state: 'queued', reason: 'JobArrayTaskLimit' });
    expect(status).toHaveProperty('counts', { tasks: 6, ended: 0, running: 0 });
  });

  test('runs where one of its tasks does, and every task is counted', () => {
    expect(
      queueOf(waiting('7,9-40%2'), task(1, 'COMPLETED'), task(2, 'RUNNING'), task(3, 'RUNNING', 'c2', '0:09')),
    ).toEqual({ state: 'running', node: 'c1, c2', elapsedSeconds: 9, counts: { tasks: 6, ended: 1, running: 2 } });
  });

  test('waits again between two of its tasks', () => {
    const status = queueOf(waiting('9-40%2'), task(1, 'COMPLETED'));
    expect(status).toMatchObject({ state: 'queued', counts: { tasks: 6, ended: 4, running: 0 } });
  });

  test('is nothing of squeue’s once all have ended, nor is one that only has its number', () => {
    expect(queueOf(task(1, 'COMPLETED'), task(2, 'FAILED'))).toBeUndefined();
    expect(queueOf('1|RUNNING|2|None|1|0:01|c1|main|1|1|theirs')).toBeUndefined();
  });

  test('of which one task alone is meant is that task', () => {
    const lines = parseQueue([waiting('7%2'), task(2, 'RUNNING')].join('\n'), () => undefined);
    expect(arrayInQueue({ ...job, tasks: [2] }, lines)).toMatchObject({ state: 'running', counts: { tasks: 1 } });
    expect(arrayInQueue({ ...job, tasks: [3] }, lines)).toBeUndefined();
  });

  const end = (how: 'completed' | 'failed' | 'node-failed', more = {}): JobStatus => ({
    state: 'ended',
    how,
    word: how.toUpperCase(),
    ...more,
  });
  test('has ended as the worst of its tasks has, with the end of each', () => {
    const status = arrayStatus(
      new Map([
        [1, end('completed', { elapsedSeconds: 9, peakMemory: 5 })],
        [2, end('failed', { elapsedSeconds: 3 })],
        [3, end('node-failed', { peakMemory: 7 })],
      ]),
    );
    expect(status).toMatchObject({ state: 'ended', how: 'node-failed', elapsedSeconds: 9, peakMemory: 7 });
    expect(status.state === 'ended' ? [...(status.tasks ?? [])].map(([number, { how }]) => [number, how]) : []).toEqual(
      [
        [1, 'completed'],
        [2, 'failed'],
        [3, 'node-failed'],
      ],
    );
    expect(
      arrayStatus(
        new Map([
          [1, end('completed')],
          [2, end('failed')],
        ]),
      ),
    ).toMatchObject({ how: 'failed' });
  });

  test('whose first tasks are forgotten has ended as the rest; one that nobody knows is absent', () => {
    const absent: JobStatus = { state: 'absent' };
    const status = arrayStatus(
      new Map([
        [1, absent],
        [2, end('completed')],
      ]),
    );
    expect(status).toMatchObject({ state: 'ended', how: 'completed' });
    expect(status.state === 'ended' && status.tasks?.has(1)).toBe(false);
    expect(arrayStatus(new Map([[1, absent]]))).toEqual(absent);
  });

  test('is not over as long as one of them may come back, or is in a state that is not known', () => {
    const back: JobStatus = { state: 'queued', reason: 'PREEMPTED' };
    expect(
      arrayStatus(
        new Map([
          [1, end('completed')],
          [2, back],
        ]),
      ),
    ).toMatchObject({ state: 'queued' });
    const unknown: JobStatus = { state: 'unknown', word: 'HIBERNATING' };
    expect(
      arrayStatus(
        new Map([
          [1, end('completed')],
          [2, unknown],
        ]),
      ),
    ).toEqual(unknown);
  });
});

describe('a task that has ended', () => {
  const sacct = [
    `1_1|COMPLETED|0:0|1795536159|1795536164|3||500M|1|1|c1|${name}`,
    '1_1.batch|COMPLETED|0:0|1795536161|1795536164|3|2680K||1|1|c1|batch',
    `1_2|FAILED|1:0|1795536159|1795536167|6||500M|1|1|c1|${name}`,
    '1_2.batch|FAILED|1:0|1795536161|1795536167|6|2832K||1|1|c1|batch',
    `1_7|CANCELLED by 0|0:0|1795536159|1795536167|2||500M|1|1|c1|${name}`,
    '1_7.batch|CANCELLED|0:15|1795536167|1795536167|2|||1|1|c1|batch',
    `1_[7,9-40%2]|CANCELLED by 0|0:0|1795536159|1795536167|0||500M|1|0|None assigned|${name}`,
  ].join('\n');
  test('is in accounting by its number, and those that were cancelled in the queue by one line', () => {
    expect(accounted(sacct, job, now, 1)).toMatchObject({
      how: 'completed',
      elapsedSeconds: 3,
      peakMemory: 2680 * 1024,
    });
    expect(accounted(sacct, job, now, 2)).toMatchObject({ how: 'failed', exitCode: 1 });
    expect(accounted(sacct, job, now, 7)).toMatchObject({ how: 'cancelled', elapsedSeconds: 2, node: 'c1' });
    expect(accounted(sacct, job, now, 40)).toMatchObject({ how: 'cancelled', elapsedSeconds: 0 });
    expect(accounted(sacct, job, now, 3)).toBeUndefined();
    expect(accounted(sacct, { ...job, name: 'theirs' }, now, 1)).toBeUndefined();
  });

  test('is in the controller by its number, too, and has none there where it was cancelled in the queue', () => {
    const of = (id: number, tasks: string, state: string) =>
      `JobId=${id} ArrayJobId=1 ArrayTaskId=${tasks} ArrayTaskThrottle=2 JobName=${name} UserId=ann(1001) JobState=${state} Reason=None Requeue=0 ExitCode=0:0 RunTime=00:00:03 EndTime=1795536167 NodeList=c1 BatchHost=c1`;
    const text = [of(1, '4294967294', 'CANCELLED'), of(2, '1', 'COMPLETED'), of(4, '3', 'TIMEOUT')].join('\n');
    expect(shown(text, job, now, true, 1)).toMatchObject({ how: 'completed' });
    expect(shown(text, job, now, true, 3)).toMatchObject({ how: 'timeout' });
    expect(shown(text, job, now, true, 9)).toMatchObject({ how: 'cancelled' });
    expect(shown(of(2, '1', 'COMPLETED'), job, now, true, 9)).toBeUndefined();
  });
});
