// `node bench/reports.mjs --venv DIR`: what it takes to read verdicts where there are many, beside `dvc exp show` and MLflow's file store
// (versions from PyPI, in a virtual environment of their own), and what it takes to add one. Reports, commits and notes are written by git
// fast-import, a commit each as the program writes them; each figure is a process of its own, from its start to its end.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const checkout = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    venv: { type: 'string' },
    runs: { type: 'string', default: '1000,10000,100000' },
    /** Peers are asked up to so many. */
    peers: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '3' },
    /** Repositories of up to so many runs are packed anew, as a server does it; larger ones stay as fast-import packs them. */
    repack: { type: 'string', default: '10000' },
  },
});
const sizes = values.runs.split(',').map(Number);
const rounds = Number(values.rounds);
const load = loadavg()[0].toFixed(1);
const root = mkdtempSync(join(tmpdir(), 'mlops-bench-'));
const program = join(checkout, 'dist/mlops.js');
const identity = { GIT_AUTHOR_NAME: 'bench', GIT_AUTHOR_EMAIL: 'bench@example.org' };
const env = {
  PATH: process.env.PATH,
  HOME: join(root, 'home'),
  GIT_CONFIG_NOSYSTEM: '1',
  ...identity,
  GIT_COMMITTER_NAME: 'bench',
  GIT_COMMITTER_EMAIL: 'bench@example.org',
  LC_ALL: 'C.UTF-8',
  NO_COLOR: '1',
  DVC_NO_ANALYTICS: '1',
  MLFLOW_ALLOW_FILE_STORE: 'true',
};
mkdirSync(env.HOME);
// git would pack in the background while we measure.
writeFileSync(
  join(env.HOME, '.gitconfig'),
  '[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[init]\n\tdefaultBranch = main\n',
);

const git = (dir, ...args) =>
  execFileSync('git', args, { cwd: dir, env, maxBuffer: 1 << 30 })
    .toString()
    .trim();
const say = (text) => process.stderr.write(`${text}\n`);
const config = 'version: 1\nenvironment: none\nsteps: [{ run: sh train.sh }]\n';
const start = Math.floor(Date.now() / 1000) - 3_000_000;

async function main() {
  const ours = await bundled();
  const rows = [];
  for (const runs of sizes) {
    say(`${runs} runs`);
    const dir = await repository(ours, runs);
    const peers = runs <= Number(values.peers) && values.venv !== undefined ? await peersOf(runs) : {};
    const cases = {
      'mlops log -n 20': () => timed(process.execPath, [program, 'log', '-n', '20'], dir),
      'mlops show': () => timed(process.execPath, [program, 'show'], dir),
      'mlops status': () => timed(process.execPath, [program, 'status'], dir),
      'mlops log --metric rprec -n 20': () =>
        timed(process.execPath, [program, 'log', '--metric', 'rprec', '-n', '20'], dir),
      'adding one report': () => timed(process.execPath, [ours.adder], dir),
      ...peers,
    };
    const times = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
    // In turn, so that a machine that grows slow does so for all of them. The first round warms up.
    for (let round = 0; round <= rounds; round += 1)
      for (const [name, action] of Object.entries(cases)) {
        const seconds = await action();
        if (round > 0) times[name].push(seconds);
      }
    const log = figuresOf(times['mlops log -n 20']);
    for (const [name, all] of Object.entries(times)) rows.push(row(runs, name, all, log));
    for (const [name, one, size] of await clones(dir)) rows.push([...row(runs, name, [one]).slice(0, -2), size, '']);
    const prune = ['gc', '--reports', '--keep', '500'];
    rows.push(row(runs, `mlops ${prune.join(' ')}`, [await timed(process.execPath, [program, ...prune], dir)]));
    rmSync(dir, { recursive: true, force: true });
  }
  print(rows);
}

/** In times of `mlops log`, by the clock and by the processors: on a machine that others use too, the second says more. */
function row(runs, name, all, log) {
  const { seconds, cpu } = figuresOf(all);
  const times = all.map((one) => one.seconds);
  const ratios = log === undefined ? ['', ''] : [seconds / log.seconds, cpu / log.cpu].map((ratio) => ratio.toFixed(1));
  return [String(runs), name, ...[seconds, Math.min(...times), Math.max(...times), cpu].map(fixed), ...ratios];
}

