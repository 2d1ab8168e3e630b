import { shellQuote } from '../base/shell-quote.ts';
import type { Scalar } from './types.ts';

/** What `mlops init` has found, as far as a first config depends on it. Paths are relative to the top. */
export interface ProposalFacts {
  /** In the order in which they should run. */
  readonly notebooks: readonly NotebookFacts[];
  readonly data: readonly string[];
  readonly environment: ProposedEnvironment;
  readonly tests: boolean;
  /** A script to run where there is no notebook. */
  readonly script?: string;
  readonly defaultBranch: string;
}
export interface NotebookFacts {
  readonly path: string;
  /** The folder that it seems to be written for, if that is not the top. */
  readonly cwd?: string;
  /** Of the cell tagged `parameters`; undefined without such a cell. */
  readonly parameters?: Readonly<Record<string, Scalar>>;
  /** Names that look like metrics. */
  readonly metrics: readonly string[];
}
export type ProposedEnvironment =
  | { readonly kind: 'none' }
  | { readonly kind: 'conda' | 'venv' | 'uv'; readonly file: string }
  /** A file that init writes beside the config, from the imports. */
  | { readonly kind: 'imports'; readonly file: string; readonly packages: readonly string[] };

export type ProposedSteps = 'notebooks' | 'run' | 'none';
export function proposedSteps(facts: ProposalFacts): ProposedSteps {
  if (facts.notebooks.length > 0) return 'notebooks';
  return facts.tests || facts.script !== undefined ? 'run' : 'none';
}

/** The text of `.mlops/config.yaml`: it loads without a complaint, runs as it is, and names every key. Pure. */
export function proposeConfig(facts: ProposalFacts): string {
  const { chosen } = choose(facts.notebooks);
  const metrics = chosen.flatMap((notebook) => notebook.metrics);
  return [
    '# yaml-language-server: $schema=./schema.json',
    '# What `git push` trains, and what it asks for. Lines behind # are examples.',
    'version: 1',
    '',
    '# Where to run; without it, on this machine. Each person can set their own: git config mlops.cluster.slurm.account mine',
    '# cluster:',
    '#   host: login.hpc.example.edu            # any Host of ~/.ssh/config; leave it out on the login node itself',
    '#   workdir: /scratch/$USER/mlops          # variables are expanded on the cluster',
    '#   modules: [Anaconda3/2021.11]',
    '#   slurm: { partition: gpu, account: proj }   # long options of sbatch; the resources below are translated',
    '#   transport: auto                        # ssh2 | openssh; require_master: true uses an open connection only',
    '#   group: proj                            # share workdir with this Unix group',
    'resources: { time: "01:00:00" }            # mem: 16G, cpus: 4, gpus: 1; a step may have its own',
    '',
    '# What a change of trains again. Prose and outputs of notebooks never do.',
    '# code: ["**", "!docs/**"]',
    ...dataLines(facts.data),
    '',
    ...environmentLines(facts.environment),
    '',
    'steps:',
    ...stepLines(facts),
    '',
    ...requireLines(metrics, facts.defaultBranch),
    '',
    '# The rest, with what holds if it is left out:',
    '# artifacts: [model.pkl]                   # kept where the job ran, listed in the report; none',
    '# env: { OMP_NUM_THREADS: "4" }            # for every step; none',
    '# secrets: [WANDB_API_KEY]                 # names only; the values come from your environment; none',
    '# setup: source /etc/profile.d/site.sh     # before the environment is loaded; nothing',
    '# retry: { infrastructure: 1 }             # how often again after a lost node or a full disk',
    '# push: { "*": gate }                      # gate | record | ignore, by branch',
    '# on_commit: record                        # submit starts the job at the commit',
    '# supersede: queued                        # a newer commit takes a queued job of the same branch away; never',
    '# publish: full                            # metrics: no logs, paths, user or host names on the branch',
    '# reports: mlops                           # the branch of the reports',
    '',
  ].join('\n');
}

/** Up to three are taken for a pipeline; of a collection only one, the others are there to be switched on. */
function choose(notebooks: readonly NotebookFacts[]): {
  chosen: readonly NotebookFacts[];
  others: readonly NotebookFacts[];
} {
  if (notebooks.length > 3) {
    const one = notebooks.find(({ path }) => /train/i.test(path)) ?? notebooks[0];
    return { chosen: one === undefined ? [] : [one], others: notebooks.filter((notebook) => notebook !== one) };
  }
  const seen = new Set<string>();
  // A metric has one place: the first notebook that has the name.
  const once = (name: string): boolean => !seen.has(name) && seen.add(name) === seen;
  return { chosen: notebooks.map((notebook) => ({ ...notebook, metrics: notebook.metrics.filter(once) })), others: [] };
}

function dataLines(data: readonly string[]): readonly string[] {
  const examples = [
    '#   - { path: data/scratch, writable: true }',
    '#   - { cluster: /datasets/x, as: data/x, fingerprint: stat }   # on the cluster already: never copied',
  ];
  if (data.length === 0)
    return [
      '# data:                                    # tracked, ignored or not: files, folders, globs',
      '#   - data/ratings.csv',
      ...examples,
    ];
  return [
    'data:                                      # tracked, ignored or not: files, folders, globs',
    ...data.map((path) => `  - ${quoted(path)}`),
    ...examples,
  ];
}

