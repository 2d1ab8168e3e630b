import type { Host } from '../cluster/host.ts';
import {
  type Partition,
  parseSlurmProbe,
  type SlurmProbe,
  slurmProbeScript,
  slurmPrograms,
} from '../cluster/slurm-probe.ts';
import type { Config } from '../config/types.ts';
import { sbatchLines } from '../job/render.ts';
import { jobResources, sbatchOptions } from '../job/resources.ts';
import type { Tell } from './doctor-types.ts';

/** slurmctld may be busy, and its commands repeat their question for a while. */
const answerSeconds = 120;
/** A client that looks every half minute or so must still find an ended job. */
const leastJobAge = 60;

/** The scheduler, and what it says to this config's own options. False: nothing could be submitted. */
export async function examineSlurm(host: Host, config: Config, tell: Tell): Promise<boolean> {
  const header = sbatchLines(sbatchOptions(config, jobResources(config), 'mlops-doctor'));
  if (!header.ok) {
    tell({ grade: 'problem', reason: 'unsafe-options', cause: header.error });
    return false;
  }
  const { clusters } = config.cluster?.slurm ?? {};
  const site = typeof clusters === 'string' ? { clusters } : {};
  const asked = await host.exec(slurmProbeScript(header.value, site), { timeoutSeconds: answerSeconds });
  if (!asked.ok) {
    tell({ grade: 'problem', reason: 'unanswered', what: 'Slurm', cause: asked.error });
    return false;
  }
  const probe = parseSlurmProbe(asked.value.stdout, asked.value.stderr);
  const { facts, partitions } = probe;
  const missing = missingPrograms(probe);
  if (missing.length > 0) tell({ grade: 'problem', reason: 'slurm-missing', programs: missing });
  if (missing.includes('sbatch')) return false;
  if (facts === undefined) {
    tell({ grade: 'problem', reason: 'slurm-silent', words: probe.configWords });
    return false;
  }
  const { version, minJobAge, accounting, preemptMode } = facts;
  tell({ grade: 'ok', reason: 'slurm', partitions, ...(version === undefined ? {} : { version }) });
  const { test, accounts } = probe;
  const accepted = test?.accepted === true;
  const words = test?.words ?? '';
  tell({ grade: accepted ? 'ok' : 'problem', reason: 'submission', accepted, words, partitions, accounts });
  if (accepted) examinePartitions(config, partitions, tell);
  const forgets = !accounting && minJobAge !== undefined && minJobAge < leastJobAge;
  tell({
    grade: forgets ? 'warning' : 'ok',
    reason: 'memory',
    accounting,
    ...(minJobAge === undefined ? {} : { minJobAge }),
  });
  const mode = preemptMode ?? 'OFF';
  const retries = config.retry.infrastructure;
  // GANG alone only takes turns.
  const ends = !/^(?:OFF|GANG|SUSPEND)(?:,(?:OFF|GANG|SUSPEND))*$/.test(mode);
  tell({ grade: ends && retries === 0 ? 'warning' : 'ok', reason: 'preemption', mode, retries });
  return accepted;
}

/** What sbatch takes and the controller never starts. */
function examinePartitions({ cluster, ...config }: Config, partitions: readonly Partition[], tell: Tell): void {
  const wanted = cluster?.slurm.partition;
  const names = typeof wanted === 'string' ? wanted.split(',') : undefined;
  const asked = partitions.filter(({ name, isDefault }) => names?.includes(name) ?? isDefault);
  if (asked.length === 0) return;
  if (asked.every(({ up }) => !up))
    tell({ grade: 'warning', reason: 'partition-down', names: asked.map(({ name }) => name) });
  const { seconds } = jobResources(config);
  const limits = asked.flatMap(({ name, seconds: limit }) => (limit === undefined ? [] : [{ name, seconds: limit }]));
  // Slurm rounds what is asked for up to minutes.
  const fits = limits.length < asked.length || limits.some((limit) => Math.ceil(seconds / 60) * 60 <= limit.seconds);
  if (!fits) tell({ grade: 'problem', reason: 'time-limit', seconds, limits });
}

function missingPrograms({ programs, facts }: SlurmProbe): readonly string[] {
  return slurmPrograms.filter(
    (program) => !programs.includes(program) && !(program === 'sacct' && facts?.accounting === false),
  );
}
