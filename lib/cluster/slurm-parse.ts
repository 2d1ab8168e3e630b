import { readTasks } from './array-tasks.ts';
import type { JobEnd, JobRef, JobStatus } from './scheduler.ts';
import {
  parseBytes,
  parseDuration,
  parseEpoch,
  parseExitCode,
  parseNode,
  parseReqMem,
  scontrolField,
} from './slurm-fields.ts';
import type { Section, SlurmFacts } from './slurm-script.ts';
import { slurmMeaning } from './slurm-states.ts';

/** A job without a queue entry may be on its way back for this long (rule 8: minutes of successful queries without it). */
const requeueSeconds = 120;

/** The login node's clock and the controller's differ a little; a recycled id is days older. */
const skewSeconds = 60;
/** Accounting, which alone knows how much memory a job took, learns of its end a moment after the controller. */
const accountingSeconds = 15;

export interface QueueLine {
  /** An array's own, for each of its tasks. */
  readonly id: string;
  /** The tasks that the line stands for. */
  readonly tasks?: readonly number[];
  readonly word: string;
  readonly status: JobStatus | undefined;
  readonly live: boolean;
  readonly submittedAt: number | undefined;
  readonly name: string;
}

/** Lines of `squeueFields`. The name comes last: it alone may contain anything. */
export function parseQueue(
  text: string,
  ahead: (partition: string, priority: number) => number | undefined,
): QueueLine[] {
  return text.split('\n').flatMap((line) => {
    const [id, word, array, reason, start, elapsed, node, partition, submit, priority, ...name] = line.split('|');
    if (id === undefined || word === undefined || name.length === 0) return [];
    const common = { word, submittedAt: parseEpoch(submit ?? ''), name: name.join('|') };
    const status = queueStatus(word, {
      reason: reason ?? '',
      start: parseEpoch(start ?? ''),
      elapsed: parseDuration(elapsed ?? '') ?? 0,
      node: parseNode(node ?? ''),
      partition: partition ?? '',
      ahead: ahead(partition ?? '', Number(priority)),
    });
    const kind = slurmMeaning(word)?.kind;
    const live = kind === 'queued' || kind === 'running' || kind === 'passing';
    const tasks = readTasks(array ?? '');
    return [{ ...common, id, ...(tasks.length === 0 ? {} : { tasks }), status, live }];
  });
}

interface QueueFields {
  readonly reason: string;
  readonly start: number | undefined;
  readonly elapsed: number;
  readonly node: string | undefined;
  readonly partition: string;
  readonly ahead: number | undefined;
}

/** Undefined where squeue alone cannot tell: an ended or passing job, for which the others know more. */
function queueStatus(word: string, fields: QueueFields): JobStatus | undefined {
  const meaning = slurmMeaning(word);
  if (meaning === undefined || meaning.kind === 'elsewhere') return { state: 'unknown', word };
  if (meaning.kind === 'running') return { state: 'running', node: fields.node ?? '', elapsedSeconds: fields.elapsed };
  if (meaning.kind !== 'queued') return undefined;
  return {
    state: 'queued',
    reason: fields.reason,
    partition: fields.partition,
    ...(fields.start === undefined ? {} : { expectedStart: fields.start }),
    ...(fields.ahead === undefined ? {} : { ahead: fields.ahead }),
  };
}

/** Counts pending jobs of higher priority that want one of the same partitions, from lines `COUNT PARTITIONS|PRIORITY`. */
export function countAhead(text: string | undefined): (partition: string, priority: number) => number | undefined {
  if (text === undefined) return () => undefined;
  const lines = text.split('\n').flatMap((line) => {
    const match = /^\s*(\d+) (.*)\|(\d+)$/.exec(line);
    return match === null
      ? []
      : [{ count: Number(match[1]), partitions: (match[2] ?? '').split(','), priority: Number(match[3]) }];
  });
  return (partition, priority) => {
    const wanted = partition.split(',');
    return lines
      .filter((line) => line.priority > priority && line.partitions.some((it) => wanted.includes(it)))
      .reduce((sum, line) => sum + line.count, 0);
  };
}

