import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { renderBuild, renderJob, renderShell } from '../../lib/job/render.ts';
import { readTemplates, TEMPLATE_NAMES, type Templates } from '../../lib/job/templates.ts';
import type { EnvironmentView, JobView } from '../../lib/job/view.ts';
import { findProgram } from '../rig/requirements.ts';

const folder = join(import.meta.dirname, '../../templates');
const templates: Templates = await readTemplates(folder);
const hostile = `it's "q" $(touch oops) \`touch oops\`\n#SBATCH --evil ünïcode\\ ; | & {{sh x}} %s`;

const view = (environment: EnvironmentView): JobView => ({
  fingerprint: 'ab'.repeat(32),
  short: 'abababababababab',
  umask: '077',
  group: false,
  sbatch: [
    { option: 'job-name', value: 'mlops-abababababababab' },
    { option: 'time', value: '0-01:00:00' },
    { option: 'cpus-per-task', value: 4 },
    { option: 'no-requeue', value: true },
    { option: 'comment', value: 'it\'s "quoted" # \\ $(no)' },
  ],
  setup: true,
  modules: ['Anaconda3/2021.11', `odd $(touch oops) 'module'`],
  needs: 'papermill ipykernel',
  gpus: 2,
  signals: false,
  environment,
  pinned: ['/datasets/ml-25m', `$SCRATCH/it's "q" $(touch oops)`],
  env: [
    { name: 'OMP_NUM_THREADS', value: '4' },
    { name: 'ODD', value: hostile },
  ],
  stepCount: 2,
  steps: [
    { index: 1, chain: 'cd'.repeat(32), inTask: false, notebook: true, line: '', metrics: '', signal: '', junit: '' },
    {
      index: 2,
      chain: 'ef'.repeat(32),
      inTask: true,
      notebook: false,
      signal: 'USR2',
      line: hostile,
      metrics: `out/${hostile}.json`,
      junit: 'out/tests.xml',
    },
  ],
  tasks: [{ index: 1, title: hostile }],
  taskCount: 1,
  array: false,
  throttle: 2,
  repeatedFrom: 2,
  artifacts: ['model.pkl', 'plots/**/*.{png,svg}', `a b'$(touch oops)*.x`],
});
const built = { kind: 'conda', environmentKey: '0123456789abcdef01234567', title: hostile, builtBefore: false };
const environments: Readonly<Record<string, EnvironmentView>> = {
  'conda-file': { ...built, template: 'env-conda', file: `tree/${hostile}.yml` },
  packages: {
    ...built,
    template: 'env-conda',
    channels: ['conda-forge', hostile],
    manager: `$HOME/${hostile}`,
    packed: true,
    packages: ['python', 'numpy>=1.20', hostile],
  },
  venv: {
    ...built,
    kind: 'venv',
    template: 'env-venv',
    locked: false,
    project: false,
    folder: `tree/${hostile}`,
    name: 'requirements.txt',
  },
  'venv-python': {
    ...built,
    kind: 'venv',
    template: 'env-venv',
    locked: false,
    project: false,
    folder: 'tree',
    name: 'requirements.txt',
    python: '3.11',
  },
  'venv-packed': {
    ...built,
    kind: 'venv',
    template: 'env-venv',
    locked: false,
    project: false,
    folder: 'tree',
    name: 'requirements.txt',
    packed: true,
  },
  uv: { ...built, kind: 'uv', template: 'env-venv', locked: true, project: false, folder: 'tree', name: 'uv.lock' },
  pyproject: {
    ...built,
    kind: 'venv',
    template: 'env-venv',
    locked: false,
    project: true,
    folder: 'tree',
    name: 'pyproject.toml',
    builtBefore: true,
  },
  container: { ...built, kind: 'container', template: 'env-container', image: hostile, inTree: true },
  image: { ...built, kind: 'container', template: 'env-container', image: '$HOME/it is.sif', inTree: false },
  docker: { ...built, kind: 'container', template: 'env-container', reference: 'docker://debian:12', inTree: false },
  prefix: {
    template: 'env-given',
    prefix: hostile,
    seenKey: 'given-0123456789abcdef',
    kernel: 'mlops',
    kernelTitle: `Python (${hostile})`,
  },
  none: { template: 'env-given' },
};
const render = async (environment: EnvironmentView, own: Partial<JobView> = {}) =>
  renderJob({ ...view(environment), ...own }, templates);

const asArray = {
  array: true,
  repeatedFrom: 1,
  steps: view({ template: 'env-given' }).steps.map((step) => ({ ...step, inTask: true })),
};

