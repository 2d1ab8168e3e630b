import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import type { JobStatus } from '../../lib/cluster/scheduler.ts';
import { RunKnowledge } from '../../lib/gate/run-knowledge.ts';
import { lagSeconds, type OwnWord, type RunState, runStates, type SchedulerWord } from '../../lib/gate/run-state.ts';

const files: Readonly<Record<OwnWord, { readonly shown: string; readonly state?: readonly string[] }>> = {
  nothing: { shown: 'nothing (yet)' },
  begun: { shown: 'it has begun', state: ['now'] },
  'last-word': { shown: 'its last word', state: ['now', 'end'] },
};
const scheduler: Readonly<Record<SchedulerWord, { readonly shown: string; readonly status?: JobStatus }>> = {
  'not-asked': { shown: 'was not asked, or never answered' },
  queued: { shown: 'it waits', status: { state: 'queued', reason: 'Priority' } },
  running: { shown: 'it runs', status: { state: 'running', node: 'c1', elapsedSeconds: 1 } },
  ended: { shown: 'it has ended', status: { state: 'ended', how: 'completed', word: 'COMPLETED', elapsedSeconds: 9 } },
  absent: { shown: 'does not know it', status: { state: 'absent' } },
  unknown: { shown: 'a word that is in no table', status: { state: 'unknown', word: 'HIBERNATING' } },
};
const owns = Object.keys(files) as OwnWord[];
const words = Object.keys(scheduler) as SchedulerWord[];
const cells = owns.flatMap((own) => words.map((word) => ({ own, word, expected: runStates[own][word] })));

/** A run of which both have said this, in one order or in the other. */
function knowledge(own: OwnWord, word: SchedulerWord, first: 'files' | 'scheduler'): RunKnowledge {
  const known = new RunKnowledge(0, { lingers: false, logFrom: 0, isNew: false });
  const { status } = scheduler[word];
  const hear = () => files[own].state?.forEach((name) => void known.hear({ kind: 'state', name, text: '' }, 0));
  if (first === 'files') hear();
  if (status !== undefined) known.heed(status, 0);
  if (first === 'scheduler') hear();
  return known;
}

test.each(cells)(
  'of its files: $own, of the scheduler: $word, in either order: $expected',
  ({ own, word, expected }) => {
    expect(knowledge(own, word, 'files').state).toBe(expected);
    expect(knowledge(own, word, 'scheduler').state).toBe(expected);
  },
);

const every = cells.flatMap((from) => words.map((to) => ({ ...from, to })));

test.each(every)('after $own and $word the scheduler says $to, and what is known follows', ({ own, word, to }) => {
  const known = knowledge(own, word, 'files');
  const { status } = scheduler[to];
  // No answer teaches nothing.
  if (status === undefined) known.asked(1000);
  else known.heed(status, 1000);
  expect(known.state).toBe(runStates[own][status === undefined ? word : to]);
});

test('only where both have said so is a run collected at once; nothing follows from a word that is in no table', () => {
  const at = (state: RunState) =>
    cells.filter(({ expected }) => expected === state).map(({ own, word }) => [own, word]);
  expect(at('collecting')).toEqual([
    ['last-word', 'ended'],
    ['last-word', 'absent'],
  ]);
  const known = knowledge('begun', 'unknown', 'files');
  for (let hour = 1; hour < 48; hour += 1)
    expect(known.heed({ state: 'unknown', word: 'HIBERNATING' }, hour * 3_600_000)).toBe(false);
});

test('the table is in docs/faults.md', () => {
  const path = join(import.meta.dirname, '../../docs/faults.md');
  const cell = (state: RunState) => {
    const lag = lagSeconds[state];
    return lag === undefined ? state : `${state}, after ${lag} s collecting`;
  };
  const table = [
    `| Slurm says | ${owns.map((own) => `files: ${files[own].shown}`).join(' | ')} |`,
    `|---|${owns.map(() => '---').join('|')}|`,
    ...words.map(
      (word) => `| ${scheduler[word].shown} | ${owns.map((own) => cell(runStates[own][word])).join(' | ')} |`,
    ),
  ];
  const [start, end] = ['<!-- states -->\n', '<!-- /states -->'];
  let text = readFileSync(path, 'utf8');
  if (process.env.UPDATE_DOCS === '1') {
    const [from, to] = [text.indexOf(start) + start.length, text.indexOf(end)];
    text = `${text.slice(0, from)}${table.join('\n')}\n${text.slice(to)}`;
    writeFileSync(path, text);
  }
  expect(text).toContain(`${start}${table.join('\n')}\n${end}`);
});
