import { asJobId, type JobId } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { allProcesses, isAlive, type ProcessRecord, readProcess } from './process-registry.ts';
import type { JobRef, JobStatus, QueryError, Scheduler } from './scheduler.ts';

export interface ProcessOptions {
  readonly workdir: string;
  /** How to start a supervisor: node, its options, and the program. */
  readonly supervisor: readonly string[];
  /** Seconds since 1970. */
  readonly now: () => number;
}

/** Jobs as processes of this machine, one at a time for each folder of runs. They outlive whoever submitted them. */
export function processScheduler({ workdir, supervisor, now }: ProcessOptions): Scheduler {
  const statusOf = (job: JobRef): JobStatus => {
    const record = readProcess(workdir, job.name);
    return record === undefined || record.pid !== Number(job.id) ? { state: 'absent' } : status(record, now());
  };
  return {
    kind: 'process',
    submitScript: ({ name, script, cwd, log, seconds, mem, signalSeconds }) =>
      [...supervisor, 'start', workdir, name, script, cwd, log, seconds, mem ?? '', signalSeconds ?? '']
        .map((word) => shellQuote(String(word)))
        .join(' '),
    async query(jobs): Promise<Result<ReadonlyMap<JobId, JobStatus>, QueryError>> {
      return ok(new Map(jobs.map((job) => [job.id, statusOf(job)])));
    },
    async live() {
      const living = allProcesses(workdir).filter((record) => record.status !== 'ended' && isAlive(record));
      return ok(living.map((record) => ({ job: refOf(record), status: status(record, now()) })));
    },
    async find(name) {
      const record = readProcess(workdir, name);
      if (record === undefined || record.status === 'ended' || !isAlive(record)) return ok([]);
      return ok([refOf(record)]);
    },
    async cancel(job) {
      const record = readProcess(workdir, job.name);
      if (record !== undefined && record.status !== 'ended' && isAlive(record)) {
        process.kill(record.pid, 'SIGTERM');
        // The supervisor gives the job ten seconds before it kills.
        for (let tries = 0; tries < 150 && isAlive(record); tries++) await new Promise((next) => setTimeout(next, 100));
      }
      const after = statusOf(job);
      if (after.state === 'ended' || after.state === 'absent') return ok(after);
      return err({ reason: 'scheduler', command: 'kill', code: 1, stderr: `process ${job.id} is still there` });
    },
  };
}

const refOf = ({ pid, name, submittedAt }: ProcessRecord): JobRef => ({ id: asJobId(String(pid)), name, submittedAt });

/** A supervisor that is gone without a last word was killed, or the machine went down. */
function status(record: ProcessRecord, now: number): JobStatus {
  const memory = record.peakMemory === undefined ? {} : { peakMemory: record.peakMemory };
  if (record.status === 'ended') {
    const how = record.how ?? 'failed';
    const from = record.runningSince;
    return {
      state: 'ended',
      how,
      word: how.toUpperCase(),
      ...memory,
      ...(record.exitCode === undefined ? {} : { exitCode: record.exitCode }),
      ...(record.signal === undefined ? {} : { signal: record.signal }),
      ...(from === undefined || record.endedAt === undefined ? {} : { elapsedSeconds: record.endedAt - from }),
    };
  }
  if (!isAlive(record)) return { state: 'ended', how: 'node-failed', word: 'SUPERVISOR GONE', ...memory };
  return record.status === 'queued'
    ? { state: 'queued', reason: 'Resources' }
    : { state: 'running', node: 'this machine', elapsedSeconds: now - (record.runningSince ?? now) };
}
