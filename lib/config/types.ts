/** The config as the program uses it: every default filled in, every short form expanded. docs/config.md describes the keys. */
export interface Config {
  readonly version: 1;
  /** Absent: the job runs on this machine. */
  readonly cluster?: Cluster;
  readonly resources: Resources;
  /** Globs over the commit's tree; a leading `!` takes away. */
  readonly code: readonly string[];
  readonly data: readonly DataEntry[];
  readonly environment: Environment;
  readonly steps: readonly Step[];
  readonly require: Readonly<Record<string, Requirement>>;
  readonly artifacts: readonly string[];
  readonly retry: { readonly infrastructure: number };
  readonly env: Readonly<Record<string, string>>;
  readonly secrets: readonly string[];
  readonly setup?: string;
  readonly push: readonly PushRule[];
  readonly onCommit: 'record' | 'submit';
  readonly supersede?: 'queued';
  readonly publish: 'full' | 'metrics';
  /** The reports branch, without refs/heads/. */
  readonly reports: string;
}

export interface Cluster {
  /** Absent with `slurm` set: this machine is the login node. */
  readonly host?: string;
  /** As written: `$USER`, `$HOME`, `$SCRATCH` … are expanded on the cluster. */
  readonly workdir: string;
  readonly modules: readonly string[];
  /** sbatch's long options without the dashes; true is a flag. */
  readonly slurm: Readonly<Record<string, string | true>>;
  readonly transport: 'auto' | 'ssh2' | 'openssh';
  readonly group?: string;
  readonly requireMaster: boolean;
}

/** What a job may use. Undefined: the scheduler's default, except `seconds`, which always applies. */
export interface Resources {
  /** Wall-clock limit in seconds; one hour where none is given. */
  readonly seconds: number;
  /** Bytes. */
  readonly mem?: number;
  readonly cpus?: number;
  readonly gpus?: number;
  /** What the step is sent before the time is over. */
  readonly signal?: EarlySignal;
}

export interface EarlySignal {
  readonly name: 'USR1' | 'USR2';
  /** How long before the time limit. */
  readonly seconds: number;
}

export type DataEntry =
  | {
      readonly kind: 'path' /** a file, a folder or a glob, relative to the top */;
      readonly path: string;
      readonly writable: boolean;
    }
  | {
      readonly kind: 'cluster';
      readonly cluster: string;
      readonly as: string;
      readonly fingerprint: 'stat' | 'content';
    };

export type Environment =
  | { readonly kind: 'none' }
  | EnvironmentOf<{ readonly kind: 'conda'; readonly file: string; readonly locks?: LockedSource }>
  | EnvironmentOf<{
      readonly kind: 'packages';
      readonly packages: readonly string[];
      readonly channels: readonly string[];
    }>
  | EnvironmentOf<{
      readonly kind: 'venv';
      readonly file: string;
      /** `3.11`: any of them; absent: the first python3 on PATH. */
      readonly python?: string;
      readonly locks?: LockedSource;
    }>
  | EnvironmentOf<{ readonly kind: 'uv'; readonly file: string }>
  | EnvironmentOf<{ readonly kind: 'container'; readonly image: string }>
  | EnvironmentOf<{ readonly kind: 'prefix'; readonly prefix: string }>;
/** What the lock in `file` was resolved from. */
export type LockedSource = Extract<Environment, { readonly kind: 'conda' | 'packages' | 'venv' }>;
type EnvironmentOf<Kind> = Kind & {
  readonly name?: string;
  readonly kernel?: 'user';
  /** The program that builds it, by its path on the cluster; absent: it is looked for. */
  readonly manager?: string;
  /** Kept as one file, that each job unpacks to its node's disk. */
  readonly packed?: true;
  readonly buildOn: 'job' | 'login' | BuildJob;
};
/** A job that builds the environment before the run's begins. */
export type BuildJob = Pick<Resources, 'seconds' | 'mem' | 'cpus'> & {
  /** sbatch's options besides those of the cluster, or in their place. */
  readonly slurm: Cluster['slurm'];
};

export type Scalar = string | number | boolean | null;
export type ParameterValue = Scalar | readonly ParameterValue[] | { readonly [key: string]: ParameterValue };

