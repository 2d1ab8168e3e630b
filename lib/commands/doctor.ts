import type { Result } from '../base/result.ts';
import type { Host, HostError } from '../cluster/host.ts';
import type { Scheduler } from '../cluster/scheduler.ts';
import type { Config } from '../config/types.ts';
import type { HookOptions } from '../git/hooks-install.ts';
import type { Repository } from '../git/repository.ts';
import { examineEnvironment } from './doctor-environment.ts';
import { examineClone } from './doctor-git.ts';
import { examineNode } from './doctor-job.ts';
import { examineFolder, examineMachine } from './doctor-site.ts';
import { examineSlurm } from './doctor-slurm.ts';
import type { Grade, Tell } from './doctor-types.ts';

export interface DoctorOptions {
  readonly repo: Repository;
  readonly hooks: HookOptions;
  readonly openHost: (config: Config) => Promise<Result<Host, HostError>>;
  readonly schedulerFor: (config: Config, host: Host, workdir: string) => Scheduler;
  /** Where runs are kept without a cluster. */
  readonly localWorkdir: string;
  /** Submit a small job, to see a compute node. */
  readonly job: boolean;
  readonly now: () => Date;
  readonly signal: AbortSignal;
  readonly token: string;
}

/** `mlops doctor`: from near to far, each thing only where what it needs has been found. Gives how many there were of each grade. */
export async function doctor(options: DoctorOptions, show: Tell): Promise<Readonly<Record<Grade, number>>> {
  const counts = { ok: 0, warning: 0, problem: 0 };
  const tell: Tell = (finding) => {
    counts[finding.grade] += 1;
    show(finding);
  };
  const config = await examineClone(options.repo, options.hooks, tell);
  if (config === undefined || options.signal.aborted) return counts;
  const host = await options.openHost(config);
  if (!host.ok) {
    tell({ grade: 'problem', reason: 'connection-failed', cause: host.error });
    return counts;
  }
  try {
    await examinePlace(options, config, host.value, tell);
  } finally {
    await host.value.close();
  }
  return counts;
}

async function examinePlace(options: DoctorOptions, config: Config, host: Host, tell: Tell): Promise<void> {
  const { cluster } = config;
  if (!(await examineMachine(host, options.now, tell))) return;
  const workdir = await examineFolder(host, cluster?.workdir ?? options.localWorkdir, cluster?.group, tell);
  const submits = cluster !== undefined && (await examineSlurm(host, config, tell));
  await examineEnvironment(host, config, cluster === undefined ? 'here' : 'login-node', tell);
  if (!options.job || !submits || workdir === undefined || options.signal.aborted) return;
  const scheduler = options.schedulerFor(config, host, workdir);
  await examineNode({ ...options, host, scheduler, workdir, config }, tell);
}
