import type { Fingerprint, Oid } from '../base/ids.ts';
import type { DataSet } from '../fingerprint/types.ts';
import type { Baseline, RunResult, Verdict } from '../verdict/types.ts';

/**
 * What the reports branch keeps of one judgement: enough to read it, to trust it, and to judge the same run again by other
 * requirements without the cluster. docs/reports.md describes the format; report-path.ts says where it is.
 */
export interface Report {
  readonly version: 1;
  /** `20261124T035000Z-a1b2c3`: when it was judged, and six random digits. */
  readonly id: string;
  /** The program and version that judged. */
  readonly tool: string;
  readonly commit: Oid;
  readonly branch?: string;
  readonly subject: string;
  readonly author?: string;
  /** Who pushed, as git knows them. */
  readonly by?: string;
  readonly fingerprint: Fingerprint;
  readonly inputs: InputsSummary;
  /** `known`: nothing was trained; the report `from` has the run that was judged again. */
  readonly judged: 'trained' | 'known';
  readonly from?: string;
  readonly outcome: Outcome;
  /** With `skipped` and `accepted`: why, in that person's words. */
  readonly decision?: { readonly reason: string; readonly by?: string };
  /** Absent only where nothing was judged: a skipped push. */
  readonly verdict?: Verdict;
  /** What the bounds were compared with, and how far back it was found. Only the metrics that are required. */
  readonly baselines: readonly Baseline[];
  /** The run as it was judged; absent with a skipped push. Long texts are cut (trim.ts). */
  readonly run?: RunResult;
  readonly logTail: string;
  /** Where the large files are by their content: `host:/scratch/me/mlops`. */
  readonly store?: string;
  /** What was cut or left out: `publish: metrics`. */
  readonly publish: 'full' | 'metrics';
}

/** `skipped` and `accepted` are a person's decision, and never a pass. */
export type Outcome = 'pass' | 'fail' | 'error' | 'skipped' | 'accepted';

export interface InputsSummary {
  /** How many files count as code. */
  readonly code: number;
  /** By the config's entry. `hash` names the manifest's content. */
  readonly data: Readonly<Record<string, DataSet>>;
  readonly environment: string;
  readonly steps: readonly { readonly name: string; readonly fingerprint: Fingerprint }[];
}

/** What changed since the baseline. */
export interface Changes {
  readonly changed: readonly ChangeText[];
  /** What is known to be equal: `data`, `parameters`. */
  readonly same: readonly string[];
}
export interface ChangeText {
  /** `movie-recs.ipynb cell 42`. */
  readonly what: string;
  /** Its first changed line, shown as code. */
  readonly code?: string;
}

/** Everything that a report is made of, uncut. */
export interface ReportFacts extends Omit<Report, 'version' | 'outcome' | 'publish' | 'logTail' | 'baselines'> {
  readonly decided?: 'skipped' | 'accepted';
  readonly baselines: Readonly<Record<string, Baseline | undefined>>;
  readonly log: string;
}