export interface Seeds {
  readonly parameter: string;
  readonly values: readonly number[];
  /** How many are added where these leave a requirement undecided that says `more`. */
  readonly more?: number;
}

interface StepCommon {
  /** Where `parameters` and `matrix` have a whole number that was written as a float (`1.0`, `1e3`), which Python tells apart: `matrix.lr[0]`. */
  readonly floats?: readonly string[];
  /** Where a step has its own; they are merged over the top-level ones already. */
  readonly resources?: Resources;
  readonly seeds?: Seeds;
  readonly matrix?: Readonly<Record<string, readonly Scalar[]>>;
  readonly throttle?: number;
  /** The folder of the repository that it starts in; the top where there is none. */
  readonly cwd?: string;
  readonly metrics?: Metrics;
  /** Metrics that are lists over the steps of a training, and which value of the list counts. */
  readonly curves?: Readonly<Record<string, CurveRule>>;
}
export type CurveRule = 'last' | 'min' | 'max';
export interface NotebookStep extends StepCommon {
  readonly kind: 'notebook';
  readonly notebook: string;
  readonly parameters: Readonly<Record<string, ParameterValue>>;
}
export interface RunStep extends StepCommon {
  readonly kind: 'run';
  readonly run: string;
  /** A JUnit XML file, relative to `$MLOPS_OUT` or beginning with it. */
  readonly junit?: string;
}
export type Step = NotebookStep | RunStep;

/** Metrics by expressions evaluated in the notebook's kernel, from a JSON, YAML or CSV file that the step writes, or what the notebook glues with scrapbook. */
export type Metrics =
  | { readonly kind: 'expressions'; readonly expressions: Readonly<Record<string, string>> }
  | { readonly kind: 'file' /** may begin with `$MLOPS_OUT/` */; readonly file: string }
  | { readonly kind: 'scrapbook' };

/** An amount of the metric, or a percentage of the baseline's absolute value. */
export type Margin = { readonly kind: 'absolute' | 'percent'; readonly amount: number };

/** At least, at most, and how far from the baseline; of `$time` in seconds, of `$memory` and `$size(…)` in bytes. */
export interface Limits {
  readonly min?: number;
  readonly max?: number;
  readonly maxDrop?: Margin;
  readonly maxRise?: Margin;
}

export interface Requirement extends Limits {
  /** Alone: it says all that can be asked. */
  readonly equals?: number;
  /** A branch, tag or commit whose verdict is compared with. */
  readonly baseline?: string;
  /** Limits that warn where they are missed, and never block. */
  readonly warn?: Limits;
  /** Where one wants to get to: shown, and asked of nobody. */
  readonly goal?: Pick<Limits, 'min' | 'max'>;
  readonly withoutBaseline: 'fail' | 'warn' | 'ignore';
  /** What a sample means that is too small to tell; absent: fail. `more`: a fail, until the seeds that were declared for it are added. */
  readonly undecided?: 'fail' | 'warn' | 'more';
}

export type PushPolicy = 'gate' | 'record' | 'ignore';
export interface PushRule {
  /** A branch name or a glob; `*` matches slashes too. */
  readonly pattern: string;
  readonly policy: PushPolicy;
}

/**
 * One-based, as editors count. `length` is what to underline, in characters of that line. Line 0: the value is in no file but in
 * one person's git config, and `file` says under which key.
 */
export interface SourceRange {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly length: number;
  /** The whole line, for showing it underlined. */
  readonly text: string;
}

export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  readonly reason:
    | 'syntax'
    | 'unknown-key'
    | 'missing-key'
    | 'wrong-type'
    | 'wrong-value'
    | 'duplicate-key'
    | 'conflict'
    | 'mapped'
    | 'unsupported';
  /** `steps[0].metric`; empty for the whole document. */
  readonly path: string;
  readonly range: SourceRange;
  /** One sentence without a full stop: "unknown key `metric` in a notebook step". */
  readonly message: string;
  /** The nearest valid key or value, or what was expected. */
  readonly hint?: string;
}

export interface LoadedConfig {
  readonly config: Config;
  readonly warnings: readonly Diagnostic[];
  /** Where a key is written, for screens that say what to change: `resources.mem` → line 9. */
  locate(path: string): SourceRange | undefined;
}
