// `node bench/latency.mjs` (as root): from a job's last line to the client's exit, beside `ssh HOST sbatch --wait` and a hand-written squeue loop, on
// a real Slurm behind a real sshd of this machine. In each round all three clients follow a job of the same length at the same time. Then each
// follows a longer job alone, and slurmctld itself says how often it was asked (sdiag).
import { mkdtempSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { checkout, keep, openBench } from './slurm-bench.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '15' },
    /** The length of the job whose questions are counted. */
    seconds: { type: 'string', default: '120' },
  },
});
const [rounds, long] = [values.rounds, values.seconds].map(Number);
const load = loadavg()[0].toFixed(1);
const bench = await openBench();
const { root } = bench;
const node = await bench.loginNode('node');
try {
  await main();
} finally {
  await bench.close();
}

async function main() {
  const repository = bench.makeRepository(
    'repository',
    `version: 1
cluster: { host: cluster, workdir: ${JSON.stringify(join(root, 'work'))} }
environment: none
resources: { time: "00:10:00" }
steps:
  - run: sh train.sh
    metrics: { file: $MLOPS_OUT/metrics.json }
require:
  score: { min: 0.5 }
`,
  );
  const clients = {
    mlops: (seconds) => ours(repository, seconds),
    'ssh HOST sbatch --wait': (seconds) => overSsh(seconds, (script) => `sbatch --wait ${script}`),
    'ssh HOST, squeue every 5 s': (seconds) =>
      overSsh(
        seconds,
        (script) =>
          `id=$(sbatch --parsable ${script}); while squeue -h -j $id 2>/dev/null | grep -q .; do sleep 5; done`,
      ),
  };
  const times = new Map(Object.keys(clients).map((name) => [name, []]));
  const fromScript = [];
  for (let round = 0; round <= rounds; round += 1) {
    // Not a whole number, so that no client's clock is in step with the jobs.
    const seconds = (8 + 5 * Math.random()).toFixed(2);
    const done = await Promise.all(
      Object.entries(clients).map(async ([name, follow]) => [name, await follow(seconds)]),
    );
    process.stderr.write(
      `round ${round}: ${done.map(([name, { wait }]) => `${name} ${wait.toFixed(2)}`).join(' · ')}\n`,
    );
    if (round === 0) continue;
    for (const [name, { wait, afterStep }] of done) {
      times.get(name).push(wait);
      if (afterStep !== undefined) fromScript.push(afterStep);
    }
  }
  const questions = new Map();
  for (const [name, follow] of Object.entries(clients)) {
    process.stderr.write(`questions of ${name}\n`);
    await must('sdiag', '-r');
    node.forget();
    const { took } = await follow(String(long));
    const { stdout } = await must('sdiag');
    questions.set(name, {
      rpcs: rpcsOf(stdout),
      commands: node.commands(),
      minutes: took / 60,
    });
  }
  report(times, fromScript, questions);
}

/** What a client asks about jobs, and about the site; not what the daemons say to each other. */
function rpcsOf(sdiag) {
  const byType = sdiag.slice(sdiag.indexOf('by message type'), sdiag.indexOf('by user'));
  const kinds =
    /^\s*(REQUEST_(?:JOB_INFO|JOB_INFO_SINGLE|JOB_USER_INFO|JOB_STEP_INFO|JOB_END_TIME|BUILD_INFO|PARTITION_INFO|NODE_INFO))\b.*count:(\d+)/gm;
  return [...byType.matchAll(kinds)].reduce((sum, [, , count]) => sum + Number(count), 0);
}

function report(times, fromScript, questions) {
  const lines = [...times].map(([name, all]) => {
    const { rpcs, commands, minutes } = questions.get(name);
    const cells = [median(all), Math.min(...all), Math.max(...all)].map((seconds) => seconds.toFixed(2));
    return `| ${[name, ...cells, (rpcs / minutes).toFixed(1), commands].join(' | ')} |`;
  });
  const table = [
    '| client | median s | min | max | questions to slurmctld a minute | commands in all |',
    '|---|---|---|---|---|---|',
    ...lines,
  ].join('\n');
  const text = `# From a job's last line to the client's exit

${bench.versions()}; ${rounds} rounds, all clients at the same time; jobs of 8 to 13 s; loopback; load average at the start ${load}.

${table}

The job's last line: for mlops the moment at which its script has written its last word (\`state/end\`), for the others a last \`date\` in the
script. Beside the exit, mlops has then fetched, judged and recorded the result. From the last line of the user's own step it is ${median(fromScript).toFixed(2)} s
(median): the job keeps its results in between. Questions: one job of ${long} s for each client alone, from the command to its exit, submission
included, counted by \`sdiag\`; commands: squeue, sacct, scontrol and sbatch, as often as they were started.
`;
  keep('latency', text);
}

function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

async function must(file, ...args) {
  const done = await bench.slurm.run(file, ...args);
  if (done.code !== 0) throw new Error(`${file}: ${done.stderr}`);
  return done;
}

function writeStep({ folder, git }, seconds) {
  // The time makes each round a run of its own.
  const last = join(root, `last-${Date.now()}`);
  writeFileSync(
    join(folder, 'train.sh'),
    `sleep ${seconds}\necho '{"score": 1}' >"$MLOPS_OUT/metrics.json"\necho "$MLOPS_OUT" >${last}.folder\ndate +%s.%N >${last}\n`,
  );
  git('add', '--all');
  git('commit', '--quiet', '--no-verify', '-m', `A step of ${seconds} s`);
  return last;
}

async function ours(repository, seconds) {
  const last = writeStep(repository, seconds);
  const { ended, took } = await bench.started(
    process.execPath,
    [join(checkout, 'dist/mlops.js'), 'run'],
    repository.folder,
    {
      MLOPS_SSH_CONFIG: node.sshConfig,
    },
  );
  const out = readFileSync(`${last}.folder`, 'utf8').trim();
  const word = statSync(join(dirname(out), 'state/end')).mtimeMs / 1000;
  return { wait: ended - word, afterStep: ended - Number(readFileSync(last, 'utf8')), took };
}

async function overSsh(seconds, command) {
  const job = mkdtempSync(join(root, 'job-'));
  writeFileSync(join(job, 'job.sh'), `#!/bin/sh\nsleep ${seconds}\ndate +%s.%N >${job}/last\n`);
  const line = `. ~/.bash_profile; cd ${job} && ${command('job.sh')}`;
  const { ended, took } = await bench.started('ssh', ['-F', node.sshConfig, 'cluster', line], root);
  return { wait: ended - Number(readFileSync(join(job, 'last'), 'utf8')), took };
}