/** So many commits, each judged: reports and notes as the program writes them, packed as a clone has them. */
async function repository(ours, runs) {
  const dir = join(root, `r${runs}`);
  mkdirSync(dir);
  git(dir, 'init', '-q');
  const child = spawn('git', ['fast-import', '--quiet', '--export-marks=../marks'], {
    cwd: dir,
    env,
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const done = new Promise((resolve, reject) =>
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`fast-import ${code}`)))),
  );
  const write = async (text) => {
    if (!child.stdin.write(text)) await new Promise((resolve) => child.stdin.once('drain', resolve));
  };
  const data = (text) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const who = (at) => `committer bench <bench@example.org> ${start + at * 20} +0000\n`;
  for (let at = 0; at < runs; at += 1) {
    const files = at === 0 ? `M 100644 inline .mlops/config.yaml\n${data(config)}` : '';
    await write(
      `commit refs/heads/main\nmark :${at + 1}\n${who(at)}${data(`Change ${at}\n`)}${files}M 100644 inline train.sh\n${data(`echo ${at}\n`)}\n`,
    );
  }
  child.stdin.end();
  await done;
  const commits = git(dir, 'rev-list', '--reverse', 'main').split('\n');
  // The same empty commit that the program begins with.
  const second = spawn('git', ['fast-import', '--quiet'], { cwd: dir, env, stdio: ['pipe', 'inherit', 'inherit'] });
  const closed = new Promise((resolve, reject) =>
    second.once('close', (code) => (code === 0 ? resolve() : reject(new Error(`fast-import ${code}`)))),
  );
  const put = async (text) => {
    if (!second.stdin.write(text)) await new Promise((resolve) => second.stdin.once('drain', resolve));
  };
  const roots = `committer mlops <mlops@localhost> 0 +0000\n${data('Reports and notes of mlops begin here\n')}\n`;
  await put(`commit refs/heads/mlops\n${roots}commit refs/mlops/notes\n${roots}`);
  let dashboard = [];
  for (const [at, commit] of commits.entries()) {
    const fingerprint = createHash('sha256').update(commit).digest('hex');
    const { path, json, markdown, note, entry } = ours.reportOf(commit, fingerprint, at, start + at * 20);
    dashboard = [entry, ...dashboard].slice(0, 40);
    const last = at === commits.length - 1 ? ours.overviewOf(dashboard) : [];
    const written = [[path.json, json], [path.markdown, markdown], ...last];
    await put(
      `commit refs/heads/mlops\n${who(at)}${data(`pass ${commit.slice(0, 12)}\n`)}${written.map(([name, text]) => `M 100644 inline ${name}\n${data(text)}`).join('')}\n`,
    );
    await put(
      `commit refs/mlops/notes\n${who(at)}${data(`pass ${commit.slice(0, 12)}\n`)}M 100644 inline ${commit.slice(0, 2)}/${commit.slice(2)}\n${data(`${note}\n`)}\n`,
    );
  }
  second.stdin.end();
  await closed;
  git(dir, 'update-ref', 'refs/notes/mlops', 'refs/mlops/notes');
  git(dir, 'reset', '-q', '--hard', 'main');
  if (runs <= Number(values.repack)) {
    say('  packing');
    git(dir, 'repack', '-a', '-d', '-q');
  }
  git(dir, 'commit-graph', 'write', '--reachable');
  return dir;
}

