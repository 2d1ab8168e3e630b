import type { Oid } from '../base/ids.ts';
import type { Result } from '../base/result.ts';
import type { Identified, IdentifyError } from '../gate/identify.ts';
import type { ReportsContext } from '../gate/known.ts';
import type { GateError, GateOutcome, WaitingOutcome } from '../gate/outcome.ts';
import type { GitError } from '../git/errors.ts';
import type { Report } from '../report/types.ts';
import type { Baseline, Verdict } from '../verdict/types.ts';
import type { Standing } from './bisect-search.ts';

export interface BisectOptions {
  readonly reports: ReportsContext;
  /** GOOD and BAD as the user named them. Without BAD it is HEAD; without GOOD the nearest first parent that passed. */
  readonly good?: string;
  readonly bad?: string;
  readonly identify: (commit: Oid) => Promise<Result<Identified, IdentifyError>>;
  /** Gets the verdict of a commit that has none; absent: only what is known counts. */
  readonly judge?: (identified: Identified) => Promise<GateOutcome>;
  readonly tell: (step: BisectStep) => void;
}

/** For whoever waits. */
export type BisectStep =
  | { readonly step: 'line'; readonly commits: number; readonly known: number; readonly looks: number }
  /** Its verdict has to be found out, and after it that of so many more, at most. */
  | { readonly step: 'judging'; readonly commit: Oid; readonly looks: number }
  | { readonly step: 'found-out'; readonly point: BisectPoint };

/** A commit on the line, as it was found. */
export interface BisectPoint {
  readonly commit: Oid;
  readonly standing: Standing;
  readonly report?: Report;
  /** By what BAD requires, with GOOD as what it is compared with. */
  readonly verdict?: Verdict;
  readonly against?: Baseline;
  /** With `skip`: why it cannot be told. An error of the infrastructure is in the report. */
  readonly error?: GateError;
}

export interface Bisected {
  readonly good: BisectPoint;
  readonly bad: BisectPoint;
  /** Between the two, and none of them could be told: any of them may be the first bad one. */
  readonly untold: readonly BisectPoint[];
  /** How many commits were after GOOD, up to BAD, and of how many the verdict was found out now. */
  readonly commits: number;
  readonly judged: number;
}

export type BisectError =
  | { readonly reason: 'unknown-revision'; readonly revision: string }
  | { readonly reason: 'not-ancestor'; readonly good: string; readonly bad: string }
  /** GOOD and BAD are one commit. */
  | { readonly reason: 'same'; readonly commit: Oid }
  /** Nothing says that BAD is bad: it was never judged, or could not be. */
  | { readonly reason: 'bad-unknown'; readonly commit: Oid }
  /** BAD meets everything that it requires, also compared with GOOD. */
  | { readonly reason: 'bad-passes'; readonly commit: Oid }
  | { readonly reason: 'good-fails'; readonly commit: Oid; readonly report: Report; readonly verdict: Verdict }
  /** BAD is to be compared with GOOD, and GOOD has no metrics. */
  | { readonly reason: 'good-unknown'; readonly commit: Oid }
  | { readonly reason: 'no-good'; readonly commit: Oid; readonly searched: number }
  | { readonly reason: 'identify'; readonly commit: Oid; readonly cause: IdentifyError }
  /** Whoever is asked for verdicts cannot be reached, or has stopped: nothing of what is known is lost. */
  | { readonly reason: 'stopped'; readonly commit: Oid; readonly cause: GateError }
  | { readonly reason: 'waiting'; readonly waiting: WaitingOutcome }
  | { readonly reason: 'git'; readonly cause: GitError };
