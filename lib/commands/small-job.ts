import { setTimeout as sleep } from 'node:timers/promises';
import { asJobId } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { shellQuote } from '../base/shell-quote.ts';
import type { Host, HostError } from '../cluster/host.ts';
import type { JobRef, JobStatus, QueryError, Scheduler } from '../cluster/scheduler.ts';
import type { Config, Resources } from '../config/types.ts';
import { type RenderError, sbatchLines } from '../job/render.ts';
import { sbatchOptions } from '../job/resources.ts';

/** Something that a compute node is asked, under the config's own partition and account. */
export interface SmallJob {
  readonly host: Host;
  readonly scheduler: Scheduler;
  readonly config: Config;
  readonly resources: Resources;
  readonly name: string;
  /** Of this call alone, below the work folder; it is made, and the caller removes it. */
  readonly folder: string;
  /** What it prints is the answer. */
  readonly script: string;
  readonly now: () => Date;
  /** Ctrl-C: the job is cancelled, since nobody would read its answer. */
  readonly signal: AbortSignal;
  /** How long to wait for its end before it is cancelled; undefined: as long as it takes. */
  readonly waitSeconds?: number;
  readonly onStatus?: (id: string, status: JobStatus) => void;
}

export interface SmallJobAnswer {
  readonly id: string;
  readonly stdout: string;
  readonly stderr: string;
}
export type SmallJobError =
  | { readonly reason: 'unsafe-options'; readonly cause: RenderError }
  | { readonly reason: 'unanswered'; readonly what: string; readonly cause: HostError }
  | { readonly reason: 'job-refused'; readonly words: string }
  | { readonly reason: 'job-unknown'; readonly cause: QueryError }
  /** It was cancelled: nobody wants to wait any longer. */
  | { readonly reason: 'job-waits'; readonly id: string; readonly status: JobStatus; readonly seconds: number }
  /** It has ended, and there is no answer. */
  | { readonly reason: 'job-ended'; readonly id: string; readonly status: JobStatus; readonly words: string };

const lookSeconds = [0.5, 1, 2, 3, 5];
const mostUnknown = 5;

export async function runSmallJob(job: SmallJob): Promise<Result<SmallJobAnswer, SmallJobError>> {
  const { host, scheduler, config, resources, name, folder, now } = job;
  const header = sbatchLines(sbatchOptions(config, resources, name));
  if (!header.ok) return err({ reason: 'unsafe-options', cause: header.error });
  // Complete or not at all: the client reads it over a file system that may lag behind.
  const body = `umask 077\n(\n${job.script}\n) >answer.tmp 2>words && mv answer.tmp answer\n`;
  const script = `${folder}/job.sh`;
  const { seconds } = resources;
  const submit = scheduler.submitScript({ name, script, cwd: folder, log: `${folder}/log`, seconds });
  const begun = now().getTime();
  const asked = await host.exec(
    `umask 077; mkdir -p ${shellQuote(folder)} && cat >${shellQuote(script)} || exit 1\n${submit}`,
    { stdin: `${['#!/bin/sh', ...header.value].join('\n')}\n${body}`, timeoutSeconds: 120 },
  );
  if (!asked.ok) return err({ reason: 'unanswered', what: 'the submission', cause: asked.error });
  const id = asked.value.stdout.trim().split('\n').at(-1) ?? '';
  if (asked.value.code !== 0 || !/^\d+$/.test(id))
    return err({ reason: 'job-refused', words: asked.value.stderr.trim() });
  const followed = await follow(job, { id: asJobId(id), name, submittedAt: Math.floor(begun / 1000) }, begun);
  if (!followed.ok) return followed;
  const answer = await host.exec(answerScript(folder));
  if (!answer.ok) return err({ reason: 'unanswered', what: 'the answer of the job', cause: answer.error });
  const { stdout, stderr, code } = answer.value;
  if (code !== 0) return err({ reason: 'job-ended', id, status: followed.value, words: stderr.trim() });
  return ok({ id, stdout, stderr });
}

/** A network file system may show a node's file a moment later. */
const answerScript = (folder: string): string => `cd ${shellQuote(folder)} || exit 1
for second in 1 2 3 4 5 6 7 8 9 10; do [ ! -f answer ] || break; ls >/dev/null; sleep 1; done
[ ! -f words ] || cat words >&2
[ -f answer ] || { [ ! -f log ] || cat log >&2; exit 1; }
cat answer`;

async function follow(job: SmallJob, ref: JobRef, begun: number): Promise<Result<JobStatus, SmallJobError>> {
  const { scheduler, now, signal, waitSeconds = Number.POSITIVE_INFINITY } = job;
  const passed = () => Math.round((now().getTime() - begun) / 1000);
  let unknown = 0;
  for (let look = 0; ; look++) {
    const asked = await scheduler.query([ref]);
    if (!asked.ok) return err({ reason: 'job-unknown', cause: asked.error });
    const status = asked.value.get(ref.id) ?? { state: 'absent' as const };
    if (status.state === 'ended') return ok(status);
    // Between the queue and the accounting nobody knows a job for a moment.
    unknown = status.state === 'absent' || status.state === 'unknown' ? unknown + 1 : 0;
    if (unknown === mostUnknown) return ok(status);
    if (unknown === 0) job.onStatus?.(ref.id, status);
    if (signal.aborted || passed() > waitSeconds) {
      const ended = await scheduler.cancel(ref);
      if (!ended.ok) return err({ reason: 'job-unknown', cause: ended.error });
      return err({ reason: 'job-waits', id: ref.id, status, seconds: passed() });
    }
    const seconds = lookSeconds[Math.min(look, lookSeconds.length - 1)] ?? 5;
    // An abort only ends the waiting.
    await sleep(seconds * 1000, undefined, { signal }).catch(() => undefined);
  }
}
