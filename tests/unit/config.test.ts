import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { err, ok } from '../../lib/base/result.ts';
import { formatDiagnostic } from '../../lib/cli/diagnostic.ts';
import { cachedConfig } from '../../lib/config/cached-config.ts';
import { loadConfig } from '../../lib/config/load-config.ts';
import { formatPath, parsePath } from '../../lib/config/path.ts';
import { pushPolicy } from '../../lib/config/push-policy.ts';
import { configSchema } from '../../lib/config/schema.ts';
import type { Config, LoadedConfig } from '../../lib/config/types.ts';
import { parseMargin, parseMem, parseTime } from '../../lib/config/units.ts';

const steps = 'steps: [{ run: pytest -q }]\n';

function load(text: string, overrides: Readonly<Record<string, string>> = {}): LoadedConfig {
  const loaded = loadConfig(text, '.mlops/config.yaml', new Map(Object.entries(overrides)));
  if (!loaded.ok) throw new Error(loaded.error.map((diagnostic) => formatDiagnostic(diagnostic)).join('\n'));
  return loaded.value;
}
const refused = (text: string, overrides: Readonly<Record<string, string>> = {}): readonly string[] => {
  const loaded = loadConfig(text, '.mlops/config.yaml', new Map(Object.entries(overrides)));
  return loaded.ok ? [] : loaded.error.map((diagnostic) => formatDiagnostic(diagnostic));
};

/** The public interface, every key of it. */
const whole = `version: 1
cluster:
  host: login.hpc.example.edu
  workdir: /scratch/$USER/mlops
  modules: [Anaconda3/2021.11]
  slurm: { partition: gpu, account: proj, exclusive: true, nice: 010 }
  transport: auto
  group: proj
  require_master: true
resources: { time: "01:30:00", mem: 16G, cpus: 4, gpus: 1 }
code: ["**", "!docs/**"]
data:
  - data/ratings.csv
  - { path: ./data/scratch/, writable: true }
  - { cluster: /datasets/ml-25m, as: data/ml-25m }
environment:
  conda: environment.yml
  name: mlops
  build_on: job
steps:
  - notebook: movie-recs.ipynb
    parameters: { challenge_length: 5, nested: { list: [1, null] } }
    seeds: { parameter: seed, values: [1, 2, 3, 4, 5] }
    matrix: { lr: [0.1, 0.01] }
    throttle: 2
    resources: { mem: 32G }
    metrics:
      rprec: rprecs["rprec"].mean()
  - run: pytest -q --junitxml=$MLOPS_OUT/tests.xml
    junit: tests.xml
  - run: python evaluate.py
    metrics: { file: $MLOPS_OUT/metrics.json }
    curves: { loss: min }
require:
  rprec: { min: 0.25, baseline: main, max_drop: 1%, without_baseline: warn }
artifacts: [model.pkl]
retry: { infrastructure: 2 }
env: { OMP_NUM_THREADS: 4, RELEASE: 1.10, COUNTRY: NO }
secrets: [WANDB_API_KEY]
setup: source /etc/profile.d/site.sh
push: { main: gate, "release/*": gate, "*": record }
on_commit: submit
supersede: queued
publish: metrics
reports: mlops
`;