/** What sacct has of one job, or of one task of an array: its own line and its steps, of this submission and not of an earlier one with the same id. */
export function accounted(text: string, job: JobRef, now: number, task?: number): JobStatus | undefined {
  const jobId = task === undefined ? job.id : `${job.id}_${task}`;
  const lines = text.split('\n').map((line) => {
    const [id, state, exit, submit, end, elapsed, rss, mem, cpus, nodes, node, ...name] = line.split('|');
    return { id, state: state ?? '', exit, submit, end, elapsed, rss, mem, cpus, nodes, node, name: name.join('|') };
  });
  const mine = (submit: string | undefined) => (parseEpoch(submit ?? '') ?? 0) >= job.submittedAt - skewSeconds;
  // For its first seconds slurmdbd may call a job `allocation`: then the controller is asked.
  const named = lines.filter((it) => it.name === job.name && mine(it.submit));
  const own =
    named.filter((it) => it.id === jobId).at(-1) ??
    (task === undefined ? undefined : named.find((it) => isOneOf(it.id, job.id, task)));
  if (own === undefined) return undefined;
  const steps = lines.filter((it) => it.id?.startsWith(`${jobId}.`) && mine(it.submit));
  const meaning = slurmMeaning(own.state);
  if (meaning === undefined || meaning.kind === 'elsewhere') return { state: 'unknown', word: own.state };
  if (meaning.kind === 'passing') return passing(own.state, parseEpoch(own.end ?? ''), now);
  // Accounting is behind: neither squeue nor scontrol knows a job that it believes to be alive.
  if (meaning.kind !== 'ended') return { state: 'unknown', word: own.state };
  const rss = steps.map((it) => parseBytes(it.rss ?? '')).filter((it) => it !== undefined);
  const peak = rss.length === 0 ? undefined : Math.max(...rss);
  const limit = parseReqMem(own.mem ?? '', Number(own.cpus) || 1, Number(own.nodes) || 1);
  const exit = parseExitCode(own.exit ?? '');
  // Without cgroups (JobAcctGatherParams=OverMemoryKill) the job is FAILED by signal 9; with them a step alone may be
  // OUT_OF_MEMORY while the script went on and ended well.
  const starved =
    steps.some((it) => slurmMeaning(it.state)?.kind === 'ended' && it.state.startsWith('OUT_OF_MEMORY')) ||
    (meaning.how === 'failed' && exit.signal === 9 && peak !== undefined && limit !== undefined && peak > limit);
  const how = starved && (meaning.how === 'failed' || meaning.how === 'completed') ? 'out-of-memory' : meaning.how;
  return finished(own.state, how, exit, {
    elapsed: own.elapsed === '' ? undefined : Number(own.elapsed),
    node: parseNode(own.node ?? ''),
    peak,
  });
}

/** Tasks that were cancelled before they began have one line, `7_[5-10%2]`. */
function isOneOf(id: string | undefined, array: string, task: number): boolean {
  const [, of, tasks] = /^(\d+)_\[(.*)\]$/.exec(id ?? '') ?? [];
  return of === array && readTasks(tasks ?? '').includes(task);
}

const lineOf = (text: string, field: string, value: string): string | undefined =>
  text.split('\n').find((line) => scontrolField(line, field) === value);

/** Its own line, or that of all that wait; once these are cancelled, they have no numbers any more (NO_VAL). */
function lineOfTask(text: string, array: string, task: number): string | undefined {
  const lines = text.split('\n').filter((line) => scontrolField(line, 'ArrayJobId') === array);
  const has = (tasks: string | undefined) => readTasks(tasks ?? '').includes(task);
  return (
    lines.find((line) => has(scontrolField(line, 'ArrayTaskId'))) ??
    lines.find((line) => scontrolField(line, 'ArrayTaskId') === '4294967294')
  );
}

