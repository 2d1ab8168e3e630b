import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { constants } from 'node:os';
import { allProcesses, isAlive, isOrphan, type ProcessRecord, writeProcess } from './process-registry.ts';
import { residentBytes, sharedOutBytes, startOf } from './process-table.ts';
import { processTree, signalAll } from './process-tree.ts';

/**
 * Runs one job on this machine and outlives whoever started it. `start` puts `run` into a session of its own and prints its pid;
 * `run` waits for its turn, runs the script, keeps the limits, and writes down how it ended.
 */
const [verb, ...words] = process.argv.slice(2);
if (verb === 'start') start();
else await run();

function start(): void {
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? '', 'run', ...words], {
    detached: true,
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  // It writes its record itself, and says so: two writers would overwrite each other.
  child.once('message', () => {
    process.stdout.write(`${child.pid}\n`);
    child.disconnect();
    child.unref();
  });
  child.once('error', (error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  });
  child.once('exit', (code) => {
    process.exitCode = code ?? 1;
  });
}

async function run(): Promise<void> {
  const [workdir = '', name = '', script = '', cwd = '', log = '', seconds = '', mem = '', early = ''] = words;
  const pid = process.pid;
  const now = () => Math.floor(Date.now() / 1000);
  let record: ProcessRecord = {
    version: 1,
    name,
    pid,
    started: startOf(pid) ?? '',
    submittedAt: now(),
    status: 'queued',
  };
  const note = (more: Partial<ProcessRecord>) => {
    record = { ...record, ...more };
    writeProcess(workdir, record);
  };
  let cancelled = false;
  let stop = () => note({ status: 'ended', how: 'cancelled', endedAt: now() });
  process.on('SIGTERM', () => {
    cancelled = true;
    stop();
  });
  note({});
  process.send?.('queued');

  // One at a time, the oldest first: a laptop has one GPU, and two trainings measure each other.
  const isFirst = () =>
    !allProcesses(workdir).some(
      (other) =>
        other.name !== name &&
        other.status !== 'ended' &&
        (other.status === 'running' ||
          other.submittedAt < record.submittedAt ||
          (other.submittedAt === record.submittedAt && other.pid < pid)) &&
        isAlive(other),
    );
  const endOrphans = () => {
    for (const { root } of allProcesses(workdir).filter(isOrphan))
      if (root) signalAll(processTree(root.pid), 'SIGKILL');
  };
  endOrphans();
  while (!cancelled && !isFirst()) await new Promise((resolve) => setTimeout(resolve, 500));
  if (cancelled) return;

  const output = openSync(log, 'a', 0o600);
  // Its name for itself (state/begun): inside of an allocation SLURM_JOB_ID is not this job's.
  const env = { ...process.env, MLOPS_JOB: String(pid) };
  const job = spawn('sh', [script], { cwd, env, stdio: ['ignore', output, output], detached: true });
  const root = job.pid;
  if (root === undefined) return note({ status: 'ended', how: 'failed', exitCode: 127, endedAt: now() });
  note({ status: 'running', runningSince: now(), root: { pid: root, started: startOf(root) ?? '' } });

  let how: 'cancelled' | 'timeout' | 'out-of-memory' | undefined;
  let hard: NodeJS.Timeout | undefined;
  let condemned: ReturnType<typeof processTree> = [];
  const end = (reason: typeof how) => {
    if (how !== undefined) return;
    how = reason;
    condemned = processTree(root);
    signalAll(condemned, 'SIGTERM');
    // Those that were there and what they have started since.
    hard = setTimeout(() => signalAll([...condemned, ...processTree(root)], 'SIGKILL'), 10_000);
  };
  stop = () => end('cancelled');
  const limit = setTimeout(() => end('timeout'), Number(seconds) * 1000);
  // As sbatch's `--signal=B:USR1@SECONDS`: to the script alone, which passes it on.
  const warning =
    early === ''
      ? undefined
      : setTimeout(() => job.kill('SIGUSR1'), Math.max(0, Number(seconds) - Number(early)) * 1000);
  let peakMemory = 0;
  const watch = setInterval(() => {
    const pids = processTree(root).map(({ pid }) => pid);
    let used = residentBytes(pids);
    // Data loaders share most of theirs: looked at closely before anything is killed for it.
    if (mem !== '' && used > Number(mem)) used = sharedOutBytes(pids);
    peakMemory = Math.max(peakMemory, used);
    if (mem !== '' && used > Number(mem)) end('out-of-memory');
  }, 1000);
  job.on('exit', (code, signal) => {
    clearTimeout(limit);
    clearTimeout(warning);
    clearTimeout(hard);
    clearInterval(watch);
    // The script is gone; what it had started, and now belongs to nobody, goes with it.
    signalAll(condemned, 'SIGKILL');
    note({
      status: 'ended',
      how: how ?? (code === 0 ? 'completed' : 'failed'),
      endedAt: now(),
      peakMemory,
      ...(code === null ? {} : { exitCode: code }),
      ...(signal === null ? {} : { signal: constants.signals[signal] }),
    });
  });
}
