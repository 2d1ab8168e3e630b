import { setTimeout as sleep } from 'node:timers/promises';
import { asJobId } from '../base/ids.ts';
import { shellQuote } from '../base/shell-quote.ts';
import type { Host } from '../cluster/host.ts';
import type { JobRef, JobStatus, Scheduler } from '../cluster/scheduler.ts';
import { parseTools, toolsScript } from '../cluster/tools-probe.ts';
import type { Config } from '../config/types.ts';
import { sbatchLines } from '../job/render.ts';
import { jobResources, sbatchOptions } from '../job/resources.ts';
import { tellTools, toolsRequest } from './doctor-environment.ts';
import type { Tell } from './doctor-types.ts';

const jobSeconds = 300;
const waitSeconds = 600;
const lookSeconds = [0.5, 1, 2, 3, 5];

export interface JobExamination {
  readonly host: Host;
  readonly scheduler: Scheduler;
  readonly workdir: string;
  readonly config: Config;
  readonly now: () => Date;
  /** Ctrl-C: the job is cancelled, since nobody would read its answer. */
  readonly signal: AbortSignal;
  /** Letters and digits of this call alone. */
  readonly token: string;
}

/** A real job of a few seconds, under the config's own partition and account: what a compute node has, and whom it reaches. */
export async function examineNode(examination: JobExamination, tell: Tell): Promise<void> {
  const { host, workdir, token } = examination;
  const folder = `${workdir}/tmp/doctor-${token}`;
  await examineIn(examination, folder, tell);
  const removed = await host.exec(`rm -rf ${shellQuote(folder)}`);
  if (!removed.ok) tell({ grade: 'warning', reason: 'unanswered', what: folder, cause: removed.error });
}

async function examineIn(examination: JobExamination, folder: string, tell: Tell): Promise<void> {
  const { host, scheduler, config, now, token } = examination;
  const { gpus } = jobResources(config);
  const seconds = Math.min(jobSeconds, jobResources(config).seconds);
  const name = `mlops-doctor-${token}`;
  const options = sbatchOptions(config, { seconds, ...(gpus === undefined ? {} : { gpus }) }, name);
  const header = sbatchLines(options);
  if (!header.ok) return tell({ grade: 'problem', reason: 'unsafe-options', cause: header.error });
  const request = toolsRequest(config, true);
  // Complete or not at all: the client reads it over a file system that may lag behind.
  const body = `umask 077\n(\n${toolsScript(request)}\n) >answer.tmp 2>words && mv answer.tmp answer\n`;
  const text = `${['#!/bin/sh', ...header.value].join('\n')}\n${body}`;
  const script = `${folder}/job.sh`;
  const submit = scheduler.submitScript({ name, script, cwd: folder, log: `${folder}/log`, seconds });
  const begun = now().getTime();
  const submitted = await host.exec(
    `umask 077; mkdir -p ${shellQuote(folder)} && cat >${shellQuote(script)} || exit 1\n${submit}`,
    {
      stdin: text,
      timeoutSeconds: 120,
    },
  );
  if (!submitted.ok) return tell({ grade: 'problem', reason: 'unanswered', what: 'sbatch', cause: submitted.error });
  const id = submitted.value.stdout.trim().split('\n').at(-1) ?? '';
  if (submitted.value.code !== 0 || !/^\d+$/.test(id))
    return tell({ grade: 'problem', reason: 'job-refused', words: submitted.value.stderr.trim() });
  const job: JobRef = { id: asJobId(id), name, submittedAt: Math.floor(begun / 1000) };
  const status = await follow(examination, job, tell);
  if (status === undefined) return;
  const waited = Math.round((now().getTime() - begun) / 1000);
  if (status.state === 'queued' || status.state === 'running')
    return tell({ grade: 'warning', reason: 'job-waits', id, status, seconds: waited });
  const answer = await readAnswer(host, folder);
  if (!answer.ok)
    return tell({ grade: 'problem', reason: 'unanswered', what: 'the answer of the job', cause: answer.error });
  const { stdout, stderr, code } = answer.value;
  if (code !== 0) return tell({ grade: 'problem', reason: 'job-ended', id, status, words: stderr.trim() });
  const facts = parseTools(stdout, request);
  tell({ grade: 'ok', reason: 'job', id, node: facts.node, seconds: waited });
  tellTools(facts, config, 'node', stderr, tell);
}

/** A network file system may show a node's file a moment later. */
const readAnswer = (host: Host, folder: string) =>
  host.exec(`cd ${shellQuote(folder)} || exit 1
for second in 1 2 3 4 5 6 7 8 9 10; do [ ! -f answer ] || break; ls >/dev/null; sleep 1; done
cat words >&2
[ -f answer ] || { cat log >&2; exit 1; }
cat answer`);

/** To its end, or as long as anybody wants to wait; then it is cancelled. Undefined: nobody knows, which is told. */
async function follow(
  { scheduler, now, signal }: JobExamination,
  job: JobRef,
  tell: Tell,
): Promise<JobStatus | undefined> {
  const until = now().getTime() + waitSeconds * 1000;
  for (let look = 0; ; look++) {
    const asked = await scheduler.query([job]);
    if (!asked.ok) {
      tell({ grade: 'problem', reason: 'job-unknown', cause: asked.error });
      return undefined;
    }
    const status = asked.value.get(job.id) ?? { state: 'absent' as const };
    const live = status.state === 'queued' || status.state === 'running';
    if (!live) return status;
    if (signal.aborted || now().getTime() > until) {
      const ended = await scheduler.cancel(job);
      if (!ended.ok) tell({ grade: 'problem', reason: 'job-unknown', cause: ended.error });
      return status;
    }
    const seconds = lookSeconds[Math.min(look, lookSeconds.length - 1)] ?? 5;
    // An abort only ends the waiting.
    await sleep(seconds * 1000, undefined, { signal }).catch(() => undefined);
  }
}