describe('the config is read', () => {
  test('with every key of the public interface', () => {
    expect(load(whole).config).toEqual({
      version: 1,
      cluster: {
        host: 'login.hpc.example.edu',
        workdir: '/scratch/$USER/mlops',
        modules: ['Anaconda3/2021.11'],
        slurm: { partition: 'gpu', account: 'proj', exclusive: true, nice: '010' },
        transport: 'auto',
        group: 'proj',
        requireMaster: true,
      },
      resources: { seconds: 5400, mem: 16 * 2 ** 30, cpus: 4, gpus: 1 },
      code: ['**', '!docs/**'],
      data: [
        { kind: 'path', path: 'data/ratings.csv', writable: false },
        { kind: 'path', path: 'data/scratch', writable: true },
        { kind: 'cluster', cluster: '/datasets/ml-25m', as: 'data/ml-25m', fingerprint: 'stat' },
      ],
      environment: { kind: 'conda', file: 'environment.yml', name: 'mlops', buildOn: 'job' },
      steps: [
        {
          kind: 'notebook',
          notebook: 'movie-recs.ipynb',
          parameters: { challenge_length: 5, nested: { list: [1, null] } },
          seeds: { parameter: 'seed', values: [1, 2, 3, 4, 5] },
          matrix: { lr: [0.1, 0.01] },
          throttle: 2,
          resources: { seconds: 5400, mem: 32 * 2 ** 30, cpus: 4, gpus: 1 },
          metrics: { kind: 'expressions', expressions: { rprec: 'rprecs["rprec"].mean()' } },
        },
        { kind: 'run', run: 'pytest -q --junitxml=$MLOPS_OUT/tests.xml', junit: 'tests.xml' },
        {
          kind: 'run',
          run: 'python evaluate.py',
          metrics: { kind: 'file', file: '$MLOPS_OUT/metrics.json' },
          curves: { loss: 'min' },
        },
      ],
      require: {
        rprec: { min: 0.25, baseline: 'main', maxDrop: { kind: 'percent', amount: 1 }, withoutBaseline: 'warn' },
      },
      artifacts: ['model.pkl'],
      retry: { infrastructure: 2 },
      env: { OMP_NUM_THREADS: '4', RELEASE: '1.10', COUNTRY: 'NO' },
      secrets: ['WANDB_API_KEY'],
      setup: 'source /etc/profile.d/site.sh',
      push: [
        { pattern: 'main', policy: 'gate' },
        { pattern: 'release/*', policy: 'gate' },
        { pattern: '*', policy: 'record' },
      ],
      onCommit: 'submit',
      supersede: 'queued',
      publish: 'metrics',
      reports: 'mlops',
    });
  });

  test('with every default filled in', () => {
    expect(load(`version: 1\n${steps}`).config).toEqual({
      version: 1,
      resources: { seconds: 3600 },
      code: ['**'],
      data: [],
      environment: { kind: 'none' },
      steps: [{ kind: 'run', run: 'pytest -q' }],
      require: {},
      artifacts: [],
      retry: { infrastructure: 1 },
      env: {},
      secrets: [],
      push: [{ pattern: '*', policy: 'gate' }],
      onCommit: 'record',
      publish: 'full',
      reports: 'mlops',
    });
  });

  test('as plain JSON, so that it can be cached', () => {
    const { config } = load(whole);
    expect(JSON.parse(JSON.stringify(config))).toStrictEqual(config);
  });

  test('with Windows line ends, a byte order mark and anchors', () => {
    const { config } = load(
      '\ufeffversion: 1\r\nresources: &r { mem: 1G }\r\nsteps:\r\n  - run: x\r\n    resources: *r\r\n',
    );
    expect(config.steps).toEqual([{ kind: 'run', run: 'x', resources: { seconds: 3600, mem: 2 ** 30 } }]);
  });

  test.each([
    ['python train.py\npython evaluate.py', 1],
    ['set -e\npython train.py\npython evaluate.py', 0],
    ['set -euo pipefail; cd src\npython train.py', 0],
    ['python train.py \\\n  --epochs 5\n', 0],
    ['python train.py &&\n# then\npython evaluate.py', 0],
    ['python train.py', 0],
  ])('of lines that may fail unseen one is warned: %j', (run, count) => {
    const { warnings } = load(`version: 1\nsteps: [{ run: ${JSON.stringify(run)} }]\n`);
    expect(warnings.map(({ hint }) => hint)).toEqual(Array(count).fill('begin with `set -e`'));
  });

  test('reports: .mlops is read as mlops, with a notice', () => {
    const { config, warnings } = load(`version: 1\n${steps}reports: .mlops\n`);
    expect(config.reports).toBe('mlops');
    expect(warnings.map(({ severity, reason, range }) => [severity, reason, range.line])).toEqual([
      ['warning', 'mapped', 3],
    ]);
  });

  test('a folder that each user has for himself is no folder of a group', () => {
    const cluster = (workdir: string) => `cluster: { host: h, workdir: ${workdir}, group: proj }\n`;
    const { warnings } = load(`version: 1\n${cluster('/scratch/$USER/w')}${steps}`);
    expect(warnings.map(({ path, message }) => [path, message])).toEqual([
      ['cluster.workdir', '`workdir` is another folder for each user, and `group` shares one'],
    ]);
    expect(load(`version: 1\n${cluster('$SCRATCH/proj')}${steps}`).warnings).toEqual([]);
  });
  test('an unknown sbatch option is passed on, with a notice if it looks misspelt', () => {
    const { config, warnings } = load(
      `version: 1\ncluster: { workdir: /s, slurm: { partion: gpu, site-plugin: x } }\n${steps}`,
    );
    expect(config.cluster?.slurm).toEqual({ partion: 'gpu', 'site-plugin': 'x' });
    expect(warnings.map(({ hint }) => hint)).toEqual(['did you mean `partition`?']);
  });

  test('a time that YAML 1.1 makes a number of is read as it was typed, with a notice', () => {
    const { config, warnings } = load(`%YAML 1.1\n---\nversion: 1\nresources: { time: 01:00:00 }\n${steps}`);
    expect(config.resources.seconds).toBe(3600);
    expect(warnings.map(({ range }) => [range.line, range.column])).toEqual([[4, 20]]);
  });

  test('limits of what a run took are written as in `resources`', () => {
    const { require } = load(
      'version: 1\nsteps: [{ run: x }]\nartifacts: ["$MLOPS_OUT/model.pkl", "plots/*.png"]\nrequire:\n' +
        '  $time: { max: "01:30:00", warn: { max: 60 } }\n  $memory: { max: 8G }\n' +
        '  $size($MLOPS_OUT/model.pkl): { goal: { max: 500 } }\n  $size(plots/a.png): { max: 1M }\n',
    ).config;
    expect(require.$time).toEqual({ max: 5400, warn: { max: 3600 }, withoutBaseline: 'warn' });
    expect(require.$memory).toEqual({ max: 8 * 2 ** 30, withoutBaseline: 'warn' });
    expect(require['$size($MLOPS_OUT/model.pkl)']?.goal).toEqual({ max: 500 * 2 ** 20 });
  });

  test('a name that only a metrics file can define may be required', () => {
    expect(
      load('version: 1\nsteps: [{ run: x, metrics: { file: m.json } }]\nrequire: { any: { max: 1 } }\n').config.require,
    ).toEqual({ any: { max: 1, withoutBaseline: 'warn' } });
  });

  test('and says where a key is written', () => {
    const config = load(whole);
    expect(config.locate('resources.mem')).toMatchObject({ line: 10, column: 32, length: 3 });
    expect(config.locate('steps[0].metrics.rprec')).toMatchObject({ line: 28, column: 7 });
    expect(config.locate('push["release/*"]')).toMatchObject({ line: 41 });
    expect(config.locate('resources.nodes')).toBeUndefined();
  });
});

