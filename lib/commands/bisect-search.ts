/** What is known of a commit on the line; undefined: nothing yet. `skip`: it cannot be told. */
export type Standing = 'good' | 'bad' | 'skip' | undefined;

export interface Search {
  /** The newest good one, as far as is known, after which the bad ones begin. */
  readonly good: number;
  /** The oldest bad one after it. */
  readonly bad: number;
  /** What to look at next; undefined: there is nothing left to look at. */
  readonly next?: number;
  /** How many stand between, of which nothing is known. */
  readonly open: number;
}

/**
 * Where on a line (oldest first, the first one good and the last one bad) the bad ones begin. Of several such places it is the newest, since
 * it is what made the last one bad; and of what is open the middle, so that each answer halves it.
 */
export function search(line: readonly Standing[]): Search {
  let bad = line.length - 1;
  let good = bad - 1;
  for (; good > 0 && line[good] !== 'good'; good -= 1) if (line[good] === 'bad') bad = good;
  const open = line.flatMap((standing, index) =>
    index > good && index < bad && standing === undefined ? [index] : [],
  );
  const middle = (good + bad) / 2;
  const [next] = [...open].sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
  return { good, bad, open: open.length, ...(next === undefined ? {} : { next }) };
}

/** At most so many more commits have to be looked at. */
export const looksLeft = (open: number): number => Math.ceil(Math.log2(open + 1));
