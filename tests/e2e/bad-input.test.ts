import { expect, test } from '@jest/globals';
import { type CliProject, cliProject } from '../rig/cli.ts';
import { describeWith, program } from '../rig/requirements.ts';

interface Mistake {
  readonly title: string;
  readonly make: (project: CliProject) => Promise<void>;
  readonly says: RegExp;
}

const change = async (project: CliProject, path: string, from: string | RegExp, to: string) => {
  const text = await project.repository.read(path);
  const changed = text.replace(from, () => to);
  if (changed === text) throw new Error(`${path} has no ${from}`);
  await project.repository.write(path, changed);
};
const config = '.mlops/config.yaml';

const mistakes: readonly Mistake[] = [
  {
    title: 'no config: says which command makes one',
    make: (project) => project.repository.remove(config),
    says: /config\.yaml.*\n?.*mlops init/,
  },
  {
    title: 'broken YAML: file, line and column',
    make: (project) => change(project, config, 'steps:', 'steps: ['),
    says: /\.mlops\/config\.yaml:\d+:\d+/,
  },
  {
    title: 'an unknown key: underlined, with the nearest one that is valid',
    make: (project) => change(project, config, 'metrics: { score', 'metric: { score'),
    says: /config\.yaml:8:5 .*unknown key `metric`.*did you mean `metrics`\?[\s\S]*\^{6}/,
  },
  {
    title: 'a notebook that is missing: with the line of the config',
    make: (project) => change(project, config, 'train.ipynb', 'trian.ipynb'),
    says: /trian\.ipynb[\s\S]*config\.yaml:\d+/,
  },
  {
    title: 'a folder to start in that is not there: underlined, with the one that was meant',
    make: (project) => change(project, config, 'notebook: train.ipynb', 'notebook: train.ipynb\n    cwd: daat'),
    says: /config\.yaml:\d+:5 .*no folder `daat`.*did\s+you\s+mean `data`\?[\s\S]*\^{3}/,
  },
  {
    title: 'a notebook that is no JSON',
    make: (project) => project.repository.write('train.ipynb', '<<<<<<< HEAD\n'),
    says: /train\.ipynb.*(JSON|conflict)/i,
  },
  {
    title: 'parameters for a notebook without a `parameters` cell',
    make: async (project) => {
      await change(project, config, 'notebook: train.ipynb', 'notebook: train.ipynb\n    parameters: { weight: 0.5 }');
      await change(project, 'train.ipynb', /"parameters"\n/, '"other"\n');
    },
    says: /train\.ipynb[\s\S]*parameters/,
  },
  {
    title: 'an expression that raises: the metric, the expression and the exception',
    make: (project) => change(project, config, 'score: score }', `score: 'scores["x"]' }`),
    says: /score[\s\S]*NameError/,
  },
  {
    title: 'a metric that is NaN is no number that is large enough',
    make: (project) => change(project, config, 'score: score }', `score: float("nan") }`),
    says: /FAIL[\s\S]*score.*NaN/i,
  },
  {
    title: 'a notebook that raises: the cell and the exception',
    make: (project) => change(project, 'train.ipynb', 'weight = 1.0', 'weight = 1 / 0'),
    says: /FAIL[\s\S]*cell 2[\s\S]*ZeroDivisionError/,
  },
  {
    title: 'no Python where the environment should be',
    make: (project) => change(project, config, /prefix: "[^"]*"/, 'prefix: "/nowhere/env"'),
    says: /ERROR[\s\S]*\/nowhere\/env/,
  },
  {
    title: 'a cluster without Slurm: the command that is missing',
    make: (project) =>
      change(project, config, 'version: 1\n', 'version: 1\ncluster: { slurm: {}, workdir: $HOME/work }\n'),
    says: /sbatch/,
  },
  {
    title: 'a host that does not exist',
    make: (project) =>
      change(
        project,
        config,
        'version: 1\n',
        'version: 1\ncluster: { host: no-such-host.invalid, workdir: $HOME/work }\n',
      ),
    says: /no-such-host\.invalid/,
  },
];

describeWith(
  [program('python3', 'python3-venv')],
  'a mistake blocks the push with exit code 1, is named, and costs nothing',
  () => {
    test.each(mistakes)('$title', async ({ make, says }) => {
      await using project = await cliProject();
      await make(project);
      await project.commit('A mistake');
      const before = await project.repository.git('for-each-ref', '--format=%(refname)', 'refs/heads');
      const pushed = await project.git(['push', 'origin', 'main']);
      expect(pushed).toMatchObject({ code: 1, stderr: expect.stringMatching(says) });
      // Ours or git's words, never our stack.
      expect(pushed.stderr).not.toMatch(/\n\s+at .*\.js:\d+/);
      expect(await project.repository.git('--git-dir', project.remote, 'for-each-ref', 'refs/heads/main')).toBe('');
      expect(before).toContain('refs/heads/main');
      expect(await project.repository.git('status', '--porcelain')).toBe('');
    });
  },
);
