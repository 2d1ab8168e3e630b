/** What the job script's template sees. Texts may be anything: each helper of render.ts makes them safe for its place, or refuses. */
export interface JobView {
  readonly fingerprint: string;
  /** The fingerprint's first digits. */
  readonly short: string;
  readonly umask: '077' | '007';
  /** The workdir is a Unix group's. */
  readonly group: boolean;
  readonly sbatch: readonly SbatchOption[];
  /** Whether in/setup.sh is there. */
  readonly setup: boolean;
  readonly modules: readonly string[];
  /** Python packages by name, without which notebooks do not run; empty where no step is one. */
  readonly needs: string;
  /** Some step is to be told before the time is over: the scheduler sends USR1 to the script. */
  readonly signals: boolean;
  /** How many the job asks for: 0 where the node's do not matter. */
  readonly gpus: number;
  readonly environment: EnvironmentView;
  /** Paths of data that is there already; may begin with a variable. in/pinned.sh checks it. */
  readonly pinned: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly stepCount: number;
  readonly steps: readonly StepView[];
  /** Empty: every step is run once. */
  readonly tasks: readonly { readonly index: number; readonly title: string }[];
  readonly taskCount: number;
  /** Each of them is a job of its own (docs/job.md); the files of the commit and its data are apart then. */
  readonly array: boolean;
  /** How many of them run at a time. */
  readonly throttle: number;
  /** The step that is repeated; 0: none. */
  readonly repeatedFrom: number;
  readonly artifacts: readonly string[];
}

export interface SbatchOption {
  readonly option: string;
  readonly value: string | number | true;
}

interface KernelView {
  /** The name of a kernelspec in the user's home, and its title; absent: none is installed. */
  readonly kernel?: string;
  readonly kernelTitle?: string;
}
interface BuiltView extends KernelView {
  readonly kind: string;
  /** The job does not build it: that was done on the login node, or by another job. */
  readonly builtBefore: boolean;
  readonly environmentKey: string;
  /** One file, that each job unpacks to its node's disk. */
  readonly packed?: boolean;
  /** The program that builds it, absolute or beginning with a variable; absent: it is looked for. */
  readonly manager?: string;
  /** What is being installed, for the line of progress. */
  readonly title: string;
}
export type EnvironmentView =
  /** `file` is relative to the attempt's folder. */
  | (BuiltView & { readonly template: 'env-conda'; readonly file: string })
  | (BuiltView & {
      readonly template: 'env-conda';
      readonly channels: readonly string[];
      readonly packages: readonly string[];
    })
  | (BuiltView & {
      readonly template: 'env-venv';
      readonly locked: boolean;
      /** `3.11`; absent: the first python3. */
      readonly python?: string;
      /** `name` is a pyproject.toml. */
      readonly project: boolean;
      readonly folder: string;
      readonly name: string;
    })
  | (BuiltView & {
      readonly template: 'env-container';
      /** `docker://…`; or else an image's path: absolute or beginning with a variable, or relative to the tree. */
      readonly reference?: string;
      readonly image?: string;
      readonly inTree: boolean;
    })
  | (KernelView & {
      readonly template: 'env-given';
      /** Absolute, or beginning with a variable. */
      readonly prefix?: string;
      /** Names the folder that remembers what was in the prefix. */
      readonly seenKey?: string;
    });

export interface StepView {
  readonly index: number;
  readonly chain: string;
  /** Done once for each task. */
  readonly inTask: boolean;
  readonly notebook: boolean;
  readonly line: string;
  /** Relative to the attempt's folder; empty: none. */
  readonly metrics: string;
  readonly junit: string;
  /** Relative to the top; absent: it starts there. */
  readonly cwd?: string;
  /** What it is sent before the time is over; empty: nothing. */
  readonly signal: string;
}
