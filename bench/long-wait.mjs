// `node bench/long-wait.mjs` (as root): what an hour's wait costs a login node, half of it in the queue and half of it running, on a real Slurm behind
// a real sshd of this machine; beside a hand-written loop. The hour is compressed: the client's clock and timers, and every `sleep` on the login
// node, go so many times as fast (libfaketime), and so does the job.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { checkout, keep, openBench } from './slurm-bench.mjs';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '60' }, faster: { type: 'string', default: '10' } },
});
const [minutes, faster] = [values.minutes, values.faster].map(Number);
const half = (minutes / 2) * (60 / faster);

const bench = await openBench();
try {
  const clients = [];
  for (const [client, follow] of [
    ['mlops', ours],
    ['ssh HOST, squeue every 5 s', byHand],
  ])
    clients.push({ client, follow, node: await loginNode(client) });
  report(await Promise.all(clients.map(measure)));
} finally {
  await bench.close();
}

function loginNode(client) {
  // Arithmetic would cost more than the sleep: for what the loops sleep it is done beforehand.
  const cases = [0.5, 1, 5].map((seconds) => `${seconds}) exec /bin/sleep ${seconds / faster} ;;`);
  const shorter = `case $1 in ${cases.join(' ')} *) exec /bin/sleep "$@" ;; esac`;
  return bench.loginNode(client.split(/\W/)[0], { sleep: shorter });
}

async function measure({ client, follow, node }) {
  const done = follow(node);
  const job = await newJob(done.name);
  await sleep(half * 1000);
  await must('scontrol', 'update', `JobId=${job}`, 'StartTime=now');
  await done.ended;
  // The server's own account of what it has run is complete once the connection is gone.
  for (let tries = 0; tries < 100 && (await node.connections()) > 0; tries += 1) await sleep(100);
  return { client, logins: await node.logins(), cpu: node.cpuSeconds(), commands: node.commands() };
}

function ours(node) {
  const repository = bench.makeRepository(
    'repository',
    `version: 1
cluster: { host: cluster, workdir: ${JSON.stringify(join(bench.root, 'work'))}, slurm: { begin: now+1hour } }
environment: none
resources: { time: "01:00:00" }
steps:
  - run: sh train.sh
    metrics: { file: $MLOPS_OUT/metrics.json }
require:
  score: { min: 0.5 }
`,
  );
  writeFileSync(
    join(repository.folder, 'train.sh'),
    `for i in $(seq 1 30); do echo "epoch $i"; /bin/sleep ${half / 30}; done\necho '{"score": 1}' >"$MLOPS_OUT/metrics.json"\n`,
  );
  repository.git('add', '--all');
  repository.git('commit', '--quiet', '--no-verify', '-m', 'A long training');
  const args = ['-f', `+0 x${faster}`, process.execPath, join(checkout, 'dist/mlops.js'), 'run'];
  const env = { MLOPS_SSH_CONFIG: node.sshConfig };
  return { name: 'mlops-', ended: bench.started('faketime', args, repository.folder, env) };
}

function byHand(node) {
  const script = join(bench.root, 'by-hand.sh');
  writeFileSync(script, `#!/bin/sh\n#SBATCH --job-name=by-hand --time=60 --begin=now+1hour\n/bin/sleep ${half}\n`);
  const loop = `id=$(sbatch --parsable ${script}); while squeue -h -j $id -o %T 2>/dev/null | grep -q .; do sleep 5; done`;
  const args = ['-F', node.sshConfig, 'cluster', `. ~/.bash_profile; cd ${bench.root} && ${loop}`];
  return { name: 'by-hand', ended: bench.started('ssh', args, bench.root) };
}

async function newJob(name) {
  for (let tries = 0; tries < 600; tries += 1) {
    const { stdout } = await bench.slurm.run('squeue', '-h', '-o', '%A %j');
    const [, id] = new RegExp(`^(\\d+) ${name}`, 'm').exec(stdout) ?? [];
    if (id !== undefined) return id;
    await sleep(100);
  }
  throw new Error(`no job ${name}`);
}

async function must(file, ...args) {
  const done = await bench.slurm.run(file, ...args);
  if (done.code !== 0) throw new Error(`${file}: ${done.stderr}`);
}

function report(rows) {
  const lines = rows.map(
    ({ client, logins, cpu, commands }) =>
      `| ${[client, logins, cpu.toFixed(1), commands, (commands / minutes).toFixed(1)].join(' | ')} |`,
  );
  const table = [
    '| client | logins | CPU seconds on the login node | commands to the scheduler | a minute |',
    '|---|---|---|---|---|',
    ...lines,
  ].join('\n');
  const text = `# What a wait of ${minutes} minutes costs a login node

${bench.versions()}; half of the time in the queue, half of it running; ${faster} times as fast.

${table}

CPU seconds: of everything that was run for the client's connections, sshd included, by the server's own account. Commands: squeue, sacct,
scontrol and sbatch, as often as they were started, from the submission to the verdict. Each \`sleep\` on the login node is two programs here, so that it can be faster:
of the CPU seconds of whoever sleeps often a part is the bench's own.
`;
  keep('long-wait', text);
}
