import type { Config, Resources } from '../config/types.ts';
import type { SbatchOption } from './view.ts';

/** One job for all steps: the most of each that a step asks for, and the sum of their times where each has its own. */
export function jobResources(config: Config): Resources {
  const each = config.steps.map((step) => step.resources ?? config.resources);
  const most = (pick: (resources: Resources) => number | undefined) => {
    const known = each.map(pick).filter((value) => value !== undefined);
    return known.length === 0 ? undefined : Math.max(...known);
  };
  const own = config.steps.filter((step) => step.resources !== undefined);
  const seconds = own.length === 0 ? config.resources.seconds : each.reduce((sum, { seconds }) => sum + seconds, 0);
  const mem = most((resources) => resources.mem);
  const cpus = most((resources) => resources.cpus);
  const gpus = most((resources) => resources.gpus);
  const early = most((resources) => resources.signal?.seconds);
  return {
    seconds,
    ...(mem === undefined ? {} : { mem }),
    ...(cpus === undefined ? {} : { cpus }),
    ...(gpus === undefined ? {} : { gpus }),
    // Each step is sent its own; the script itself is told by USR1.
    ...(early === undefined ? {} : { signal: { name: 'USR1', seconds: early } }),
  };
}

const two = (value: number) => String(value).padStart(2, '0');
/** `D-HH:MM:SS`; Slurm rounds up to minutes. */
const slurmTime = (seconds: number) =>
  `${Math.floor(seconds / 86400)}-${two(Math.floor(seconds / 3600) % 24)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;

/** Ours first, each only if the config's `slurm:` does not say the same thing in its own way. */
export function sbatchOptions(config: Config, resources: Resources, name: string): SbatchOption[] {
  const own = config.cluster?.slurm ?? {};
  const said = (...options: string[]) => options.some((option) => option in own);
  const options: SbatchOption[] = [];
  const add = (option: string, value: string | number | true, ...others: string[]) => {
    if (!said(option, ...others)) options.push({ option, value });
  };
  add('job-name', name);
  add('time', slurmTime(Math.ceil(resources.seconds)));
  if (resources.mem !== undefined) add('mem', `${Math.ceil(resources.mem / 1024)}K`, 'mem-per-cpu', 'mem-per-gpu');
  if (resources.cpus !== undefined) add('cpus-per-task', resources.cpus);
  if (resources.gpus !== undefined && resources.gpus > 0) {
    add('gres', `gpu:${resources.gpus}`, 'gpus', 'gpus-per-node', 'gpus-per-task');
  }
  if (resources.signal !== undefined) add('signal', `B:${resources.signal.name}@${resources.signal.seconds}`);
  // A requeued job would find the remains of its first start; a preempted one is submitted again as a new attempt.
  add('no-requeue', true, 'requeue');
  for (const [option, value] of Object.entries(own)) options.push({ option, value });
  return options;
}
