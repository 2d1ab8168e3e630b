import type { SourceRange } from '../../config/types.ts';
import type { Style } from '../style.ts';

/** Seconds since the epoch, and whose times of day. */
export interface Clock {
  readonly now: number;
  readonly timeZone: string;
}

/** What every screen is told besides its facts. */
export interface Setting {
  readonly style: Style;
  readonly clock: Clock;
  /** What the person typed, and types again: `git push`, `mlops run 3f2a91c`. */
  readonly again: string;
  /** A push waits for the answer, and is let go or blocked by it. */
  readonly holdsPush: boolean;
  /** Where the config says what someone complains about: `cluster.slurm.partition` → line 6. */
  readonly locate?: (key: string) => SourceRange | undefined;
}

/** `.mlops/config.yaml:9`; empty where it is not known. */
export function placeOf(range: SourceRange | undefined): string {
  if (range === undefined) return '';
  return range.line === 0 ? range.file : `${range.file}:${range.line}`;
}