describe('one person’s git config', () => {
  const group = `version: 1\ncluster: { host: h, workdir: /group, slurm: { account: proj } }\n${steps}`;

  test('goes over the file’s `cluster`', () => {
    const overrides = {
      'cluster.host': 'other',
      'cluster.workdir': '/scratch/$USER',
      'cluster.modules': 'a/1, b/2',
      'cluster.slurm.account': 'mine',
      'cluster.slurm.exclusive': 'true',
      'cluster.requiremaster': 'yes',
    };
    expect(load(group, overrides).config.cluster).toEqual({
      host: 'other',
      workdir: '/scratch/$USER',
      modules: ['a/1', 'b/2'],
      slurm: { account: 'mine', exclusive: true },
      transport: 'auto',
      requireMaster: true,
    });
  });

  test('names a cluster where the file has none', () => {
    const { cluster } = load(`version: 1\n${steps}`, { 'cluster.host': 'h', 'cluster.workdir': '/s' }).config;
    expect(cluster?.host).toBe('h');
  });

  test('takes a key away with an empty value', () => {
    expect(load(group, { 'cluster.host': '' }).config.cluster?.host).toBeUndefined();
  });

  test('is named where it is wrong', () => {
    expect(refused(group, { 'cluster.transport': 'telnet', 'cluster.hots': 'x', 'cluster.slurm.time': '5' })).toEqual([
      'git config mlops.cluster.transport  `transport` is auto, ssh2 or openssh, not `telnet`\n      | mlops.cluster.transport = telnet',
      'git config mlops.cluster.hots  unknown key `hots` in `cluster`; did you mean `host`?\n      | mlops.cluster.hots = x',
      'git config mlops.cluster.slurm.time  `time` is not an option to set in `slurm`; it comes from `resources.time`\n      | mlops.cluster.slurm.time = 5',
    ]);
  });
});

