import type { Fingerprint } from '../base/ids.ts';
import type { CurveRule, Requirement, Scalar } from '../config/types.ts';

/** What a run left, as facts: everything that judging needs, and nothing that judging decides. */
export interface RunResult {
  readonly version: 1;
  readonly fingerprint: Fingerprint;
  readonly attempt: number;
  /** How the scheduler says the job ended. Undefined: it could not be asked, or does not know any more. */
  readonly job?: {
    readonly id: string;
    readonly how: string;
    readonly word: string;
    readonly exitCode?: number;
    readonly signal?: number;
  };
  /**
   * The scheduler answered, and knows this job no more (no accounting, and MinJobAge is over). Without this, an absent `job`
   * means that it could not be asked, and nothing is judged.
   */
  readonly jobForgotten?: boolean;
  /** The job's own atomically written last word was there, and belongs to this run and attempt. */
  readonly finished: boolean;
  /** What happened before the first step, if it kept the steps from starting. */
  readonly preparation?: Failure;
  readonly steps: readonly StepResult[];
  /** Of a step with seeds: the mean. With a matrix, one for each combination: `rprec[lr=0.1]`. */
  readonly metrics: Readonly<Record<string, MetricReading>>;
  /** By the name of the metric: how it came to be, over the steps of the training. */
  readonly curves?: Readonly<Record<string, Curve>>;
  /** Where a step has seeds or a matrix: each repetition by itself. Its steps are in `steps`, named with its parameters. */
  readonly tasks?: readonly TaskResult[];
  /** By notebook that came to its end: what its cells put out. */
  readonly outputs?: Readonly<Record<string, readonly CellOutput[]>>;
  /** The seeds that were added to those of the config, and where they ran: `mlops run --more-seeds`. */
  readonly added?: AddedSeeds;
  readonly place: Place;
  /** Seconds of wall-clock time from the script's first line to its last. */
  readonly seconds?: number;
  /** Where the tasks were jobs of their own: the seconds of all of them together, which is what was used. */
  readonly taskSeconds?: number;
  /** Bytes. */
  readonly peakMemory?: number;
  readonly artifacts: readonly KeptFile[];
  readonly findings: readonly Finding[];
}

/** One repetition: a seed, a combination of the matrix, or both. */
export interface TaskResult {
  readonly parameters: Readonly<Record<string, Scalar>>;
  readonly seed?: number;
  /** The matrix's part of the parameters, `lr=0.1`; empty without a matrix. */
  readonly combination: string;
  readonly outcome: 'passed' | 'failed' | 'not-run';
  /** The infrastructure ended it: nothing is known of this one, and it alone is to be run again. */
  readonly lost?: true;
  readonly metrics: Readonly<Record<string, MetricReading>>;
}

/** A cell that put something out, counted among the code cells that are not empty, and a hash of the text; empty where that says nothing. */
export type CellOutput = readonly [cell: number, hash: string];

export interface AddedSeeds {
  /** The run that they were, by its own fingerprint: the same content with these seeds. */
  readonly fingerprint: Fingerprint;
  readonly attempt: number;
  readonly job?: string;
  readonly seeds: readonly number[];
  readonly place: Place;
}

export interface SampleValue {
  readonly seed: number;
  readonly value: number;
}

export interface Place {
  readonly cluster: string;
  readonly node?: string;
  readonly cpu?: string;
  readonly gpu?: string;
  readonly gpus: number;
  readonly environment?: {
    readonly key: string;
    readonly packages?: readonly string[];
    /** SHA-256 of the list of packages, which is kept by content. */
    readonly installed?: string;
  };
}

export interface KeptFile {
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
  readonly role: 'log' | 'notebook' | 'artifact';
}

export interface StepResult {
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'not-run' | 'reused';
  readonly exitCode?: number;
  readonly seconds?: number;
  readonly failure?: Failure;
  readonly tests?: {
    readonly passed: number;
    readonly failed: number;
    readonly skipped: number;
    readonly failures: readonly string[];
  };
}

/** Why something ended badly. `side` says whose it is: the code's (a fail) or the infrastructure's (an error). */
export interface Failure {
  readonly side: 'code' | 'infrastructure';
  readonly reason: FailureReason;
  /** What is known in words of the program that said it: an exception's message, the solver's, sbatch's. */
  readonly detail: string;
  readonly step?: string;
  /** One-based over all cells, as Jupyter users count from the top, and how many there are. */
  readonly cell?: number;
  readonly cells?: number;
  readonly exception?: string;
  readonly traceback?: string;
}
export type FailureReason =
  | 'exception'
  | 'exit-status'
  | 'kernel-died'
  | 'ended-early'
  | 'cells-not-run'
  /** Every cell ran, and the one that reads the metrics did not do its work. */
  | 'metrics-unreadable'
  | 'tests-failed'
  | 'wrote-into-data'
  | 'timeout'
  | 'out-of-memory'
  | 'node-failed'
  | 'boot-failed'
  | 'preempted'
  | 'cancelled'
  | 'deadline'
  | 'disk-full'
  | 'environment'
  | 'no-python'
  | 'missing-module'
  | 'files-missing'
  /** Data that was on the cluster already is not what the commit's lock says. */
  | 'data-changed-there'
  | 'no-result'
  | 'result-foreign'
  /** The scheduler could not be asked how the job ended, or said it in a word that is in no table. */
  | 'end-unknown'
  /** The job's own last word says that all is well, and the scheduler says that it is not. */
  | 'end-contradicted'
  | 'infrastructure-exception';

