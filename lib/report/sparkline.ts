const bars = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** Numbers in order as bars, the lowest and the highest seen; equal ones in the middle, what is no number as a gap. */
export function sparkline(values: readonly (number | undefined)[]): string {
  const known = values.flatMap((value) => (value === undefined || !Number.isFinite(value) ? [] : [value]));
  const low = Math.min(...known);
  const range = Math.max(...known) - low;
  return values
    .map((value) => {
      if (value === undefined || !Number.isFinite(value)) return '·';
      // Two numbers near the ends of what a number can be are further apart than one: then all look alike.
      const share = range > 0 && Number.isFinite(range) ? (value - low) / range : 0.45;
      return bars[Math.min(bars.length - 1, Math.floor(share * bars.length))] ?? '·';
    })
    .join('');
}
