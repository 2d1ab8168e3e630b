import { expect, test } from '@jest/globals';
import { asFingerprint } from '../../lib/base/ids.ts';
import { err, ok } from '../../lib/base/result.ts';
import { partialText } from '../../lib/cli/screens/gate-words.ts';
import type { GateEvent } from '../../lib/gate/events.ts';
import { PartialResults } from '../../lib/gate/partial-results.ts';
import type { RunResult } from '../../lib/verdict/types.ts';

const progress = (line: string): GateEvent => ({ event: 'progress', line });
const score = (value: number) => ({ score: { kind: 'number' as const, value, source: '' } });
const result = (...values: number[]): RunResult => ({
  version: 1,
  fingerprint: asFingerprint('a'.repeat(64)),
  attempt: 1,
  finished: false,
  steps: [],
  metrics: {},
  tasks: [
    ...values.map((value, seed) => ({
      parameters: {},
      seed,
      combination: '',
      outcome: 'passed' as const,
      metrics: score(value),
    })),
    { parameters: {}, seed: 99, combination: '', outcome: 'not-run', metrics: {} },
  ],
  place: { cluster: '', gpus: 0 },
  artifacts: [],
  findings: [],
});
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('what ended tasks measured is told once more have ended, not too often, and not when all have', async () => {
  const told: GateEvent[] = [];
  let now = 0;
  let fetched = 0;
  const partial = new PartialResults(
    async () => {
      fetched += 1;
      return ok(result(0.9, 0.92));
    },
    (event) => told.push(event),
    () => now,
  );
  for (const [seconds, line] of [
    [0, 'step 1 of 1'],
    [1, '0 of 4 tasks ended, 2 running'],
    [2, '2 of 4 tasks ended, 2 running'],
    [3, '3 of 4 tasks ended, 1 running'],
    [40, '3 of 4 tasks ended, 0 running'],
    [80, '3 of 4 tasks ended, 1 running'],
    [120, '4 of 4 tasks ended, 0 running'],
  ] as const) {
    now = seconds * 1000;
    partial.heed(progress(line));
    await settled();
  }
  expect(fetched).toBe(2);
  const [first] = told.filter(({ event }) => event === 'partial');
  expect(first).toMatchObject({ metrics: { score: { n: 2, mean: 0.91 } } });
  if (first?.event === 'partial') expect(partialText(first)).toBe('score 0.91 ± 0.01 (2 seeds)');
  expect(told.filter(({ event }) => event === 'progress')).toHaveLength(7);
});

test('where they cannot be fetched, or come too late, nothing is said', async () => {
  const told: GateEvent[] = [];
  const make = (fetch: () => Promise<ReturnType<typeof ok<RunResult>> | ReturnType<typeof err<string>>>) =>
    new PartialResults(
      fetch,
      (event) => told.push(event),
      () => 0,
    );
  make(async () => err('lost')).heed(progress('1 of 4 tasks ended, 3 running'));
  const late = make(async () => ok(result(0.9)));
  late.heed(progress('1 of 4 tasks ended, 3 running'));
  late.end();
  await settled();
  expect(told.map(({ event }) => event)).toEqual(['progress', 'progress']);
});
