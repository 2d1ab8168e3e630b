// `node bench/many.mjs` (as root): many runs live at once from one clone, and many clients that follow one cluster, on a real Slurm behind a real sshd
// of this machine: questions to the scheduler, logins, memory and CPU of each. The jobs are tiny and wait for the bench to let them end; more of
// them are in the queue than run, as on a cluster. `--runs 0` and `--clients 0` leave one half out.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { checkout, keep, openBench } from './slurm-bench.mjs';

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '200' },
    clients: { type: 'string', default: '50' },
    /** How long the clients are watched, in seconds. */
    seconds: { type: 'string', default: '120' },
  },
});
const [runs, clients, seconds] = ['runs', 'clients', 'seconds'].map((name) => Number(values[name]));
const load = loadavg()[0].toFixed(1);
const bench = await openBench();
const node = await bench.loginNode('node');
const hold = join(bench.root, 'hold');
const mlops = join(checkout, 'dist/mlops.js');
const env = { MLOPS_SSH_CONFIG: node.sshConfig };
const following = [];
try {
  if (runs > 0) tellOfRuns(await manyRuns());
  if (clients > 0) tellOfClients(await manyClients());
} finally {
  rmSync(hold, { force: true });
  for (const { child } of following) child.kill('SIGINT');
  await bench.close();
}

/** One clone: all are submitted and let go, then looked at, then they end, and their verdicts are fetched. */
async function manyRuns() {
  writeFileSync(hold, '');
  const repository = project('many', runs);
  const steps = [];
  const step = async (what, action) => {
    node.forget();
    const [logins, cpu, begun] = [await node.logins(), node.cpuSeconds(), Date.now()];
    const peak = await action();
    const took = (Date.now() - begun) / 1000;
    await quiet();
    const cost = { logins: (await node.logins()) - logins, cpu: node.cpuSeconds() - cpu };
    steps.push({ what, took, commands: node.commands(), ...cost, peak });
    process.stderr.write(`${what}: ${JSON.stringify(steps.at(-1))}\n`);
  };
  await step(`${runs} × mlops run --detach`, () =>
    inPairs(repository.commits, (commit) => ours(repository, ['run', '--detach', commit])),
  );
  const live = await jobs();
  await step('mlops status', () => ours(repository, ['status']));
  await step('mlops sync, while all go on', () => ours(repository, ['sync']));
  rmSync(hold);
  while ((await jobs()) > 0) await sleep(500);
  await step('mlops sync, when all have ended', () => ours(repository, ['sync']));
  const reports = repository
    .lines('ls-tree', '-r', '--name-only', 'mlops')
    .filter((path) => path.endsWith('/report.json'));
  return { live, steps, reports: reports.length };
}

