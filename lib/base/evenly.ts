/** Which of `n` things the kept one is, where `kept` of them are kept: the first, the last, and evenly spread ones between. */
export const evenly = (index: number, n: number, kept: number): number =>
  kept < 2 ? 0 : Math.round((index * (n - 1)) / (kept - 1));
