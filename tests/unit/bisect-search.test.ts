import { describe, expect, test } from '@jest/globals';
import { looksLeft, type Standing, search } from '../../lib/commands/bisect-search.ts';

const letters: Readonly<Record<string, Standing>> = { g: 'good', b: 'bad', s: 'skip', '.': undefined };
const line = (text: string): readonly Standing[] => [...text].map((letter) => letters[letter]);

describe('the search for the first bad commit', () => {
  test.each<[string, ReturnType<typeof search>]>([
    ['gb', { good: 0, bad: 1, open: 0 }],
    ['g.b', { good: 0, bad: 2, open: 1, next: 1 }],
    ['g.....b', { good: 0, bad: 6, open: 5, next: 3 }],
    ['g..g..b', { good: 3, bad: 6, open: 2, next: 4 }],
    ['g..b..b', { good: 0, bad: 3, open: 2, next: 1 }],
    // What cannot be told is passed by, and its neighbour asked.
    ['g..s..b', { good: 0, bad: 6, open: 4, next: 2 }],
    ['gsssb', { good: 0, bad: 4, open: 0 }],
    // It went bad twice: the second time is what made the last one bad.
    ['gbg.b', { good: 2, bad: 4, open: 1, next: 3 }],
  ])('%s', (text, found) => {
    expect(search(line(text))).toEqual(found);
  });

  test('finds it on every line, in no more looks than it promised', () => {
    for (let length = 2; length <= 40; length += 1) {
      for (let first = 1; first < length; first += 1) {
        const known: Standing[] = Array.from({ length }, (_, index) =>
          index === 0 ? 'good' : index === length - 1 ? 'bad' : undefined,
        );
        const promised = looksLeft(search(known).open);
        let looks = 0;
        for (let found = search(known); found.next !== undefined; found = search(known)) {
          known[found.next] = found.next < first ? 'good' : 'bad';
          looks += 1;
        }
        expect([search(known).bad, looks <= promised]).toEqual([first, true]);
      }
    }
  });
});
