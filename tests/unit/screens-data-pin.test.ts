import { expect, test } from '@jest/globals';
import { asSha256 } from '../../lib/base/ids.ts';
import { dataPinTrouble, pinEnd, pinnedLine } from '../../lib/cli/screens/data-pin.ts';
import { troublesLines } from '../../lib/cli/screens/trouble.ts';
import type { DataPinError, Pinned } from '../../lib/commands/data-pin.ts';
import type { Pin } from '../../lib/fingerprint/types.ts';
import { golden } from '../rig/golden.ts';
import { dangerous, evil, screen, setting, tooWide } from '../rig/screen.ts';

const at = { ...setting, again: 'mlops data pin', holdsPush: false };
const pin: Pin = {
  as: 'data/ml-25m',
  cluster: '/datasets/ml-25m',
  how: 'content',
  hash: asSha256('ab'.repeat(32)),
  listing: asSha256('cd'.repeat(32)),
  files: 6,
  bytes: 1.1 * 1024 ** 3,
  pinnedAt: '2026-11-24T09:00:00Z',
};
const other = asSha256('ef'.repeat(32));
const fresh: Pinned = { pin, job: '481516' };
const touched: Pinned = { pin, before: { ...pin, listing: other } };
const changed: Pinned = { pin: { ...pin, how: 'stat' }, before: { ...pin, how: 'stat', hash: other, listing: other } };
const same: Pinned = { pin, before: pin };
const entry = { kind: 'cluster', cluster: '/datasets/ml-25m', as: 'data/ml-25m', fingerprint: 'content' } as const;

test('what was pinned, and whether it trains again', () => {
  const lines = [fresh, touched, changed, same].map(pinnedLine);
  const ends = [[fresh], [touched], [same]].flatMap((pinned) => pinEnd(pinned, at));
  const seen = screen('mlops data pin', [...lines, ...ends]);
  expect(seen).toBe(golden('screens/data-pin.txt', seen));
  expect(tooWide([...lines, ...ends])).toEqual([]);
});

const troubles: readonly DataPinError[] = [
  { reason: 'no-draft' },
  { reason: 'no-entry', known: [] },
  { reason: 'no-entry', name: 'data/x', known: ['data/ml-25m'] },
  { reason: 'data', entry, state: 'gone', words: '', place: 'hpc' },
  { reason: 'data', entry, state: 'unlistable', words: 'links that lead nowhere: ./broken', place: 'hpc' },
  { reason: 'data', entry, state: 'changing', words: '', place: 'hpc' },
  { reason: 'odd-answer', entry, words: 'stat: invalid option' },
  { reason: 'not-writable', path: '/home/ann/recs/.mlops/data.lock', detail: 'EROFS' },
  { reason: 'job-refused', words: 'sbatch: error: invalid partition specified: gpu' },
  { reason: 'job-waits', id: '12', status: { state: 'queued', reason: 'Priority' }, seconds: 10 },
  { reason: 'job-ended', id: '12', status: { state: 'ended', how: 'timeout', word: 'TIMEOUT' }, words: '' },
];

test('why something was not pinned, and what to type', () => {
  const lines = troublesLines(
    troubles.map((error) => dataPinTrouble(error, at)),
    at.style,
  );
  const seen = screen('mlops data pin', lines);
  expect(seen).toBe(golden('screens/trouble-data-pin.txt', seen));
  expect(tooWide(lines)).toEqual([]);
});

test('names and words of the cluster cannot move the cursor', () => {
  const bad: readonly DataPinError[] = [
    { reason: 'data', entry: { ...entry, cluster: evil, as: evil }, state: 'gone', words: evil, place: evil },
    { reason: 'no-entry', name: evil, known: [evil] },
  ];
  const lines = [
    pinnedLine({ pin: { ...pin, as: evil }, job: evil }),
    ...troublesLines(
      bad.map((error) => dataPinTrouble(error, at)),
      at.style,
    ),
  ];
  expect(dangerous(lines)).toEqual([]);
});
