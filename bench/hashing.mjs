// `node bench/hashing.mjs --dvc /path/to/dvc`: what it takes to know the content of data, cold and unchanged, beside DVC (a version from PyPI, in a
// virtual environment of its own). Each figure is a process of its own, from its start to its end; all read the same files, in one run.
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { cpus, loadavg, release, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const checkout = dirname(dirname(fileURLToPath(import.meta.url)));
const { values } = parseArgs({
  options: {
    dvc: { type: 'string' },
    mib: { type: 'string', default: '1024' },
    files: { type: 'string', default: '100000' },
    million: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '3' },
  },
});
const [mib, files, million, rounds] = [values.mib, values.files, values.million, values.rounds].map(Number);
const load = loadavg()[0].toFixed(1);
const root = mkdtempSync(join(tmpdir(), 'mlops-bench-'));
const env = { ...process.env, HOME: join(root, 'home'), DVC_NO_ANALYTICS: '1', GIT_CONFIG_GLOBAL: '/dev/null' };
mkdirSync(env.HOME);
const configText = 'version: 1\ndata: [data]\nsteps: [{ run: sh train.sh }]\n';
const options = {
  bundle: true,
  format: 'esm',
  platform: 'node',
  minifySyntax: true,
  minifyWhitespace: true,
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module';\nconst require = __createRequire(import.meta.url), __dirname = import.meta.dirname;",
  },
};

try {
  await main();
} finally {
  rmSync(root, { recursive: true, force: true });
}

async function main() {
  const driver = await bundled();
  const rows = [];
  process.stderr.write(`one file of ${mib} MiB\n`);
  const one = repository('one', (folder) => makeBig(join(folder, 'big')));
  rows.push(...(await compare(`${mib} MiB in one file`, one, driver)));
  process.stderr.write(`${files} files of 4 KiB\n`);
  const many = repository('many', (folder) => makeMany(folder, files, 4096));
  rows.push(...(await compare(`${files} × 4 KiB`, many, driver)));
  if (million > 0) {
    process.stderr.write(`${million} files of 512 B\n`);
    const most = repository('most', (folder) => makeMany(folder, million, 512));
    rows.push([`${million} × 512 B, cold: mlops`, await mlops(driver, most, 'cold')]);
    rows.push([`${million} × 512 B, unchanged: mlops`, ...(await repeated(() => mlops(driver, most, 'unchanged')))]);
  }
  print(rows);
}

/** Cold and unchanged, ours and DVC's in turn. */
async function compare(what, dir, driver) {
  const cold = { dvc: [], mlops: [] };
  const warm = { dvc: [], mlops: [] };
  for (let round = 0; round < rounds; round += 1) {
    cold.mlops.push(await mlops(driver, dir, 'cold'));
    warm.mlops.push(await mlops(driver, dir, 'unchanged'));
    if (values.dvc === undefined) continue;
    rmSync(join(dir, '.dvc'), { recursive: true, force: true });
    rmSync(join(dir, 'data.dvc'), { force: true });
    rmSync(join(env.HOME, '.cache'), { recursive: true, force: true });
    execFileSync(values.dvc, ['init', '-q', '-f'], { cwd: dir, env });
    cold.dvc.push(await run(values.dvc, ['add', '-q', 'data'], dir));
    warm.dvc.push(await run(values.dvc, ['status', '-q', 'data.dvc'], dir));
  }
  const row = (name, list) => (list.length === 0 ? [] : [[`${what}, ${name}`, ...list]]);
  return [
    ...row('cold: dvc add', cold.dvc),
    ...row('cold: mlops', cold.mlops),
    ...row('unchanged: dvc status', warm.dvc),
    ...row('unchanged: mlops', warm.mlops),
  ];
}

async function repeated(one) {
  const all = [];
  for (let round = 0; round < rounds; round += 1) all.push(await one());
  return all;
}

function mlops(driver, dir, how) {
  if (how === 'cold') rmSync(join(dir, '.git/mlops'), { recursive: true, force: true });
  return run(process.execPath, [driver], dir);
}

/** Seconds by the clock and of the processors (which says more on a machine that others use, too), and MiB resident at the most. */
function run(file, args, cwd) {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const child = spawn('time', ['-f', '%M %U %S', file, ...args], { cwd, env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    child.once('error', reject);
    child.once('close', (code) => {
      const seconds = (performance.now() - start) / 1000;
      if (code !== 0) reject(new Error(`${file} ${args.join(' ')}: ${said}`));
      else {
        const [kib, user, system] = said.trim().split('\n').at(-1).split(' ').map(Number);
        resolve({ seconds, cpu: user + system, mib: kib / 1024 });
      }
    });
  });
}