/** What `scontrol -o show job` says, the last that knows an ended job where there is no accounting. */
export function shown(
  text: string,
  job: JobRef,
  now: number,
  accounting: boolean,
  task?: number,
): JobStatus | undefined {
  const line = task === undefined ? lineOf(text, 'JobId', job.id) : lineOfTask(text, job.id, task);
  if (line === undefined) return undefined;
  // The comment is its name, too: a person or a site's plugin may have given it another one.
  if (![scontrolField(line, 'JobName'), scontrolField(line, 'Comment')].includes(job.name)) return undefined;
  const word = scontrolField(line, 'JobState') ?? '';
  const elapsed = parseDuration(scontrolField(line, 'RunTime') ?? '');
  const node = parseNode(scontrolField(line, 'NodeList') ?? '');
  const meaning = slurmMeaning(word);
  const end = parseEpoch(scontrolField(line, 'EndTime') ?? '');
  switch (meaning?.kind) {
    case 'ended': {
      const exit = parseExitCode(scontrolField(line, 'ExitCode') ?? '');
      const killed = meaning.how === 'failed' && exit.signal === 9;
      if (killed && accounting && end !== undefined && now - end < accountingSeconds) {
        return { state: 'running', node: node ?? '', elapsedSeconds: elapsed ?? 0 };
      }
      return finished(word, meaning.how, exit, { elapsed, node });
    }
    case 'passing':
      // Submitted with --no-requeue, as ours are: it does not come back, and need not be waited for.
      if (/^PREEMPTED/.test(word) && scontrolField(line, 'Requeue') === '0')
        return finished(word, 'preempted', {}, { elapsed, node });
      return passing(word, end, now);
    case 'queued':
      return {
        state: 'queued',
        reason: scontrolField(line, 'Reason') ?? '',
        partition: scontrolField(line, 'Partition') ?? '',
      };
    case 'running':
      return { state: 'running', node: node ?? '', elapsedSeconds: elapsed ?? 0 };
    default:
      return { state: 'unknown', word };
  }
}

function passing(word: string, end: number | undefined, now: number): JobStatus {
  if (end === undefined || now - end < requeueSeconds) return { state: 'queued', reason: word };
  return { state: 'ended', how: 'preempted', word };
}

function finished(
  state: string,
  how: JobEnd['how'],
  exit: { readonly exitCode?: number; readonly signal?: number },
  facts: {
    readonly elapsed?: number | undefined;
    readonly node?: string | undefined;
    readonly peak?: number | undefined;
  },
): JobEnd {
  return {
    state: 'ended',
    how,
    word: state.trim().split(/\s/)[0] ?? state,
    ...exit,
    ...(facts.elapsed === undefined ? {} : { elapsedSeconds: facts.elapsed }),
    ...(facts.peak === undefined ? {} : { peakMemory: facts.peak }),
    ...(facts.node === undefined ? {} : { node: facts.node }),
  };
}

/** `scontrol show config` as far as we need it; undefined if it could not be asked. */
export function parseFacts(section: Section | undefined): SlurmFacts | undefined {
  if (section === undefined || section.code !== 0) return undefined;
  const value = (key: string) => new RegExp(`^${key}\\s*= (.*)$`, 'm').exec(section.stdout)?.[1]?.trim();
  const storage = value('AccountingStorageType');
  const version = value('SLURM_VERSION');
  const age = /^(\d+) sec/.exec(value('MinJobAge') ?? '')?.[1];
  const preempt = value('PreemptMode');
  return {
    accounting: storage !== undefined && !/none|^\(null\)$/.test(storage),
    privateJobs: /jobs/.test(value('PrivateData') ?? ''),
    ...(version === undefined ? {} : { version }),
    ...(age === undefined ? {} : { minJobAge: Number(age) }),
    ...(preempt === undefined ? {} : { preemptMode: preempt }),
  };
}
