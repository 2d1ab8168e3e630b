// `node bench/environment.mjs`: what a built environment costs at the start of a run, and what building one through us costs, each
// beside the same commands typed by hand, in one run on this machine. Needs Python 3 with venv, and a package index.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const checkout = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: { starts: { type: 'string', default: '7' }, builds: { type: 'string', default: '3' } },
});
const program = join(checkout, 'dist/mlops.js');
const root = mkdtempSync(join(tmpdir(), 'mlops-bench-'));
const network = Object.entries(process.env).filter(([name]) => /^(?:PIP|SSL|REQUESTS|CURL)_|_proxy$/i.test(name));
const env = {
  ...Object.fromEntries(network),
  // Both sides by pip: where uv is, we would take it.
  PATH: (process.env.PATH ?? '')
    .split(':')
    .filter((folder) => !existsSync(join(folder, 'uv')))
    .join(':'),
  HOME: join(root, 'home'),
  XDG_CACHE_HOME: join(root, 'cache'),
  PIP_CACHE_DIR: join(root, 'pip'),
  PIP_DISABLE_PIP_VERSION_CHECK: '1',
  GIT_CONFIG_NOSYSTEM: '1',
  LC_ALL: 'C.UTF-8',
  NO_COLOR: '1',
};
const repository = join(root, 'repository');
const load = loadavg()[0] ?? 0;

