import { join } from 'node:path';
import { type CliProject, type CliProjectOptions, cliProject } from './cli.ts';

export interface ShellProjectOptions extends Omit<CliProjectOptions, 'prefix' | 'quality' | 'min'> {
  /** The entries of `data:`, as YAML: `[data]` unless told. */
  readonly data?: string;
}

/** A project without Python: its one step is a shell script that says what the score is. A training takes no time. */
export interface ShellProject extends CliProject {
  /** Writes the script anew, so that its score is this; `lines` run before. */
  score(score: number, lines?: string): Promise<void>;
}

export async function shellProject(options: ShellProjectOptions = {}): Promise<ShellProject> {
  const project = await cliProject({ ...options, prefix: '/nowhere', init: false });
  const { repository } = project;
  const tally = join(repository.root, 'tally');
  const score = (value: number, lines = '') => repository.write('train.sh', trainScript(tally, value, lines));
  await repository.remove('train.ipynb');
  await repository.remove('data');
  await repository.write('data/a.txt', '1\n');
  await repository.write('data/b.txt', '2\n');
  await repository.write('.mlops/config.yaml', shellConfig(options.data ?? '[data]', options.config ?? ''));
  await score(0.9);
  const shell = { ...project, score };
  if (options.init === false) return shell;
  const init = await project.mlops(['init', '--yes']);
  if (init.code !== 0) throw new Error(`mlops init: ${init.stdout}${init.stderr}`);
  await project.commit('A shell project');
  return shell;
}

const trainScript = (tally: string, score: number, lines: string): string =>
  [
    'set -e',
    `echo "$MLOPS_RUN" >> '${tally}'`,
    `while [ -e '${tally}.hold' ]; do sleep 0.05; done`,
    lines,
    `echo '{"score": ${score}}' > "$MLOPS_OUT/metrics.json"`,
    '',
  ].join('\n');

export const shellConfig = (data: string, more: string): string =>
  `version: 1
code: ["**", "!*.md"]
data: ${data}
environment: none
resources: { time: "00:05:00" }
steps:
  - run: sh train.sh
    metrics: { file: $MLOPS_OUT/metrics.json }
require:
  score: { min: 0.5 }
${more}`;
