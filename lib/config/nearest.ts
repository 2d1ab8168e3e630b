import { distance } from 'fastest-levenshtein';

/** The candidate that was most likely meant, or undefined where nothing is near enough to be worth saying. */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const plain = (text: string) => text.toLowerCase().replace(/[-_ ]/g, '');
  const ranked = candidates
    .map((candidate) => ({ candidate, steps: stepsBetween(plain(word), plain(candidate)) }))
    .sort((a, b) => a.steps - b.steps);
  const best = ranked[0];
  const begun = candidates.find((candidate) => candidate.length >= 3 && plain(word).startsWith(plain(candidate)));
  const allowed = word.length <= 3 ? 1 : Math.max(2, Math.floor(word.length / 3));
  return best !== undefined && best.steps <= allowed ? best.candidate : begun;
}

/** Letters in another order are one slip of the fingers, though two edits. */
const stepsBetween = (a: string, b: string): number =>
  a !== b && [...a].sort().join('') === [...b].sort().join('') ? 1 : distance(a, b);