function run(file, args, cwd = repository) {
  const { status, stdout, stderr, error } = spawnSync(file, args, { cwd, env, encoding: 'utf8' });
  if (error !== undefined || status !== 0)
    throw new Error(`${file} ${args.join(' ')}: ${error?.message ?? `exit ${status}`}\n${stdout}${stderr}`);
  return stdout + stderr;
}
const mlops = (...args) => run(process.execPath, [program, ...args]);
function commit(message) {
  run('git', ['add', '.']);
  run('git', ['commit', '--quiet', '-m', message]);
}
const seconds = (from, to) => (to - from) / 1000;
const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** The cell that is timed writes down when it began; a second one makes it a notebook of some cells. */
const tally = join(root, 'first-cell');
const notebook = JSON.stringify({
  nbformat: 4,
  nbformat_minor: 4,
  metadata: { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' } },
  cells: [`import time\nopen(${JSON.stringify(tally)}, "w").write(str(time.time()))`, 'score = 1'].map((source) => ({
    cell_type: 'code',
    source,
    metadata: {},
    outputs: [],
    execution_count: null,
  })),
});
const firstCell = () => Number(readFileSync(tally, 'utf8')) * 1000;

mkdirSync(repository, { recursive: true });
mkdirSync(env.HOME, { recursive: true });
mkdirSync(join(repository, '.mlops'));
run('git', ['init', '--quiet', '-b', 'main']);
run('git', ['config', 'user.name', 'Bench']);
run('git', ['config', 'user.email', 'bench@example.org']);
writeFileSync(join(repository, 'train.ipynb'), notebook);
writeFileSync(
  join(repository, '.mlops/config.yaml'),
  `version: 1
environment: { venv: requirements.txt }
steps:
  - notebook: train.ipynb
    metrics: { score: score }
require: { score: { min: 0.5 } }
`,
);
// What the recipe installs; papermill and ipykernel are named, so that nothing is added on one side alone.
const requirements = 'numpy\nscipy\nscikit-learn\npandas\nipykernel\npapermill\n';
writeFileSync(join(repository, 'requirements.txt'), requirements);
commit('Bench');
mlops('trust');

// --- builds, one after the other: by hand, through us. The first pair fills the caches and is not counted.
const builds = { hand: [], ours: [] };
const byHand = join(root, 'by-hand');
for (let round = 0; round <= Number(values.builds); round += 1) {
  rmSync(byHand, { recursive: true, force: true });
  // Another comment would be the same environment; another constraint that is met anyway is not.
  writeFileSync(join(repository, 'requirements.txt'), `${requirements}pip>=${round}\n`);
  commit(`Build ${round}`);
  process.stderr.write(`build ${round} of ${values.builds}\n`);
  let from = Date.now();
  run('python3', ['-m', 'venv', byHand]);
  run(join(byHand, 'bin/python'), ['-m', 'pip', 'install', '-r', 'requirements.txt']);
  const hand = seconds(from, Date.now());
  from = Date.now();
  mlops('env', 'build');
  const ours = seconds(from, Date.now());
  if (round === 0) continue;
  builds.hand.push(hand);
  builds.ours.push(ours);
}

// --- starts: the last environment is there.
const starts = { hand: [], job: [], command: [] };
const runs = join(root, 'cache/mlops/runs');
const [envKey = ''] = [/\* (\w+)/.exec(mlops('env', 'list'))?.[1]];
const envs = join(root, 'cache/mlops/envs');
const prefix = join(envs, readdirSync(envs).find((name) => name.startsWith(envKey)) ?? '', 'env');
for (let round = 0; round <= Number(values.starts); round += 1) {
  process.stderr.write(`start ${round} of ${values.starts}\n`);
  let from = Date.now();
  run(join(prefix, 'bin/papermill'), ['train.ipynb', join(root, 'out.ipynb'), '-k', 'python3']);
  const hand = seconds(from, firstCell());
  from = Date.now();
  mlops('run', '--again');
  const command = seconds(from, firstCell());
  // The first thing that a job's script does is to say that it has begun.
  const begun = readdirSync(runs).flatMap((name) =>
    readdirSync(join(runs, name)).flatMap((attempt) => {
      const file = join(runs, name, attempt, 'state/begun');
      return existsSync(file) ? [statSync(file).mtimeMs] : [];
    }),
  );
  const job = seconds(Math.max(...begun), firstCell());
  if (round === 0) continue;
  starts.hand.push(hand);
  starts.job.push(job);
  starts.command.push(command);
}

const version = (file, ...args) => execFileSync(file, args, { env, encoding: 'utf8' }).trim();
const versions = [
  `mlops-hpc ${JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')).version}`,
  `node ${process.versions.node}`,
  version('python3', '--version'),
  version(join(prefix, 'bin/python'), '-m', 'pip', '--version').replace(/ from.*/, ''),
  `papermill ${/^\S+/.exec(version(join(prefix, 'bin/papermill'), '--version'))?.[0]}`,
  `Linux ${release()}`,
  `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}`,
  `load average at the start ${load.toFixed(1)}`,
];
const cells = (numbers) =>
  [median(numbers), Math.min(...numbers), Math.max(...numbers)].map((n) => n.toFixed(2).padStart(6));
const row = (name, numbers, note) => `| ${[name, ...cells(numbers), note].join(' | ')} |`;
// Each beside its neighbour in time: other work on the machine slows down both.
const later = median(starts.job.map((one, round) => one - starts.hand[round]));
const ratio = median(builds.ours.map((one, round) => one / builds.hand[round]));
const table = [
  '| | median s | min | max | |',
  '|---|---|---|---|---|',
  row('first cell after `papermill` typed by hand', starts.hand, ''),
  row(
    "first cell after the job's first line, environment built",
    starts.job,
    `${later >= 0 ? '+' : '−'} ${Math.abs(later).toFixed(2)} s (at most 1 s)`,
  ),
  row('first cell after `mlops run` typed', starts.command, ''),
  row('`python3 -m venv` and `pip install` by hand', builds.hand, ''),
  row('`mlops env build`', builds.ours, `${ratio.toFixed(3)} × (at most 1.05 ×)`),
].join('\n');
const date = new Date().toISOString().slice(0, 10);
const text = `# Environments, ${date}

${versions.join(' · ')}.
${values.starts} starts and ${values.builds} builds on each side, interleaved, after one of each that is not counted; differences and ratios are medians over the pairs.

${table}

The environment is the recipe's: ${requirements.trim().replaceAll('\n', ', ')}. \`mlops env build\` is the whole command: it also starts node, lays the
commit out, imports what notebooks need, lists files and packages.
`;
mkdirSync(join(checkout, 'bench/results'), { recursive: true });
writeFileSync(join(checkout, `bench/results/environment-${date}.md`), text);
process.stdout.write(`${text}\nkept in bench/results/environment-${date}.md\n`);
rmSync(root, { recursive: true, force: true });
process.exitCode = later <= 1 && ratio <= 1.05 ? 0 : 1;
