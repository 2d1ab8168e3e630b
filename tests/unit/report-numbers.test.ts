import { describe, expect, test } from '@jest/globals';
import { formatLocalTime } from '../../lib/report/local-time.ts';
import { formatBytes, formatChange, formatDuration, formatMetric, precisionFor } from '../../lib/report/numbers.ts';

describe('numbers carry the digits that matter', () => {
  test.each([
    [0.395, '0.395'],
    [0.39512345, '0.3951'],
    [0.5, '0.5'],
    [0, '0'],
    [-0.00001, '−1e-5'],
    [12.3456, '12.35'],
    [1234.5678, '1235'],
    [123456, '123456'],
    [-10, '−10'],
    [1e12, '1e+12'],
    [1.23456789e-7, '1.235e-7'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '−∞'],
  ])('%d is %s', (value, text) => {
    expect(formatMetric(value)).toBe(text);
  });

  test('numbers beside each other have the same places', () => {
    const precision = precisionFor([0.395, 0.4]);
    expect([0.395, 0.4].map((value) => formatMetric(value, precision))).toEqual(['0.395', '0.400']);
  });

  test('a bound that is missed by little is not written as if it were met', () => {
    const [value, limit] = [0.249999, 0.25] as const;
    const precision = precisionFor([value], [[value, limit]]);
    expect(formatMetric(value, precision)).toBe('0.249999');
    const [low, high] = [1 - 1e-15, 1] as const;
    expect(formatMetric(low, precisionFor([low, high], [[low, high]])).length).toBeGreaterThan(10);
  });

  test.each([
    [0.004, '+0.004'],
    [-0.307, '−0.307'],
    [0, '0'],
  ])('a change of %d is %s', (change, text) => {
    expect(formatChange(change, { kind: 'fixed', decimals: 3 })).toBe(text);
  });
  test('a small change is no zero', () => {
    expect(formatChange(-0.00004, { kind: 'fixed', decimals: 3 })).toBe('−4e-5');
    expect(formatChange(0.0004, { kind: 'fixed', decimals: 3 })).toBe('+0.0004');
  });

  test.each([
    [42, '0:42'],
    [68, '1:08'],
    [3723, '1:02:03'],
    [59.6, '1:00'],
    [-1, '0:00'],
  ])('%d seconds are %s', (seconds, text) => {
    expect(formatDuration(seconds)).toBe(text);
  });
  test.each([
    [0, '0 B'],
    [1023, '1023 B'],
    [3072, '3 KB'],
    [1_610_612_736, '1.5 GB'],
    [17_179_869_184, '16 GB'],
    [1_048_575, '1 MB'],
  ])('%d bytes are %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });

  test('times of day are the reader’s', () => {
    const now = Date.parse('2026-11-24T12:00:00Z') / 1000;
    const at = (text: string) => formatLocalTime(Date.parse(text) / 1000, now, 'Europe/Berlin');
    expect(at('2026-11-24T13:32:00Z')).toBe('14:32');
    expect(at('2026-11-24T23:10:00Z')).toBe('tomorrow 00:10');
    expect(at('2026-11-23T20:00:00Z')).toBe('yesterday 21:00');
    expect(at('2026-12-01T08:10:00Z')).toBe('2026-12-01 09:10');
  });

  test('a time zone that is not known is no reason to fail: the system has one', () => {
    expect(formatLocalTime(0, 0, 'CET-1CEST,M3.5.0')).toMatch(/^\d\d:\d\d$/);
    expect(formatLocalTime(0, 0, '')).toMatch(/^\d\d:\d\d$/);
  });
});