/** Each follows a run of its own. */
async function manyClients() {
  writeFileSync(hold, '');
  const repository = project('crowd', clients);
  for (const commit of repository.commits) {
    const child = spawn(process.execPath, [mlops, 'run', commit], {
      cwd: repository.folder,
      env: { ...bench.env, ...env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      said += text;
    });
    following.push({ child, ended: new Promise((resolve) => child.once('close', (code) => resolve({ code, said }))) });
    await sleep(1000);
  }
  while ((await jobs()) < clients) await sleep(500);
  // All have asked what there was to ask at first.
  await sleep(20_000);
  node.forget();
  const before = usage();
  await sleep(seconds * 1000);
  const after = usage();
  const crowd = {
    connections: await node.connections(),
    asked: (node.commands() * 60) / seconds,
    cpu: (after.cpu - before.cpu) / seconds / clients,
    far: (after.far - before.far) / seconds / clients,
    memory: after.memory / clients,
  };
  rmSync(hold);
  const ends = await Promise.all(following.map(({ ended }) => ended));
  const bad = ends.filter(({ code }) => code !== 0);
  for (const { said } of bad) process.stderr.write(`a client that did not end with a pass:\n${said}\n`);
  return { ...crowd, passed: clients - bad.length };
}

function project(name, count) {
  const repository = bench.makeRepository(
    name,
    `version: 1
cluster: { host: cluster, workdir: ${JSON.stringify(join(bench.root, `work-${name}`))} }
environment: none
resources: { time: "01:00:00", mem: 200M }
steps:
  - run: sh train.sh
    metrics: { file: $MLOPS_OUT/metrics.json }
require:
  score: { min: 0.5 }
`,
  );
  const lines = (...args) => repository.git(...args).split('\n');
  const commits = Array.from({ length: count }, (_, index) => {
    writeFileSync(
      join(repository.folder, 'train.sh'),
      `# ${index}\nwhile [ -e ${hold} ]; do sleep 1; done\necho '{"score": 1}' >"$MLOPS_OUT/metrics.json"\n`,
    );
    repository.git('add', '--all');
    repository.git('commit', '--quiet', '--no-verify', '-m', `Model ${index}`);
    return repository.git('rev-parse', 'HEAD').trim();
  });
  return { ...repository, commits, lines };
}

/** Gives the most memory that it had, in MB. */
async function ours({ folder }, args) {
  const { said } = await bench.started(
    '/usr/bin/time',
    ['-f', 'peak %M', process.execPath, mlops, ...args],
    folder,
    env,
  );
  return Number(/^peak (\d+)$/m.exec(said)?.[1]) / 1024;
}

/** Two at a time, as many as there are processors here; the most of what they gave. */
async function inPairs(all, action) {
  const left = [...all];
  const results = [];
  const worker = async () => {
    for (let one = left.shift(); one !== undefined; one = left.shift()) results.push(await action(one));
  };
  await Promise.all([worker(), worker()]);
  return Math.max(...results);
}

async function jobs() {
  const { stdout } = await bench.slurm.run('squeue', '-h', '-o', '%A');
  return stdout.split('\n').filter((line) => line !== '').length;
}

/** The server's own account of what it has run is complete once the connections are gone. */
async function quiet() {
  for (let tries = 0; tries < 100 && (await node.connections()) > 0; tries += 1) await sleep(100);
}

/** Of the clients, and of all that runs for their connections on the login node: CPU seconds until now; the clients' memory, shared pages in parts, in MB. */
function usage() {
  const processes = readdirSync('/proc').flatMap((pid) => (/^\d+$/.test(pid) ? (stat(pid) ?? []) : []));
  const ours = new Set(following.map(({ child }) => child.pid));
  const below = (parents) => {
    const children = processes.filter(({ parent }) => parents.has(parent));
    return children.length === 0 ? [] : [...children, ...below(new Set(children.map(({ pid }) => pid)))];
  };
  const own = processes.filter(({ pid }) => ours.has(pid));
  const far = below(new Set([node.listener]));
  const sum = (numbers) => numbers.reduce((total, one) => total + one, 0);
  return {
    cpu: sum(own.map(({ cpu }) => cpu)),
    far: node.cpuSeconds() + sum(far.map(({ cpu }) => cpu)),
    memory:
      sum(own.map(({ pid }) => Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]))) /
      1024,
  };
}

/** proc(5): the parent, and the process's own time with that of its children that have ended, in hundredths. */
function stat(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return {
      pid: Number(pid),
      parent: Number(fields[1]),
      cpu: [11, 12, 13, 14].reduce((all, at) => all + Number(fields[at]), 0) / 100,
    };
  } catch (error) {
    // It has ended while it was looked at.
    if (error.code === 'ENOENT' || error.code === 'ESRCH') return undefined;
    throw error;
  }
}

function tellOfRuns({ live, steps, reports }) {
  const rows = steps.map(
    ({ what, took, commands, logins, cpu, peak }) =>
      `| ${[what, took.toFixed(1), commands, logins, cpu.toFixed(1), peak.toFixed(0)].join(' | ')} |`,
  );
  keep(
    'many-runs',
    `# ${live} runs live at once, from one clone

${bench.versions()}; loopback; load average at the start ${load}. All have their verdict in the end: ${reports} reports.

| what | seconds | commands to the scheduler | logins | CPU seconds on the login node | most memory of a client, MB |
|---|---|---|---|---|---|
${rows.join('\n')}

Commands: squeue, sacct, scontrol and sbatch, as often as they were started. CPU on the login node: of everything that ran for the clients' connections,
sshd included. Two are submitted at a time. Eight jobs run at a time; the others wait in the queue and are live all the same.
`,
  );
}

function tellOfClients({ connections, asked, cpu, far, memory, passed }) {
  keep(
    'many-clients',
    `# ${clients} clients that follow one cluster

${bench.versions()}; loopback; load average at the start ${load}. Each follows a run of its own, eight of which run while the others wait in the queue, for
${seconds} s; ${passed} of them ended with a pass.

| | all | each |
|---|---|---|
| connections | ${connections} | ${(connections / clients).toFixed(1)} |
| commands to the scheduler, a minute | ${asked.toFixed(1)} | ${(asked / clients).toFixed(1)} |
| CPU of the client, seconds a minute | ${(cpu * clients * 60).toFixed(1)} | ${(cpu * 60).toFixed(2)} |
| CPU on the login node, seconds a minute | ${(far * clients * 60).toFixed(1)} | ${(far * 60).toFixed(2)} |
| memory of the client, MB | ${(memory * clients).toFixed(0)} | ${memory.toFixed(0)} |

Commands: squeue, sacct, scontrol and sbatch, as often as they were started. CPU on the login node: of everything that runs for the clients' connections,
sshd included. Memory: shared pages count in parts (Pss).
`,
  );
}