/** What a new clone downloads, and how long it takes to its verdict: everything, or no contents but what is asked for. */
async function clones(dir) {
  const bare = join(root, 'bare.git');
  rmSync(bare, { recursive: true, force: true });
  git(root, 'clone', '-q', '--bare', dir, bare);
  git(bare, 'fetch', '-q', dir, '+refs/notes/mlops:refs/notes/mlops');
  git(bare, 'config', 'uploadpack.allowFilter', 'true');
  git(bare, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
  const found = [];
  for (const [name, ...options] of [
    ['git clone'],
    ['git clone --filter=blob:none', '--filter=blob:none'],
    [
      'git clone --depth=1 --no-single-branch --filter=blob:none',
      '--depth=1',
      '--no-single-branch',
      '--filter=blob:none',
    ],
  ]) {
    const clone = join(root, 'clone');
    rmSync(clone, { recursive: true, force: true });
    const cloned = await timed(
      'git',
      [
        'clone',
        '-q',
        ...options,
        '-c',
        'remote.origin.fetch=+refs/notes/mlops*:refs/notes/mlops*',
        `file://${bare}`,
        clone,
      ],
      root,
    );
    found.push([name, cloned, mebibytes(clone)]);
    const first = await timed(process.execPath, [program, 'show'], clone);
    found.push(['  then mlops show', first, mebibytes(clone)]);
  }
  return found;
}

const mebibytes = (dir) => {
  const pack = join(dir, '.git/objects/pack');
  const bytes = readdirSync(pack).reduce((sum, name) => sum + statSync(join(pack, name)).size, 0);
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
};

/** DVC's experiments and commits, and runs in MLflow's folders, with one metric each. */
async function peersOf(runs) {
  const bin = (name) => join(values.venv, 'bin', name);
  const dvc = join(root, `dvc${runs}`);
  mkdirSync(dvc);
  git(dvc, 'init', '-q');
  execFileSync(bin('dvc'), ['init', '-q'], { cwd: dvc, env });
  writeFileSync(join(dvc, 'params.yaml'), 'k: 5\n');
  writeFileSync(join(dvc, 'metrics.json'), '{"rprec": 0.3}\n');
  writeFileSync(join(dvc, 'dvc.yaml'), 'metrics:\n  - metrics.json\nparams:\n  - params.yaml\n');
  git(dvc, 'add', '-A');
  git(dvc, 'commit', '-q', '-m', 'baseline');
  const head = git(dvc, 'rev-parse', 'HEAD');
  const block = (ref, from, at) => {
    const text = `{"rprec": ${0.3 + at / 1e6}}\n`;
    return `commit ${ref}\ncommitter bench <bench@example.org> ${start + at * 20} +0000\ndata 2\nx\n\nfrom ${from}\nM 100644 inline metrics.json\ndata ${text.length}\n${text}\n\n`;
  };
  const experiments = join(root, `exp${runs}`);
  execFileSync('cp', ['-r', dvc, experiments]);
  const all = Array.from({ length: runs }, (_, at) => at);
  const feed = (dir, text) =>
    execFileSync('git', ['fast-import', '--quiet', '--force'], { cwd: dir, env, input: text });
  feed(
    experiments,
    all.map((at) => block(`refs/exps/${head.slice(0, 2)}/${head.slice(2)}/exp-${at}`, head, at)).join(''),
  );
  git(experiments, 'pack-refs', '--all');
  feed(dvc, all.map((at) => block('refs/heads/main', at === 0 ? head : 'refs/heads/main^0', at)).join(''));
  git(dvc, 'reset', '-q', '--hard', 'main');
  const mlruns = join(root, `mlflow${runs}`);
  mkdirSync(mlruns);
  execFileSync(bin('python'), ['-c', makeMlflow, mlruns, String(runs)], {
    cwd: mlruns,
    env,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const store = { MLFLOW_TRACKING_URI: `file://${mlruns}/mlruns` };
  return {
    'dvc exp show, of as many experiments': () => timed(bin('dvc'), ['exp', 'show', '--csv'], experiments),
    'dvc exp show -n 20, of as many commits': () => timed(bin('dvc'), ['exp', 'show', '--csv', '-n', '20'], dvc),
    'mlflow: import and search_runs(max_results=20)': () =>
      timed(
        bin('python'),
        ['-c', 'import mlflow; mlflow.search_runs(["0"], max_results=20, output_format="list")'],
        mlruns,
        store,
      ),
  };
}

/** One run by MLflow itself, the others as copies of its files under names of their own. */
const makeMlflow = `
import mlflow, os, shutil, sys, uuid
root, runs = sys.argv[1], int(sys.argv[2])
mlflow.set_tracking_uri("file://" + root + "/mlruns")
with mlflow.start_run() as first:
    mlflow.log_metric("rprec", 0.3)
    mlflow.log_param("k", 5)
old = first.info.run_id
at = os.path.join(root, "mlruns", "0", old)
meta = open(os.path.join(at, "meta.yaml")).read()
for number in range(runs - 1):
    new = uuid.uuid4().hex
    to = os.path.join(root, "mlruns", "0", new)
    shutil.copytree(at, to)
    open(os.path.join(to, "meta.yaml"), "w").write(meta.replace(old, new))
`;

/** Seconds by the clock, and of the processors with all that it has started. */
function timed(file, args, cwd, more = {}) {
  return new Promise((resolve, reject) => {
    const before = performance.now();
    const child = spawn('time', ['-f', '%U %S', file, ...args], {
      cwd,
      env: { ...env, ...more },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      const seconds = (performance.now() - before) / 1000;
      const [user, system] = said.trim().split('\n').at(-1).split(' ').map(Number);
      if (code === 0) resolve({ seconds, cpu: user + system });
      else reject(new Error(`${file} ${args.join(' ')}: ${said}`));
    });
  });
}

/** Reports as the program makes them, and a program that adds one more. */
async function bundled() {
  const options = {
    bundle: true,
    format: 'esm',
    platform: 'node',
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url), __dirname = import.meta.dirname;",
    },
  };
  const made = join(root, 'made.mjs');
  await build({
    stdin: { contents: makeReport, resolveDir: checkout },
    outfile: made,
    ...options,
  });
  const adder = join(root, 'add.mjs');
  await build({ stdin: { contents: addReport, resolveDir: checkout }, outfile: adder, ...options });
  return { ...(await import(pathToFileURL(made).href)), adder };
}

const makeReport = `
import { readFileSync } from 'node:fs';
import { textTemplate } from './lib/job/render.ts';
import { overviewWith } from './lib/gate/overview.ts';
import { reportJson } from './lib/report/build-report.ts';
import { dashboardEntry } from './lib/report/dashboard.ts';
import { renderMarkdown } from './lib/report/markdown.ts';
import { noteLine } from './lib/report/note-line.ts';
import { reportId, reportPath } from './lib/report/report-path.ts';
import { run, sampleReport } from './tests/rig/sample-report.ts';
const fill = await textTemplate(readFileSync(${JSON.stringify(join(checkout, 'templates/report.md.hbs'))}, 'utf8'));
export function reportOf(commit, fingerprint, at, seconds) {
  const value = 0.3 + (at % 977) / 1e4;
  const report = sampleReport({
    run: { ...run, fingerprint, metrics: { rprec: { kind: 'number', value, source: 'movie-recs.ipynb' } } },
    facts: { commit, fingerprint, id: reportId(new Date(seconds * 1000), at), branch: 'main', subject: 'Change ' + at },
  });
  const markdown = renderMarkdown(report, undefined, (view) => fill(view).value);
  return { path: reportPath(report), json: reportJson(report), markdown, note: noteLine(report), entry: dashboardEntry(report) };
}
export const overviewOf = (entries) => [...overviewWith(...entries).compute([])];
`;

const addReport = `
import { randomBytes } from 'node:crypto';
import { overviewWith } from './lib/gate/overview.ts';
import { openRepository } from './lib/git/repository.ts';
import { record } from './lib/git/reports.ts';
import { resolveCommit } from './lib/git/history.ts';
import { reportJson } from './lib/report/build-report.ts';
import { dashboardEntry } from './lib/report/dashboard.ts';
import { noteLine } from './lib/report/note-line.ts';
import { reportId, reportPath } from './lib/report/report-path.ts';
import { run, sampleReport } from './tests/rig/sample-report.ts';
const repository = (await openRepository(process.cwd(), process.env)).value;
const commit = (await resolveCommit(repository, 'HEAD')).value;
const fingerprint = randomBytes(32).toString('hex');
const facts = { commit, fingerprint, id: reportId(new Date(), randomBytes(3).readUIntBE(0, 3)), branch: 'main' };
const report = sampleReport({ run: { ...run, fingerprint }, facts });
const path = reportPath(report);
const done = await record(repository, {
  branch: 'mlops',
  files: new Map([[path.json, reportJson(report)], [path.markdown, '# pass\\n']]),
  notes: new Map([[commit, [noteLine(report)]]]),
  computed: overviewWith(dashboardEntry(report)),
  message: 'pass\\n',
});
if (!done.ok) throw new Error(JSON.stringify(done.error));
`;

function figuresOf(all) {
  const median = (key) => all.map((one) => one[key]).sort((a, b) => a - b)[Math.floor(all.length / 2)];
  return { seconds: median('seconds'), cpu: median('cpu') };
}
function fixed(seconds) {
  return seconds.toFixed(2);
}

function print(rows) {
  const version = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')).version;
  const versionOf = (name) =>
    execFileSync(join(values.venv, 'bin', name), ['--version'], { env })
      .toString()
      .trim()
      .split(' ')
      .at(-1);
  const peers = values.venv === undefined ? [] : [`dvc ${versionOf('dvc')}`, `mlflow ${versionOf('mlflow')}`];
  const machine = `Linux ${release()} · ${cpus().length} × ${cpus()[0]?.model}`;
  const head = [
    `mlops-hpc ${version}`,
    `node ${process.versions.node}`,
    git(root, '--version'),
    ...peers,
    machine,
  ].join(' · ');
  console.log(`# Reports, ${new Date().toISOString().slice(0, 10)}\n`);
  console.log(`${head}; ${rounds} rounds, interleaved; load average at the start ${load}.\n`);
  console.log('| runs |  | median s | min | max | CPU s | ratio to mlops log, or size | ratio of CPU |');
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const row of rows) console.log(`| ${row.join(' | ')} |`);
}

try {
  await main();
} finally {
  rmSync(root, { recursive: true, force: true });
}