/** A metric as it was read. Only a finite number can meet a requirement. */
export type MetricReading =
  | { readonly kind: 'number'; readonly value: number; readonly source: string }
  | { readonly kind: 'nan' | 'infinity' | 'minus-infinity'; readonly source: string }
  | { readonly kind: 'text' | 'boolean' | 'null' | 'list' | 'object'; readonly shown: string; readonly source: string }
  | { readonly kind: 'raised'; readonly shown: string; readonly source: string }
  | { readonly kind: 'missing'; readonly source: string };

/** A metric over the steps of a training. With seeds: the mean of theirs. */
export interface Curve {
  /** Which of all values the metric is. */
  readonly rule: CurveRule;
  /** How many values there were. */
  readonly n: number;
  /** Which of them the metric is, from 0. Absent with seeds. */
  readonly at?: number;
  /** So many of them as are kept, evenly spread from the first to the last (base/evenly.ts); null is no finite number. */
  readonly values: readonly (number | null)[];
}

export interface Finding {
  readonly name: string;
  readonly severity: 'fail' | 'warn' | 'info';
  readonly detail: string;
}

/** What a run is compared with. `commit` is where the rule of docs/verdicts.md found it, `distance` how many first parents back. */
export interface Baseline {
  readonly name: string;
  readonly commit: string;
  readonly distance: number;
  readonly run: Fingerprint;
  readonly metrics: Readonly<Record<string, number>>;
  /** By metric, where that run had seeds. */
  readonly samples?: Readonly<Record<string, readonly SampleValue[]>>;
}

/** `number`: a requirement without a bound still wants a finite number. */
export type BoundKind = 'number' | 'min' | 'max' | 'equals' | 'max_drop' | 'max_rise';
/** Why a bound is not met although no number is on the wrong side of another. */
export type CheckProblem =
  | Exclude<MetricReading['kind'], 'number'>
  /** A percentage of a baseline of 0 allows nothing: such a metric needs an absolute amount. */
  | 'baseline-zero'
  /** `equals` has to hold for each seed, and the mean of those that differ may be the very number. */
  | 'some-seeds'
  /** The bound itself is not a finite number. */
  | 'bad-limit';
/** One bound of one metric, decided. */
export interface Check {
  readonly metric: string;
  readonly bound: BoundKind;
  /** The number the metric had to reach (for a drop or rise: computed from the baseline). Undefined without a baseline. */
  readonly limit?: number;
  readonly requirement: Requirement;
  readonly outcome: 'met' | 'not-met' | 'undecided' | 'no-baseline-warn' | 'no-baseline-fail' | 'no-baseline-ignore';
  readonly problem?: CheckProblem;
  /** Where it was decided by a sample (docs/noise.md). */
  readonly sample?: SampleCheck;
}

/** A limit that blocks nothing: one that warns, or a goal. Its `requirement` has that limit alone. */
export interface AdvisoryCheck extends Check {
  readonly level: 'warn' | 'goal';
}

export interface SampleCheck {
  readonly n: number;
  readonly mean: number;
  readonly sd: number;
  /** `mean`: against a constant; `paired` and `welch`: against the baseline's seeds. */
  readonly rule: 'mean' | 'paired' | 'welch';
  /** The mean's one-sided confidence bound on the side that counts. */
  readonly bound: number;
  /** Absent: 0.95. */
  readonly confidence?: number;
  /** Undecided: how many seeds more would decide, by what is known now; absent: too many. */
  readonly more?: number;
}

export type VerdictKind = 'pass' | 'fail' | 'error';
export interface Verdict {
  readonly kind: VerdictKind;
  readonly checks: readonly Check[];
  /** Absent where nothing of the kind was asked for. Apart from `checks`: each of those counts for the verdict. */
  readonly advisory?: readonly AdvisoryCheck[];
  /** By the name in the checks: what was required and is in no list of metrics, because judging has computed it. */
  readonly derived?: Readonly<Record<string, MetricReading>>;
  /** Every reason for a fail or an error, most important first. Empty for a pass. */
  readonly reasons: readonly VerdictReason[];
  readonly warnings: readonly Finding[];
  /** What is odd and speaks against nothing; absent where there is nothing. What the run itself says of the kind is in its findings. */
  readonly noted?: readonly Finding[];
}
export type VerdictReason =
  | { readonly reason: 'check'; readonly check: Check; readonly reading: MetricReading }
  | { readonly reason: 'failure'; readonly failure: Failure }
  | { readonly reason: 'finding'; readonly finding: Finding };