function repository(name, fill) {
  const dir = join(root, name);
  mkdirSync(join(dir, 'data'), { recursive: true });
  mkdirSync(join(dir, '.mlops'));
  const git = (...args) =>
    execFileSync('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@example.org', ...args], { cwd: dir, env });
  git('init', '-q');
  writeFileSync(join(dir, '.gitignore'), '/data\n');
  writeFileSync(join(dir, '.mlops/config.yaml'), configText);
  writeFileSync(join(dir, 'train.sh'), 'true\n');
  git('add', '-A');
  git('commit', '-q', '-m', 'bench');
  fill(join(dir, 'data'));
  return dir;
}

function makeBig(path) {
  const file = openSync(path, 'w');
  for (let n = 0; n < mib; n += 1) writeSync(file, randomBytes(1 << 20));
  closeSync(file);
}

/** In folders of a thousand. All different. */
function makeMany(folder, count, size) {
  const content = randomBytes(size);
  for (let n = 0; n < count; n += 1) {
    const below = join(folder, String(Math.floor(n / 1000)));
    if (n % 1000 === 0) mkdirSync(below);
    content.writeUInt32LE(n);
    writeFileSync(join(below, `${n}.bin`), content);
  }
}

/** The program's own fingerprint of HEAD, with the worktree's data, as a program; the config is parsed already, as the hook has it. */
async function bundled() {
  const outfile = join(root, 'driver/hash.mjs');
  const loader = await build({
    stdin: { contents: "export { loadConfig } from './lib/config/load-config.ts';", resolveDir: checkout },
    outfile: join(root, 'config.mjs'),
    ...options,
  }).then(() => import(pathToFileURL(join(root, 'config.mjs')).href));
  const { config } = loader.loadConfig(configText, '.mlops/config.yaml').value;
  await build({
    stdin: {
      contents: `import { fingerprintCommit } from './lib/fingerprint/fingerprint-commit.ts';
import { openRepository } from './lib/git/repository.ts';
import { resolveCommit } from './lib/git/history.ts';
const config = ${JSON.stringify(config)};
const repository = await openRepository(process.cwd(), process.env);
const commit = await resolveCommit(repository.value, 'HEAD');
const done = await fingerprintCommit({ repository: repository.value, commit: commit.value, config, data: 'worktree', nowNs: () => BigInt(Date.now()) * 1000000n });
if (!done.ok) throw new Error(JSON.stringify(done.error));`,
      resolveDir: checkout,
    },
    entryNames: 'hash',
    outdir: dirname(outfile),
    outExtension: { '.js': '.mjs' },
    splitting: true,
    ...options,
  });
  return outfile;
}

function print(rows) {
  const version = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')).version;
  const dvc = values.dvc === undefined ? [] : [`dvc ${execFileSync(values.dvc, ['--version']).toString().trim()}`];
  const machine = `Linux ${release()} · ${cpus().length} × ${cpus()[0]?.model}`;
  const head = [`mlops-hpc ${version}`, `node ${process.versions.node}`, ...dvc, machine].join(' · ');
  console.log(`# Hashing, ${new Date().toISOString().slice(0, 10)}\n`);
  console.log(`${head}; ${rounds} rounds, interleaved; load average at the start ${load}.\n`);
  console.log('|  | median s | min | max | CPU s | MiB resident | ratio | ratio of CPU |');
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
  const medianOf = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
  let peer;
  for (const [name, ...list] of rows) {
    const times = list.map(({ seconds }) => seconds);
    const one = { seconds: medianOf(times), cpu: medianOf(list.map(({ cpu }) => cpu)) };
    const isPeer = / dvc /.test(name);
    if (isPeer) peer = one;
    const ratio = (key) => (peer === undefined ? '' : (peer[key] / one[key]).toFixed(1));
    const most = Math.max(...list.map(({ mib }) => mib));
    const figures = [one.seconds, Math.min(...times), Math.max(...times), one.cpu].map((value) => value.toFixed(2));
    console.log(`| ${[name, ...figures, most.toFixed(0), ratio('seconds'), ratio('cpu')].join(' | ')} |`);
    if (!isPeer) peer = undefined;
  }
}
