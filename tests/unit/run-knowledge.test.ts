import { expect, test } from '@jest/globals';
import type { JobStatus } from '../../lib/cluster/scheduler.ts';
import { type KnownBefore, RunKnowledge } from '../../lib/gate/run-knowledge.ts';

const minutes = (count: number) => count * 60_000;
const seconds = (count: number) => count * 1000;
const queued: JobStatus = { state: 'queued', reason: 'Priority' };
const running: JobStatus = { state: 'running', node: 'c1', elapsedSeconds: 1 };
const completed: JobStatus = { state: 'ended', how: 'completed', word: 'COMPLETED', elapsedSeconds: 9 };
const word = (name: string, text = '') => ({ kind: 'state', name, text }) as const;
const knowledge = (before: Partial<KnownBefore> = {}) =>
  new RunKnowledge(0, { lingers: false, logFrom: 0, isNew: false, ...before });

/** Follows a run that stands still: when is the scheduler asked, when are the files looked at, how long does the loop watch? */
function follow(known: RunKnowledge, from: number, until: number, status: JobStatus) {
  const asked: number[] = [];
  const looked: number[] = [];
  let watched = 0;
  for (let now = from; now < until; ) {
    const [look, ask] = [known.secondsToLook(now), known.secondsToQuestion(now)];
    if (look <= 0) {
      looked.push(now);
      known.looked(now);
    } else if (ask <= 0) {
      asked.push(now);
      known.asked(now);
      known.heed(status, now);
    } else {
      const next = Math.max(now + 1, Math.min(until, now + Math.min(look, ask) * 1000));
      if (known.isWatched(now)) watched += next - now;
      now = next;
    }
  }
  return { asked, looked, watched };
}

test('the scheduler is asked at once, then at most every 20 s, of a job that runs every 30 s, and less as the wait grows', () => {
  const waits = knowledge();
  expect(follow(waits, 0, minutes(5), queued).asked).toHaveLength(15);
  const runs = knowledge();
  runs.hear(word('now'), 0);
  expect(follow(runs, 0, minutes(5), running).asked).toHaveLength(10);
  const day = follow(knowledge(), 0, minutes(24 * 60), queued);
  // 15 in the first five minutes, 48 in the rest of the first hour, 12 an hour in the end.
  expect(day.asked.filter((at) => at < minutes(60)).length).toBeLessThanOrEqual(63);
  expect(day.asked.filter((at) => at >= minutes(23 * 60)).length).toBeLessThanOrEqual(12);
});

test('the loop watches for ten minutes; from then on its files are looked at rarely', () => {
  const hour = follow(knowledge(), 0, minutes(60), queued);
  expect(hour.watched).toBeLessThanOrEqual(minutes(10) + seconds(30));
  expect(hour.looked.length).toBeGreaterThan(30);
  expect(hour.looked.length).toBeLessThan(45);
});

test('a job that begins after a long wait is watched again, for ten minutes', () => {
  const known = knowledge();
  follow(known, 0, minutes(60), queued);
  expect(known.isWatched(minutes(60))).toBe(false);
  known.hear(word('now', 'environment'), minutes(60));
  expect(known.isWatched(minutes(60))).toBe(true);
  expect(follow(known, minutes(60), minutes(120), running).watched).toBeLessThanOrEqual(minutes(10) + seconds(30));
});

test('processes of this machine are always watched', () => {
  expect(knowledge({ lingers: true }).isWatched(minutes(24 * 60))).toBe(true);
});

test('a job’s own word that it has begun is ahead of the scheduler, and asks it nothing', () => {
  const known = knowledge();
  known.asked(0);
  known.heed(queued, 0);
  expect(known.hear(word('started', 'job=7 node=c117 at=1\ncpu=x\n'), seconds(3))).toEqual({
    state: 'running',
    node: 'c117',
    elapsedSeconds: 0,
  });
  expect(known.secondsToQuestion(seconds(3))).toBeGreaterThan(20);
  // An answer of the moment before does not put it back, one of much later does.
  known.heed(queued, seconds(4));
  expect(known.last).toMatchObject({ state: 'running', node: 'c117' });
  known.heed(queued, minutes(2));
  expect(known.last).toEqual(queued);
});

test('an end needs both signals, or the scheduler’s alone for as long as files may be on their way', () => {
  const both = knowledge();
  both.asked(0);
  both.hear(word('end', 'run=a'), seconds(5));
  expect(both.secondsToQuestion(seconds(5))).toBeLessThanOrEqual(0);
  expect(both.heed(running, seconds(5))).toBe(false);
  expect(both.heed(completed, seconds(6))).toBe(true);

  const silent = knowledge();
  silent.hear(word('now'), 0);
  expect(silent.heed(completed, seconds(10))).toBe(false);
  expect(silent.heed(completed, seconds(29))).toBe(false);
  expect(silent.heed(completed, seconds(30))).toBe(true);

  const forgotten = knowledge();
  expect(forgotten.heed({ state: 'absent' }, 0)).toBe(false);
  expect(forgotten.heed({ state: 'absent' }, seconds(119))).toBe(false);
  expect(forgotten.heed({ state: 'absent' }, seconds(120))).toBe(true);
});

test('of a job that was cancelled in the queue nothing is waited for', () => {
  const known = knowledge();
  expect(known.heed({ state: 'ended', how: 'cancelled', word: 'CANCELLED', elapsedSeconds: 0 }, 0)).toBe(true);
});

test('after the last word the scheduler is asked soon, and again with growing pauses', () => {
  const known = knowledge();
  known.asked(0);
  known.hear(word('end'), seconds(20));
  const { asked } = follow(known, seconds(20), seconds(60), running);
  expect(asked.slice(0, 4).map((at) => at / 1000)).toEqual([20, 20.3, 20.9, 22.1]);
  expect(asked.length).toBeLessThan(9);
});

test('of a job that was submitted a moment ago the scheduler is asked after three seconds, and not at all if it begins by then', () => {
  expect(follow(knowledge({ isNew: true }), 0, seconds(30), queued).asked).toEqual([seconds(3), seconds(23)]);
  const known = knowledge({ isNew: true });
  expect(known.hear(word('started', 'job=7 node=c117 at=1\ncpu=x\n'), seconds(1))).toMatchObject({ state: 'running' });
  expect(known.state).toBe('running');
  expect(follow(known, seconds(1), seconds(60), running).asked).toEqual([seconds(30)]);
  // Of a process of this machine that costs nothing.
  expect(knowledge({ isNew: true, lingers: true }).secondsToQuestion(0)).toBe(0);
});

test('what the scheduler said a moment ago it is not asked again', () => {
  const known = knowledge({ said: queued });
  expect(known).toMatchObject({ state: 'queued', suffices: true });
  expect(known.secondsToQuestion(0)).toBe(20);
  expect(knowledge().suffices).toBe(false);
});

test('a last word that comes after the scheduler’s needs no further question', () => {
  const known = knowledge();
  known.asked(0);
  expect(known.heed(completed, 0)).toBe(false);
  expect(known.state).toBe('ended');
  known.hear(word('end', 'run=a'), seconds(2));
  expect(known).toMatchObject({ state: 'collecting', last: completed });
});
