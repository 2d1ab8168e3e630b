import { shellQuote } from '../base/shell-quote.ts';
import type { Host } from '../cluster/host.ts';
import type { Scheduler } from '../cluster/scheduler.ts';
import { parseTools, toolsScript } from '../cluster/tools-probe.ts';
import type { Config } from '../config/types.ts';
import { jobResources } from '../job/resources.ts';
import { tellTools, toolsRequest } from './doctor-environment.ts';
import type { Tell } from './doctor-types.ts';
import { runSmallJob } from './small-job.ts';

const jobSeconds = 300;
const waitSeconds = 600;

export interface JobExamination {
  readonly host: Host;
  readonly scheduler: Scheduler;
  readonly workdir: string;
  readonly config: Config;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  /** Letters and digits of this call alone. */
  readonly token: string;
}

/** A real job of a few seconds, under the config's own partition and account: what a compute node has, and whom it reaches. */
export async function examineNode(examination: JobExamination, tell: Tell): Promise<void> {
  const { host, scheduler, workdir, config, token, now, signal } = examination;
  const folder = `${workdir}/tmp/ASK-doctor-${token}`;
  const request = toolsRequest(config, true);
  const { seconds, gpus } = jobResources(config);
  const begun = now().getTime();
  const answer = await runSmallJob({
    host,
    scheduler,
    config,
    resources: { seconds: Math.min(jobSeconds, seconds), ...(gpus === undefined ? {} : { gpus }) },
    name: `mlops-doctor-${token}`,
    folder,
    script: toolsScript(request),
    now,
    signal,
    waitSeconds,
  });
  if (answer.ok) {
    const { id, stdout, stderr } = answer.value;
    const facts = parseTools(stdout, request);
    const waited = Math.round((now().getTime() - begun) / 1000);
    tell({ grade: 'ok', reason: 'job', id, node: facts.node, seconds: waited });
    tellTools(facts, config, 'node', stderr, tell);
  } else tell({ grade: answer.error.reason === 'job-waits' ? 'warning' : 'problem', ...answer.error });
  const removed = await host.exec(`rm -rf ${shellQuote(folder)}`);
  if (!removed.ok) tell({ grade: 'warning', reason: 'unanswered', what: folder, cause: removed.error });
}
