import { describe, expect, test } from '@jest/globals';
import { canonicalJson } from '../../lib/base/canonical-json.ts';
import { asFingerprint, isOid, short } from '../../lib/base/ids.ts';
import { printable, printableLine } from '../../lib/base/printable.ts';
import { shellQuote } from '../../lib/base/shell-quote.ts';

describe('canonical JSON', () => {
  test('equal values give equal text, whatever the order of their keys', () => {
    expect(canonicalJson({ b: [1, { d: null, c: 'é' }], a: true })).toBe('{"a":true,"b":[1,{"c":"é","d":null}]}');
    expect(canonicalJson({ a: true, b: [1, { c: 'é', d: null }] })).toBe('{"a":true,"b":[1,{"c":"é","d":null}]}');
  });
  test('an undefined member is left out', () => {
    expect(canonicalJson({ a: undefined, b: 1 })).toBe('{"b":1}');
  });
  test('what JSON cannot say is refused', () => {
    expect(() => canonicalJson(Number.NaN)).toThrow('not a JSON number');
  });
});

describe('ids', () => {
  test('an object name has 40 or 64 hex digits', () => {
    expect(isOid('a'.repeat(40))).toBe(true);
    expect(isOid('a'.repeat(64))).toBe(true);
    expect(isOid('a'.repeat(41))).toBe(false);
    expect(isOid('A'.repeat(40))).toBe(false);
  });
  test('people see the first seven digits', () => {
    expect(short(asFingerprint(`5b7e90d${'0'.repeat(57)}`))).toBe('5b7e90d');
  });
});

describe('a shell word', () => {
  test('that is plain stays as it is', () => {
    expect(shellQuote('data/ratings-1.csv')).toBe('data/ratings-1.csv');
  });
  test('with anything else is quoted', () => {
    expect(shellQuote(`it's $(rm -rf ~)\n`)).toBe(`'it'\\''s $(rm -rf ~)\n'`);
    expect(shellQuote('')).toBe("''");
  });
  test('cannot contain NUL', () => {
    expect(() => shellQuote('a\0b')).toThrow('NUL');
  });
});

describe('text for a terminal', () => {
  test('loses escape sequences, control characters and bidirectional overrides', () => {
    expect(printable('\u001b[31mred\u001b[0m \u001b]0;title\u0007a\u0000b\u202ec\r\nd\te')).toBe('red abc\nd\te');
  });
  test('on one line has no newlines', () => {
    expect(printableLine('a \n b\n')).toBe('a b ');
  });
});