describe('sizes and times are Slurm’s', () => {
  test.each([
    ['90', 5400],
    ['1:30', 90],
    ['01:00:00', 3600],
    ['2-0', 172_800],
    ['1-12:30', 131_400],
    ['1-00:00:01', 86_401],
    ['0', undefined],
    ['1:2:3:4', undefined],
    ['1h', undefined],
    ['', undefined],
  ])('a time of %p is %p seconds', (text, seconds) => expect(parseTime(text)).toBe(seconds));

  test.each([
    ['500', 500 * 2 ** 20],
    ['16G', 16 * 2 ** 30],
    ['16GB', 16 * 2 ** 30],
    ['1.5 GiB', 1.5 * 2 ** 30],
    ['2T', 2 * 2 ** 40],
    ['100k', 102_400],
    ['0', undefined],
    ['-1G', undefined],
    ['16 gigs', undefined],
  ])('a size of %p is %p bytes', (text, bytes) => expect(parseMem(text)).toBe(bytes));

  test.each([
    ['1%', { kind: 'percent', amount: 1 }],
    ['0.5 %', { kind: 'percent', amount: 0.5 }],
    [0.01, { kind: 'absolute', amount: 0.01 }],
    [-1, undefined],
    ['1', undefined],
  ])('a margin of %p is %p', (value, margin) => expect(parseMargin(value)).toEqual(margin));
});

describe('what a push to a branch does', () => {
  const rules: Pick<Config, 'push'> = {
    push: [
      { pattern: '*', policy: 'record' },
      { pattern: 'release/*', policy: 'gate' },
      { pattern: 'release/old/*', policy: 'ignore' },
      { pattern: 'release/old/1.0', policy: 'gate' },
      { pattern: 'v1.?', policy: 'gate' },
    ],
  };
  test.each([
    ['feature/a/b', 'record'],
    ['release/2', 'gate'],
    ['release/old/0.9', 'ignore'],
    ['release/old/1.0', 'gate'],
    ['v1.2', 'gate'],
    ['v1x2', 'record'],
  ])('%s: %s', (branch, policy) => expect(pushPolicy(rules, branch)).toBe(policy));

  test('a branch that no pattern matches is gated', () => {
    expect(pushPolicy({ push: [{ pattern: 'main', policy: 'record' }] }, 'x')).toBe('gate');
  });
});

test.each(['', 'a', 'a.b[0].c-d', 'push["release/*"]', 'env["a\\"b"]', '[0]'])(
  'the path %p is read as it is written',
  (text) => expect(formatPath(parsePath(text) ?? ['not a path'])).toBe(text),
);

describe('the cache', () => {
  const { config } = load(whole);

  test('gives the config again without reading it, for the same key only, and survives damage', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'mlops-config-'));
    try {
      let reads = 0;
      const read = async (key: string) =>
        cachedConfig(join(dir, 'state'), key, async () => {
          reads += 1;
          return ok(config);
        });
      expect(await read('a')).toEqual(ok(config));
      expect(await read('a')).toEqual(ok(config));
      expect(reads).toBe(1);
      await read('b');
      expect(reads).toBe(2);
      const file = join(dir, 'state/config.json');
      await writeFile(file, (await readFile(file, 'utf8')).slice(0, 40));
      expect(await read('b')).toEqual(ok(config));
      expect(reads).toBe(3);
    } finally {
      await rm(dir, { recursive: true });
    }
  });

  test('keeps no refusal, and a state folder that cannot be made changes nothing', async () => {
    expect(await cachedConfig('/dev/null/state', 'a', async () => err('broken'))).toEqual(err('broken'));
    expect(await cachedConfig('/dev/null/state', 'a', async () => ok(config))).toEqual(ok(config));
  });
});

describe('docs/config.md', () => {
  const text = readFileSync(new URL('../../docs/config.md', import.meta.url), 'utf8');

  test('has an example that loads, and one of each section that does with a step', () => {
    const examples = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, example = '']) => example);
    expect(examples.length).toBeGreaterThan(2);
    for (const example of examples) {
      const whole = `${example.includes('version:') ? '' : 'version: 1\n'}${example}${example.includes('steps:') ? '' : steps}`;
      expect(refused(whole)).toEqual([]);
    }
  });

  test('names every key', () => {
    const schema = JSON.stringify(
      JSON.parse(readFileSync(new URL('../../schema/config.schema.json', import.meta.url), 'utf8')),
    );
    const keys = new Set([...schema.matchAll(/"properties":\{"(\w+)"/g)].map(([, key = '']) => key));
    for (const key of [...keys, ...Object.keys(configSchema.shape)]) expect(text).toMatch(new RegExp(`\\b${key}\\b`));
  });
});
