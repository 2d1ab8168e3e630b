import { setTimeout as sleep } from 'node:timers/promises';
import { asJobId, type JobId } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Host } from './host.ts';
import type { JobRef, JobStatus, QueryError, Scheduler } from './scheduler.ts';
import { arrayInQueue, arrayStatus } from './slurm-array.ts';
import { liveScript, parseLive } from './slurm-live.ts';
import { accounted, countAhead, parseFacts, parseQueue, type QueueLine, shown } from './slurm-parse.ts';
import {
  cancelScript,
  findScript,
  queryScript,
  readNow,
  readSections,
  type Section,
  type SlurmFacts,
  type SlurmSite,
} from './slurm-script.ts';
import { sbatchScript } from './slurm-submit.ts';

/** After `scancel`, how long to wait before each look: KillWait is 30 s by default, and TERM is often ignored. */
const cancelWaits = [0.3, 1, 2, 4, 8, 8, 8, 8, 8];

const countedForMs = 60_000;

/** squeue repeats its question for a while where slurmctld is busy or gone. */
const answerSeconds = 120;

export interface SlurmScheduler extends Scheduler {
  /** What the site has said of itself; undefined before a job was found waiting. */
  facts(): SlurmFacts | undefined;
}

export function slurmScheduler(host: Host, site: SlurmSite = {}): SlurmScheduler {
  let facts: SlurmFacts | undefined;
  let accounting = true;
  /** The queue as it was counted last, for which jobs and when: a place in it changes slowly, and counting asks for all that wait. */
  let queued: { readonly of: string; readonly at: number; readonly counts: string } | undefined;

  const sections = async (script: string): Promise<Result<Answer, QueryError>> => {
    const ran = await host.exec(script, { timeoutSeconds: answerSeconds });
    if (!ran.ok) {
      // The connection is as good as before: it is Slurm that does not answer.
      if (ran.error.reason !== 'timeout') return err({ reason: 'host', cause: ran.error });
      return err({ reason: 'scheduler', command: 'squeue', code: 124, stderr: ran.error.detail });
    }
    const { stdout, stderr } = ran.value;
    const found = readSections(stdout, stderr);
    return ok({ found, now: readNow(stdout) ?? 0 });
  };

  const query = async (jobs: readonly JobRef[]): Promise<Result<ReadonlyMap<JobId, JobStatus>, QueryError>> => {
    if (jobs.length === 0) return ok(new Map());
    const of = jobs.map(({ id }) => id).join();
    const known = queued?.of === of && performance.now() - queued.at < countedForMs ? queued : undefined;
    const counts = known === undefined && facts?.privateJobs !== true;
    const answer = await sections(queryScript(jobs, site, { accounting, counts, config: facts === undefined }));
    if (!answer.ok) return answer;
    const { found, now } = answer.value;
    facts ??= parseFacts(found.get('config'));
    accounting &&= facts?.accounting !== false && !isDisabled(found.get('sacct'));
    const squeue = found.get('squeue');
    if (squeue === undefined || squeue.code !== 0) return failed('squeue', squeue);
    const ahead = found.get('ahead');
    if (ahead?.code === 0) queued = { of, at: performance.now(), counts: ahead.stdout };
    const counted = ahead?.code === 0 ? ahead.stdout : known?.counts;
    const queue = parseQueue(squeue.stdout, countAhead(facts?.privateJobs === true ? undefined : counted));
    const statuses = new Map<JobId, JobStatus>();
    for (const job of jobs) {
      const status = queuedOrRunning(job, queue) ?? (job.tasks === undefined ? ended : arrayEnded)(job, found, now);
      if (!('state' in status)) return err(status);
      statuses.set(job.id, status);
    }
    return ok(statuses);
  };

  return {
    kind: 'slurm',
    facts: () => facts,
    submitScript: (request) => sbatchScript(request, site),
    query,
    async live(folder, whose) {
      const answer = await sections(liveScript(site, whose, facts === undefined));
      if (!answer.ok) return answer;
      const { found } = answer.value;
      const squeue = found.get('squeue');
      if (squeue === undefined || squeue.code !== 0) return failed('squeue', squeue);
      facts ??= parseFacts(found.get('config'));
      const hidden = facts?.privateJobs === true;
      return ok(parseLive(squeue.stdout, folder, countAhead(hidden ? undefined : found.get('ahead')?.stdout)));
    },
    async find(name) {
      const answer = await sections(findScript(name, site));
      if (!answer.ok) return answer;
      const squeue = answer.value.found.get('squeue');
      if (squeue === undefined || squeue.code !== 0) return failed('squeue', squeue);
      const live = parseQueue(squeue.stdout, () => undefined).filter((it) => it.name === name && it.live);
      // Of an array each task has a line.
      const byId = new Map(live.map((it) => [it.id, { id: asJobId(it.id), name, submittedAt: it.submittedAt ?? 0 }]));
      return ok([...byId.values()]);
    },
    async cancel(job) {
      const asked = await sections(cancelScript(job, site));
      if (!asked.ok) return asked;
      const scancel = asked.value.found.get('scancel');
      let last: JobStatus = { state: 'absent' };
      for (const seconds of cancelWaits) {
        await sleep(seconds * 1000);
        const answer = await query([job]);
        if (!answer.ok) return answer;
        last = answer.value.get(job.id) ?? last;
        const live = last.state === 'queued' || last.state === 'running';
        if (!live) return ok(last);
        if (scancel === undefined || scancel.code !== 0) return failed('scancel', scancel);
      }
      return ok(last);
    },
  };
}

