import { describe, expect, test } from '@jest/globals';
import { queuedText, statusText } from '../../lib/cli/screens/job-status.ts';
import { clip, columns, said, saidLines, spread, width, wrap } from '../../lib/cli/screens/layout.ts';
import { pendingReason } from '../../lib/cli/screens/pending.ts';
import { styleFor, wantsColour } from '../../lib/cli/style.ts';
import { coloured, setting } from '../rig/screen.ts';

describe('columns of a terminal', () => {
  test.each([
    ['abc', 3],
    ['漢字', 4],
    ['e\u0301', 1],
    ['👩‍🔬', 2],
    ['\u001b[31mred\u001b[0m', 3],
    ['', 0],
  ])('%s', (text, expected) => {
    expect(width(text)).toBe(expected);
  });

  test('what does not fit is cut with a sign, never in the middle of a character, and colours are ended', () => {
    expect(clip('abcdef', 4)).toBe('abc…');
    expect(clip('漢字漢字', 4)).toBe('漢…');
    expect(clip('abcd', 4)).toBe('abcd');
    expect(clip(coloured.red('abcdef'), 4)).toBe('\u001b[31mabc…\u001b[0m');
  });

  test('words are wrapped, and longer ones are broken', () => {
    expect(wrap('one two three', 8)).toEqual(['one two', 'three']);
    expect(wrap('a abcdefghij b', 4)).toEqual(['a', 'abcd', 'efgh', 'ij b']);
    expect(wrap('  indented', 20)).toEqual(['  indented']);
  });

  test('cells are aligned, numbers at their end', () => {
    expect(
      columns(
        [
          ['a', '1'],
          ['漢字', '100'],
        ],
        [{}, { right: true }],
      ),
    ).toEqual(['a        1', '漢字   100']);
  });

  test('the second of two texts is at the right edge, or two spaces away', () => {
    expect(spread('left', 'right', 12)).toBe('left   right');
    expect(spread('a long left side', 'right', 12)).toBe('a long left side  right');
    expect(spread('left', '')).toBe('left');
  });
});

describe('what others wrote', () => {
  test('is one line without control characters', () => {
    expect(said('a\u001b[2Jb\r\nc\td\u202e')).toBe('ab c d');
  });

  test('of a megabyte only the beginning is looked at', () => {
    const beginning = '漢字 x'.repeat(10);
    expect(said(beginning + 'y'.repeat(1_000_000), 40)).toBe(said(`${beginning}yy`, 40));
    expect(said('y'.repeat(1_000_000), 40)).toBe(`${'y'.repeat(39)}…`);
  });

  test('keeps its lines and their indentation', () => {
    expect(saidLines('Traceback:\r\n  File "x"\n\n\tat y\n')).toEqual(['Traceback:', '  File "x"', '    at y']);
  });
});

describe('the state of a job', () => {
  const { clock } = setting;
  test.each([
    [{ reason: 'Priority', ahead: 0, partition: 'gpu' }, '1st for gpu (Priority)'],
    [{ reason: 'Resources', ahead: 11 }, '12th (Resources)'],
    [{ reason: 'Resources', partition: 'gpu' }, 'gpu · waiting for free nodes (Resources)'],
    [
      { reason: 'QOSMaxGRESPerUser', ahead: 1, partition: 'gpu' },
      '2nd for gpu · you use as many GPUs as you may use (QOSMaxGRESPerUser)',
    ],
    [{ reason: 'None', expectedStart: clock.now + 86_400 }, 'just submitted (None) · likely start tomorrow 14:30'],
    [{ reason: 'SomethingNew' }, 'unknown reason: SomethingNew'],
  ])('queued: %j', (facts, text) => {
    expect(queuedText({ state: 'queued', ...facts }, clock)).toBe(text);
  });

  test('a reason with details is found by its first word', () => {
    expect(pendingReason('ReqNodeNotAvail, UnavailableNodes:c[1-4]')).toBe(
      'the nodes it asks for are reserved or down (ReqNodeNotAvail)',
    );
    expect(pendingReason('')).toBe('no reason given');
    expect(pendingReason('constructor')).toBe('unknown reason: constructor');
  });

  test('what no table knows is shown as it is', () => {
    expect(statusText({ state: 'unknown', word: 'SPECIAL_EXIT' }, clock)).toBe(
      'in a state that is not known here: SPECIAL_EXIT',
    );
  });
});

describe('colour', () => {
  test.each<[boolean, { isTTY?: boolean }, Record<string, string>]>([
    [true, { isTTY: true }, {}],
    [false, {}, {}],
    [false, { isTTY: true }, { NO_COLOR: '1' }],
    [true, { isTTY: true }, { NO_COLOR: '' }],
    [false, { isTTY: true }, { TERM: 'dumb' }],
    [true, {}, { FORCE_COLOR: '1' }],
    [false, { isTTY: true }, { FORCE_COLOR: '0' }],
    [false, {}, { FORCE_COLOR: '1', NO_COLOR: '1' }],
  ])('%s for %j with %j', (expected, stream, env) => {
    expect(wantsColour(stream, env)).toBe(expected);
  });

  test('is ended where it began', async () => {
    const style = await styleFor({ isTTY: true }, {});
    expect(style.red('x')).toBe('\u001b[31mx\u001b[39m');
    expect((await styleFor({}, {})).red('x')).toBe('x');
  });
});