function environmentLines(environment: ProposedEnvironment): readonly string[] {
  const others =
    '# environment: one of conda: environment.yml | packages: [numpy] (channels: […]) | venv: requirements.txt | uv: uv.lock | container: image.sif | prefix: /path';
  const options =
    '#   name: mlops                            # kernel: user shows it in Jupyter; build_on: job | login';
  switch (environment.kind) {
    case 'none':
      return [others, options, 'environment: none                          # the Python that is there'];
    case 'imports':
      return [
        others,
        'environment:',
        `  venv: ${quoted(environment.file)}            # written by mlops init from the imports: pin the versions`,
        options,
      ];
    default:
      return [others, 'environment:', `  ${environment.kind}: ${quoted(environment.file)}`, options];
  }
}

function stepLines(facts: ProposalFacts): readonly string[] {
  const examples = [
    '  # - run: pytest -q --junitxml=$MLOPS_OUT/tests.xml       # a step that exits non-zero is a fail',
    '  #   junit: tests.xml',
    '  # - run: python evaluate.py',
    '  #   cwd: src                             # the folder it starts in; the top',
    '  #   metrics: { file: $MLOPS_OUT/metrics.json }',
  ];
  const { chosen, others } = choose(facts.notebooks);
  const notebooks = chosen.flatMap(notebookLines);
  const further = others.map(({ path }) => `  # - notebook: ${quoted(path)}`);
  switch (proposedSteps(facts)) {
    case 'notebooks':
      return [...notebooks, ...further, ...examples];
    case 'run':
      return [...runLines(facts), '  # - notebook: train.ipynb', ...notebookOptions(undefined), ...examples.slice(2)];
    case 'none':
      return [
        '  - run: "true"                            # nothing to train has been found: put your own step here',
        '  # - notebook: train.ipynb',
        ...notebookOptions(undefined),
        ...examples,
      ];
  }
}

function notebookLines(notebook: NotebookFacts): readonly string[] {
  const metrics =
    notebook.metrics.length === 0
      ? [
          '    # metrics:                             # expressions, evaluated after the last cell; the notebook stays as it is',
          '    #   accuracy: clf.score(X_test, y_test)',
        ]
      : [
          '    metrics:                               # expressions, evaluated after the last cell; the notebook stays as it is',
          ...notebook.metrics.map((name) => `      ${name}: ${name}`),
        ];
  const cwd =
    notebook.cwd === undefined
      ? []
      : [
          `    cwd: ${quoted(notebook.cwd)}`.padEnd(43) +
            '# starts in its folder, as in Jupyter; without it, at the top',
        ];
  return [`  - notebook: ${quoted(notebook.path)}`, ...cwd, ...notebookOptions(notebook.parameters), ...metrics];
}

function notebookOptions(parameters: Readonly<Record<string, Scalar>> | undefined): readonly string[] {
  const shown = Object.entries(parameters ?? {}).slice(0, 5);
  const values =
    shown.length === 0 ? 'epochs: 5' : shown.map(([name, value]) => `${name}: ${JSON.stringify(value)}`).join(', ');
  return [
    `    # parameters: { ${values} }${parameters === undefined ? '   # needs a cell tagged `parameters`' : ''}`,
    '    # seeds: { parameter: seed, values: [1, 2, 3] }      # or matrix: { lr: [0.1, 0.01] }; throttle: 2 at a time',
  ];
}

function runLines({ tests, script }: ProposalFacts): readonly string[] {
  const train = script === undefined ? [] : [`  - run: ${quoted(`python ${shellQuote(script)}`)}`];
  return tests ? [...train, '  - run: pytest -q --junitxml=$MLOPS_OUT/tests.xml', '    junit: tests.xml'] : train;
}

function requireLines(metrics: readonly string[], branch: string): readonly string[] {
  const name = metrics[0] ?? 'accuracy';
  const bounds = /loss|rmse|mae|mse|mape|perplexity|ppl/.test(name)
    ? 'max: 0.5, baseline: BRANCH, max_rise: 1%'
    : 'min: 0.5, baseline: BRANCH, max_drop: 1%';
  return [
    '# What a push must reach. A drop or rise is measured against the verdict of the baseline; without one: fail | warn | ignore.',
    '# require:',
    `#   ${name}: { ${bounds.replace('BRANCH', () => quoted(branch))}, without_baseline: warn }`,
  ];
}

/** A YAML scalar: as it is where nothing in it means something else. */
const quoted = (text: string): string =>
  /^[\p{L}\p{N}_./][\p{L}\p{N}_./ -]*$/u.test(text) &&
  !/^(?:null|true|false|~|[\d.]+)$/i.test(text) &&
  !text.endsWith(' ')
    ? text
    : JSON.stringify(text);

/** `.mlops/requirements.txt`. */
export function proposeRequirements(packages: readonly string[]): string {
  return [
    '# What the notebooks import, found by `mlops init`. Pin the versions you work with (pip freeze shows them):',
    '# another version is another run.',
    ...packages,
    '',
  ].join('\n');
}