interface Answer {
  readonly found: ReadonlyMap<string, Section>;
  /** The cluster's clock. */
  readonly now: number;
}

function queuedOrRunning(job: JobRef, queue: readonly QueueLine[]): JobStatus | undefined {
  if (job.tasks !== undefined) return arrayInQueue(job, queue);
  const lines = queue.filter((it) => it.id === job.id && it.name === job.name);
  return (lines.find(({ live }) => live) ?? lines[0])?.status;
}

/** Of each task by itself: a controller forgets them one by one. */
function arrayEnded(job: JobRef, found: ReadonlyMap<string, Section>, now: number): JobStatus | QueryError {
  const statuses = new Map<number, JobStatus>();
  for (const task of job.tasks ?? []) {
    const status = ended(job, found, now, task);
    if (!('state' in status)) return status;
    statuses.set(task, status);
  }
  return arrayStatus(statuses);
}

/** sacct, then scontrol; absent only if everyone who could know has answered. */
function ended(job: JobRef, found: ReadonlyMap<string, Section>, now: number, task?: number): JobStatus | QueryError {
  const sacct = found.get('sacct');
  const fromAccounting = sacct?.code === 0 ? accounted(sacct.stdout, job, now, task) : undefined;
  if (fromAccounting?.state === 'ended') return fromAccounting;
  const scontrol = found.get(`scontrol ${job.id}`);
  const fromController = scontrol?.code === 0 ? shown(scontrol.stdout, job, now, sacct?.code === 0, task) : undefined;
  if (fromController !== undefined) return fromController;
  if (fromAccounting !== undefined) return fromAccounting;
  // "Invalid job id specified" is an answer; a controller that does not answer is none.
  if (scontrol !== undefined && scontrol.code !== 0 && !/invalid job id/i.test(scontrol.stderr)) {
    return problem('scontrol', scontrol);
  }
  if (sacct !== undefined && sacct.code !== 0 && !isDisabled(sacct)) return problem('sacct', sacct);
  return { state: 'absent' };
}

const isDisabled = (sacct: Section | undefined): boolean =>
  sacct !== undefined && /accounting storage is disabled/i.test(sacct.stderr);

const problem = (command: string, section: Section | undefined): QueryError => ({
  reason: 'scheduler',
  command,
  code: section?.code ?? 255,
  stderr: section?.stderr ?? '',
});

const failed = (command: string, section: Section | undefined) => err(problem(command, section));
