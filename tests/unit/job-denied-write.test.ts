import { expect, test } from '@jest/globals';
import { deniedWrite } from '../../lib/job/denied-write.ts';

const linked = ['data/img/1.png', 'data/a b.csv'];
const reason = (detail: string, exception?: string) =>
  deniedWrite(
    {
      side: 'code',
      reason: exception === undefined ? 'exit-status' : 'exception',
      detail,
      ...(exception === undefined ? {} : { exception }),
    },
    linked,
  );

test.each([
  ["[Errno 13] Permission denied: 'data/img/cache.npy'", 'PermissionError', 'data/img/cache.npy'],
  ["[Errno 13] Permission denied: '/scratch/w/runs/ab/1/tree/data/a b.csv'", 'PermissionError', 'data/a b.csv'],
  ["[Errno 13] Permission denied: '/scratch/w/trees/cd.ef/tree/img/new'", 'PermissionError', undefined],
  ['step 1\nsh: 1: cannot create data/img/new: Permission denied', undefined, 'data/img/new'],
  ["touch: cannot touch './data/new': Permission denied", undefined, 'data/new'],
  ["[Errno 13] Permission denied: '/etc/shadow'", 'PermissionError', undefined],
  ['data/img/1.png is not an image', 'ValueError', undefined],
])('%j is a write into data if it names one: %s', (detail, exception, path) => {
  const expected = path === undefined ? { detail } : { reason: 'wrote-into-data', detail: path };
  expect(reason(detail, exception)).toMatchObject(expected);
  if (path === undefined) expect(reason(detail, exception)?.reason).not.toBe('wrote-into-data');
});

test('what the infrastructure did stays what it is', () => {
  const failure = {
    side: 'infrastructure',
    reason: 'disk-full',
    detail: "Permission denied: 'data/img/1.png'",
  } as const;
  expect(deniedWrite(failure, linked)).toBe(failure);
  expect(deniedWrite(undefined, linked)).toBeUndefined();
});