const scripts = [
  ...Object.entries(environments).map(([name, environment]) => [`job-${name}`, () => render(environment)] as const),
  // In a folder that a Unix group shares.
  [
    'job-venv-group',
    () => render(environments.venv ?? { template: 'env-given' }, { umask: '007', group: true }),
  ] as const,
  ['job-signals', () => render(environments.prefix ?? { template: 'env-given' }, { signals: true })] as const,
  // One task of an array; and the environment for it, made on the login node.
  ['job-array', () => render(environments.venv ?? { template: 'env-given' }, asArray)] as const,
  [
    'build-array',
    () => renderBuild({ ...view(environments.venv ?? { template: 'env-given' }), ...asArray }, templates),
  ] as const,
  // A terminal where it ran; and the one of an environment that the job itself does not build.
  ['shell-venv', () => renderShell(view(environments.venv ?? { template: 'env-given' }), templates)] as const,
  // A job of its own for that.
  [
    'build-ahead',
    () =>
      renderBuild(view(environments.venv ?? { template: 'env-given' }), templates, [{ option: 'mem', value: '8G' }]),
  ] as const,
  ['build-pyproject', () => renderBuild(view(environments.pyproject ?? { template: 'env-given' }), templates)] as const,
];

describe.each(scripts)('the script %s', (name, make) => {
  test('is the golden one, whatever the values hold (UPDATE_GOLDEN=1 writes it)', async () => {
    const golden = join(import.meta.dirname, 'golden', `${name}.sh`);
    const rendered = await make();
    if (!rendered.ok) throw new Error(rendered.error.detail);
    if (process.env.UPDATE_GOLDEN === '1' || !existsSync(golden)) {
      mkdirSync(dirname(golden), { recursive: true });
      writeFileSync(golden, rendered.value);
    }
    expect(rendered.value).toBe(readFileSync(golden, 'utf8'));
  });

  test('is a POSIX shell’s in the eyes of every shell that is here', async () => {
    const rendered = await make();
    const script = rendered.ok ? rendered.value : '';
    for (const shell of ['sh', 'dash', 'bash', 'busybox'].filter((one) => findProgram(one) !== undefined)) {
      const args = shell === 'busybox' ? ['sh', '-n'] : ['-n'];
      expect([shell, spawnSync(shell, args, { input: script, encoding: 'utf8' }).stderr]).toEqual([shell, '']);
    }
  });
});

test('every value in a shell template goes through a helper that suits its place', () => {
  const allowed =
    /^\{\{(?:[#/](?:each|if)\b.*|else|> [a-z-]+|(?:sh|expanded|num|word|words|name|glob|sbatch) [\w.]+)\}\}$/;
  for (const name of TEMPLATE_NAMES.filter((one) => one.endsWith('.hbs'))) {
    const found = templates[name].match(/\{\{.*?\}\}+/g) ?? [];
    expect([name, found.filter((mustache) => !allowed.test(mustache))]).toEqual([name, []]);
  }
});

test('no #SBATCH line comes from a value', async () => {
  const rendered = await render(environments.none ?? { template: 'env-given' });
  const lines = (rendered.ok ? rendered.value : '').split('\n');
  // sbatch stops reading at the first command: what a quoted value holds further down is text.
  const firstCommand = lines.findIndex((line) => line !== '' && !line.startsWith('#'));
  expect(lines.slice(0, firstCommand).filter((line) => line.includes('evil'))).toEqual([]);
  expect(lines).toContain('#SBATCH --comment="it\'s \\"quoted\\" # \\\\ $(no)"');
});

describe('a value that cannot be in a script is refused', () => {
  test.each<[string, Partial<JobView>]>([
    ['a newline for sbatch', { sbatch: [{ option: 'comment', value: 'a\n#SBATCH --evil' }] }],
    ['an option that is none', { sbatch: [{ option: 'x y', value: true }] }],
    ['NUL', { modules: ['a\0b'] }],
    ['a variable that is none', { env: [{ name: 'A B', value: '' }] }],
    ['a count that is none', { stepCount: 0.5 }],
  ])('%s', async (_, own) => {
    expect(await render({ template: 'env-given' }, own)).toMatchObject({
      ok: false,
      error: { reason: 'unsafe-value' },
    });
  });
});

test('a repository’s own template takes the place of ours, and a mistake in it is named', async () => {
  const own = await readTemplates(folder, new Map([['steps.sh.hbs', '# our own {{num stepCount}}\n']]));
  const rendered = await renderJob(view({ template: 'env-given' }), own);
  expect(rendered.ok && rendered.value).toContain('# our own 2');
  const broken = await readTemplates(folder, new Map([['steps.sh.hbs', '{{#if nonsense']]));
  expect(await renderJob(view({ template: 'env-given' }), broken)).toMatchObject({
    ok: false,
    error: { reason: 'template' },
  });
  const misspelt = await readTemplates(folder, new Map([['steps.sh.hbs', '{{sh nonsense}}']]));
  expect(await renderJob(view({ template: 'env-given' }), misspelt)).toMatchObject({
    ok: false,
    error: { reason: 'template' },
  });
});
