import { describe, expect, test } from '@jest/globals';
import { asSha256 } from '../../lib/base/ids.ts';
import { formatLock, parseLock, pinFor } from '../../lib/fingerprint/data-lock.ts';
import type { Pin } from '../../lib/fingerprint/types.ts';

const pin = (as: string, more: Partial<Pin> = {}): Pin => ({
  as,
  cluster: `/datasets/${as}`,
  how: 'stat',
  hash: asSha256('a'.repeat(64)),
  listing: asSha256('b'.repeat(64)),
  files: 6,
  bytes: 1000,
  pinnedAt: '2026-11-24T09:00:00Z',
  ...more,
});

describe('.mlops/data.lock', () => {
  test('has a line for each pin, sorted, and is read as it was written', () => {
    const text = formatLock([pin('data/b'), pin('data/a "x"')]);
    expect(
      text
        .split('\n')
        .slice(1, 3)
        .map((line) => JSON.parse(line.replace(/,$/, '')).as),
    ).toEqual(['data/a "x"', 'data/b']);
    expect(parseLock(text)).toEqual({ ok: true, value: [pin('data/a "x"'), pin('data/b')] });
    expect(parseLock(formatLock([]))).toEqual({ ok: true, value: [] });
  });

  test('counts for an entry only if it is of the same place, made in the same way', () => {
    const entry = { kind: 'cluster', as: 'data', cluster: '/datasets/data', fingerprint: 'stat' } as const;
    expect(pinFor([pin('data')], entry)).toEqual(pin('data'));
    expect(pinFor([pin('data', { cluster: '/other' })], entry)).toBeUndefined();
    expect(pinFor([pin('data', { how: 'content' })], entry)).toBeUndefined();
  });

  test.each([
    ['marks of a merge', '<<<<<<< HEAD\n'],
    ['no version', '{"data":[]}'],
    ['a later version', '{"version":2,"data":[]}'],
    ['no list', '{"version":1}'],
    ['a pin without a hash', formatLock([pin('data')]).replace(/"hash":"a+"/, '"hash":"a"')],
    ['a negative size', formatLock([pin('data', { bytes: -1 })])],
    ['the same entry twice, as a merge may leave it', formatLock([pin('data'), pin('data', { files: 7 })])],
  ])('with %s is damaged, and never half believed', (_what, text) => {
    expect(parseLock(text)).toMatchObject({ ok: false, error: { reason: 'lock-damaged' } });
  });
});
