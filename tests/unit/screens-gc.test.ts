import { expect, test } from '@jest/globals';
import { asFingerprint, asSha256 } from '../../lib/base/ids.ts';
import { gcLines, gcTrouble } from '../../lib/cli/screens/gc.ts';
import { troublesLines } from '../../lib/cli/screens/trouble.ts';
import type { ListedEnvironment } from '../../lib/commands/env-list.ts';
import type { GcReport } from '../../lib/commands/gc.ts';
import { golden } from '../rig/golden.ts';
import { now, screen, setting, tooWide } from '../rig/screen.ts';

const again = 'mlops gc --older-than 30 --max-environments 2G --dry-run';
const place = 'login.hpc.example.edu';
const digits = (digit: string) => asSha256(digit.repeat(64));
const environment = (digit: string, more: Partial<ListedEnvironment>): ListedEnvironment => ({
  key: digit.repeat(24),
  state: 'ready',
  runs: 0,
  ...more,
});
const environments = [
  environment('a', { usedAt: now - 40 * 86_400, bytes: 1.2 * 1024 ** 3, files: 30_112 }),
  environment('b', { usedAt: now - 9 * 86_400, bytes: 7.5 * 1024 ** 3, files: 289_524 }),
  environment('c', { changedAt: now - 31 * 86_400, state: 'interrupted' }),
];
const report: GcReport = {
  dryRun: true,
  now,
  items: [
    { kind: 'object', path: `objects/ab/${'c'.repeat(62)}`, sha256: digits('a'), bytes: 3 * 1024 ** 2 },
    { kind: 'run-files', path: `runs/${digits('d')}/1/tree` },
  ],
  environments,
  bytes: 3 * 1024 ** 2,
  live: [
    {
      path: `runs/${digits('e')}/2`,
      fingerprint: asFingerprint(digits('e')),
      attempt: 2,
      ended: false,
      old: false,
      own: true,
      data: [],
      trees: [],
    },
  ],
  left: [],
  stderr: '',
};

test('what would go is listed, environments with their size, their files, and since when they are unused', () => {
  const at = { ...setting, again };
  const lines = [
    ...gcLines(report, place, at),
    ...gcLines({ ...report, dryRun: false, items: [], bytes: 0, environments, left: ['envs/x'] }, place, at),
    ...gcLines({ ...report, items: [], bytes: 0, environments: [], live: [] }, place, at),
    ...troublesLines(
      [
        gcTrouble(
          {
            reason: 'environments-failed',
            what: 'list',
            code: 70,
            stderr: 'cd: /scratch/ann/mlops: Stale file handle',
          },
          at,
        ),
      ],
      at.style,
    ),
  ];
  const text = screen('mlops gc --dry-run', lines);
  expect(text).toBe(golden('screens/gc.txt', text));
  expect(tooWide(lines)).toEqual([]);
});
