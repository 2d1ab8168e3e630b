// `npm run bench:hook`: what the hooks add to a commit and to a push, beside a bare start of node, in one run on this machine.
// With --with-dvc the hooks of DVC on the same data set, where `dvc` is on PATH.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const checkout = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '15' },
    'with-dvc': { type: 'boolean', default: false },
  },
});
const files = Number(values.files);
const rounds = Number(values.rounds);
const program = join(checkout, 'dist/mlops.js');
const root = mkdtempSync(join(tmpdir(), 'mlops-bench-'));
const env = {
  PATH: process.env.PATH,
  HOME: join(root, 'home'),
  XDG_CACHE_HOME: join(root, 'cache'),
  GIT_CONFIG_NOSYSTEM: '1',
  LC_ALL: 'C.UTF-8',
  NO_COLOR: '1',
};

function run(cwd, file, args, expect = 0) {
  const { status, stdout, stderr, error } = spawnSync(file, args, { cwd, env, encoding: 'utf8' });
  if (error !== undefined || status !== expect)
    throw new Error(`${file} ${args.join(' ')}: ${error?.message ?? `exit ${status}`}\n${stdout}${stderr}`);
  return stdout + stderr;
}

function timed(action) {
  const start = process.hrtime.bigint();
  action();
  return Number(process.hrtime.bigint() - start) / 1e6;
}

const median = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

/** A B C A B C …, so that a machine that grows slow does so for all of them. The first round warms up. */
function interleaved(cases) {
  const times = new Map(Object.keys(cases).map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1)
    for (const [name, action] of Object.entries(cases)) {
      const milliseconds = action(round);
      if (round > 0) times.get(name).push(milliseconds);
    }
  return Object.fromEntries(
    [...times].map(([name, all]) => [name, { median: median(all), min: Math.min(...all), max: Math.max(...all) }]),
  );
}

/** A repository with that many data files which git does not keep, a step that needs no environment, and a bare remote. */
function makeRepository(name) {
  const folder = join(root, name);
  run(root, 'git', ['init', '--quiet', '-b', 'main', folder]);
  const data = join(folder, 'data');
  for (let number = 0; number < files; number += 1) {
    const sub = join(data, String(number % 100).padStart(2, '0'));
    if (number < 100) mkdirSync(sub, { recursive: true });
    writeFileSync(join(sub, `${number}.txt`), `${number} ${'x'.repeat(512)}\n`);
  }
  writeFileSync(join(folder, '.gitignore'), 'data/\n');
  writeFileSync(join(folder, 'train.sh'), 'echo \'{"score": 1}\' > "$MLOPS_OUT/metrics.json"\n');
  run(root, 'git', ['init', '--quiet', '--bare', `${folder}.git`]);
  run(folder, 'git', ['remote', 'add', 'origin', `../${name}.git`]);
  return folder;
}

mkdirSync(env.HOME);
writeFileSync(join(env.HOME, '.gitconfig'), '[user]\n\tname = Bench\n\temail = bench@example.org\n[gc]\n\tauto = 0\n');
if (!existsSync(program)) throw new Error('build first: npm run build');

process.stderr.write(`making ${files} data files\n`);
const repository = makeRepository('recs');
mkdirSync(join(repository, '.mlops'));
writeFileSync(
  join(repository, '.mlops/config.yaml'),
  'version: 1\ndata: [data]\nenvironment: none\nsteps:\n  - run: sh train.sh\n    metrics: { file: $MLOPS_OUT/metrics.json }\nrequire: { score: { min: 0.5 } }\n',
);
run(repository, process.execPath, [program, 'init', '--yes']);
run(repository, 'git', ['add', '.']);
run(repository, 'git', ['commit', '--quiet', '-m', 'First']);
process.stderr.write('training once, so that the verdict is known\n');
run(repository, 'git', ['push', '--quiet', 'origin', 'main']);

