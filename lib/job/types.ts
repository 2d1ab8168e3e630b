import type { Fingerprint, Oid } from '../base/ids.ts';
import type { Config, CurveRule, Scalar, SourceRange, Step } from '../config/types.ts';
import type { Fingerprinted } from '../fingerprint/types.ts';
import type { JobView } from './view.ts';

export interface PlanRequest {
  readonly config: Config;
  readonly fingerprinted: Fingerprinted;
  readonly tree: readonly TreeFile[];
  /** The notebooks that steps name, by path: what the commit holds. */
  readonly notebooks: ReadonlyMap<string, string>;
  /** What the commit's uv.lock says, where the environment is made from one. */
  readonly uvLock?: string;
  /** Values of `secrets:`, from the pusher's environment. */
  readonly secrets: Readonly<Record<string, string | undefined>>;
  /** templates/notebook.py, or the repository's own. */
  readonly driver: string;
  /** False: the repository's own job script knows nothing of arrays. */
  readonly arrays?: boolean;
  /** Where a key is written, for what this version cannot do. */
  readonly locate?: (path: string) => SourceRange | undefined;
}

/** Everything that is needed to submit a run, and nothing that depends on when or where it is submitted. */
export interface JobPlan {
  readonly fingerprint: Fingerprint;
  /** What the scheduler calls it, without the attempt: `mlops-` and 16 digits. */
  readonly name: string;
  readonly view: JobView;
  /** Small files under `in/`, by path relative to it. Secrets are among them, mode 600. */
  readonly inputs: ReadonlyMap<string, InputFile>;
  /** The commit's files: a private, writable copy each. */
  readonly tree: readonly TreeFile[];
  /** Data: linked from the store, or copied where it is written to (or where its name cannot be listed). */
  readonly data: readonly DataPlacement[];
  readonly steps: readonly PlannedStep[];
  /** Where a step has seeds or a matrix: from which step on everything is done once for each task. */
  readonly repeated?: Repeated;
  readonly seconds: number;
  readonly mem?: number;
  readonly gpus: number;
  /** How long before the time is over the script is sent USR1, for steps that want to be told. */
  readonly signalSeconds?: number;
  /** Names the folder under envs/; undefined: nothing is built. */
  readonly environmentKey?: string;
}

export interface Repeated {
  readonly from: number;
  readonly tasks: readonly PlannedTask[];
  /** On Slurm, where nothing is to be done before them: each task is a job of its own, so many at a time. */
  readonly array?: { readonly throttle?: number };
}
export interface PlannedTask {
  /** One-based: the name of its folder below `tasks/`. */
  readonly index: number;
  readonly parameters: Readonly<Record<string, Scalar>>;
  /** Which of them are whole numbers and floats. */
  readonly floats?: readonly string[];
  readonly seed?: number;
  /** The matrix's part, in words: `lr=0.1`. */
  readonly combination: string;
  /** All of them: `lr=0.1, seed=3`. */
  readonly title: string;
}

export interface InputFile {
  readonly content: string;
  readonly mode: 0o600 | 0o644;
}
export interface TreeFile {
  readonly path: string;
  readonly mode: '100644' | '100755' | '120000' | '160000';
  readonly oid: Oid;
}
export interface DataPlacement {
  readonly path: string;
  readonly sha256: string;
  readonly size: number;
  readonly how: 'link' | 'copy';
}
/** What parsing the results needs to know of a step. */
export interface PlannedStep {
  readonly index: number;
  readonly name: string;
  readonly kind: Step['kind'];
  /** Names of the metrics that its expressions give, with the expressions. */
  readonly expressions: Readonly<Record<string, string>>;
  readonly metricsFile?: string;
  /** Its metrics are what the notebook glues. */
  readonly scraps?: true;
  /** Metrics that are lists, and which value of each counts. */
  readonly curves?: Readonly<Record<string, CurveRule>>;
  readonly junit?: string;
}

export type PlanError =
  | { readonly reason: 'notebook-missing'; readonly step: number; readonly notebook: string }
  | {
      readonly reason: 'notebook-not-json' | 'notebook-format';
      readonly step: number;
      readonly notebook: string;
      readonly detail: string;
    }
  | {
      readonly reason: 'no-parameters-cell';
      readonly step: number;
      readonly notebook: string;
      readonly parameters: readonly string[];
    }
  /** Several are tagged `parameters`: papermill puts the values behind the first, and the next sets its own again. */
  | {
      readonly reason: 'parameters-cells';
      readonly step: number;
      readonly notebook: string;
      readonly cells: readonly number[];
    }
  | {
      readonly reason: 'expressions-need-python';
      readonly step: number;
      readonly notebook: string;
      readonly language: string;
      readonly metrics: readonly string[];
    }
  | { readonly reason: 'no-kernel-name'; readonly step: number; readonly notebook: string; readonly language: string }
  | { readonly reason: 'run-empty'; readonly step: number }
  /** Neither the commit nor its data has anything in the folder that the step would start in. */
  | { readonly reason: 'cwd-missing'; readonly step: number; readonly cwd: string; readonly near?: string }
  /** The commit has a file where data of the cluster is to be seen. */
  | { readonly reason: 'data-in-the-way'; readonly entry: string; readonly path: string }
  | { readonly reason: 'environment-file-missing'; readonly file: string }
  | { readonly reason: 'secret-missing'; readonly name: string }
  | { readonly reason: 'unsafe-value'; readonly key: string; readonly detail: string }
  /** This version reads the key and cannot do it yet. */
  | { readonly reason: 'unsupported'; readonly key: string; readonly range?: SourceRange };