/** A commit without hooks, with a change of code: nothing about it is known yet. */
const commitQuietly = (folder, round) => {
  writeFileSync(join(folder, 'train.sh'), `echo '{"score": 1}' > "$MLOPS_OUT/metrics.json" # ${round}\n`);
  run(folder, 'git', ['-c', 'core.hooksPath=/dev/null', 'commit', '--quiet', '--all', '-m', `Round ${round}`]);
};
const known = run(repository, 'git', ['rev-parse', 'main']).trim();
const hook = join(repository, run(repository, 'git', ['rev-parse', '--git-path', 'hooks/post-commit']).trim());
process.stderr.write('commits\n');
const commits = interleaved({
  node: () => timed(() => run(repository, process.execPath, ['-e', '0'])),
  hook: (round) => {
    commitQuietly(repository, round);
    return timed(() => run(repository, 'sh', [hook]));
  },
});
let branch = 0;
const push = (...options) =>
  timed(() => run(repository, 'git', ['push', '--quiet', ...options, 'origin', `${known}:refs/heads/b${++branch}`]));
process.stderr.write('pushes\n');
const pushes = interleaved({
  node: () => timed(() => run(repository, process.execPath, ['-e', '0'])),
  bare: () => push('--no-verify'),
  known: () => push(),
});

const versions = [
  `mlops-hpc ${JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')).version}`,
  `node ${process.versions.node}`,
  run(root, 'git', ['--version']).trim(),
  `Linux ${release()}`,
  `${cpus().length} × ${cpus()[0]?.model.trim()}`,
];
const added = pushes.known.median - pushes.bare.median;
const rows = [
  ['node -e 0', commits.node, ''],
  [
    `post-commit, ${files} unchanged data files`,
    commits.hook,
    `${(commits.hook.median / commits.node.median).toFixed(2)} × node (at most 2)`,
  ],
  ['git push --no-verify', pushes.bare, ''],
  [
    'git push, verdict known',
    pushes.known,
    `+ ${added.toFixed(0)} ms = ${(added / pushes.node.median).toFixed(2)} × node (at most 300 ms or 4 ×)`,
  ],
];
if (values['with-dvc']) rows.push(...dvcRows());

const cell = (number) => number.toFixed(0).padStart(6);
const table = [
  '| | median ms | min | max | |',
  '|---|---|---|---|---|',
  ...rows.map(
    ([name, { median: middle, min, max }, note]) =>
      `| ${name} | ${cell(middle)} | ${cell(min)} | ${cell(max)} | ${note} |`,
  ),
].join('\n');
const date = new Date().toISOString().slice(0, 10);
const text = `# Hooks, ${date}\n\n${versions.join(' · ')}; ${rounds} rounds, interleaved.\n\n${table}\n`;
mkdirSync(join(checkout, 'bench/results'), { recursive: true });
writeFileSync(join(checkout, `bench/results/hook-${date}.md`), text);
process.stdout.write(`${text}\nkept in bench/results/hook-${date}.md\n`);
rmSync(root, { recursive: true, force: true });

const holds = commits.hook.median <= 2 * commits.node.median && (added <= 300 || added <= 4 * pushes.node.median);
process.exitCode = holds ? 0 : 1;

/** DVC's own hooks with the same files: `dvc install` puts `dvc git-hook NAME` into pre-commit, pre-push and post-checkout. */
function dvcRows() {
  const version = spawnSync('dvc', ['--version'], { env, encoding: 'utf8' });
  if (version.error !== undefined) throw new Error('--with-dvc: dvc is not on PATH');
  versions.push(`DVC ${version.stdout.trim()}`);
  process.stderr.write('DVC: adding the files\n');
  const folder = makeRepository('dvc');
  // It writes data.dvc and an ignore file of its own.
  writeFileSync(join(folder, '.gitignore'), '');
  run(folder, 'dvc', ['init', '--quiet']);
  run(folder, 'dvc', ['remote', 'add', '--quiet', '--default', 'store', join(root, 'dvc-store')]);
  run(folder, 'dvc', ['add', '--quiet', 'data']);
  run(folder, 'git', ['add', '.']);
  run(folder, 'git', ['commit', '--quiet', '-m', 'First']);
  run(folder, 'dvc', ['push', '--quiet']);
  run(folder, 'dvc', ['install', '--quiet']);
  const hookOf = (name) => {
    const path = join(folder, '.git/hooks', name);
    chmodSync(path, 0o755);
    return () => timed(() => run(folder, path, name === 'pre-push' ? ['origin', '../dvc.git'] : ['HEAD', 'HEAD', '1']));
  };
  const times = interleaved({ 'pre-commit': hookOf('pre-commit'), 'pre-push': hookOf('pre-push') });
  return Object.entries(times).map(([name, time]) => [
    `DVC ${name}, nothing changed`,
    time,
    `${(time.median / commits.node.median).toFixed(1)} × node`,
  ]);
}
