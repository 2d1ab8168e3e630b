import type { BuildJob, Config, Resources } from '../config/types.ts';
import { jobResources, sbatchOptions } from './resources.ts';
import type { SbatchOption } from './view.ts';

/**
 * The job of its own that builds the environment before the run's begins, where the config asks for one. On this machine there is
 * one kind of job, and that builds what it lacks.
 */
export const buildJobOf = ({ cluster, environment }: Config): BuildJob | undefined =>
  cluster !== undefined && 'buildOn' in environment && typeof environment.buildOn === 'object'
    ? environment.buildOn
    : undefined;

/** Whether a run's job finds its environment built, or is an error. */
export const isBuiltBefore = (config: Config): boolean =>
  buildJobOf(config) !== undefined || ('buildOn' in config.environment && config.environment.buildOn === 'login');

/** What a job that builds and does nothing else asks for: its own resources, or the run's; never the GPUs. */
export function buildRequest(config: Config): { readonly config: Config; readonly resources: Resources } {
  const own = buildJobOf(config);
  const { seconds, mem, cpus } = own ?? jobResources(config);
  const resources = { seconds, ...(mem === undefined ? {} : { mem }), ...(cpus === undefined ? {} : { cpus }) };
  const { cluster } = config;
  if (cluster === undefined) return { config, resources };
  const slurm = Object.entries({ ...cluster.slurm, ...own?.slurm }).filter(
    ([option, value]) => !asksForGpus(option, value),
  );
  return { config: { ...config, cluster: { ...cluster, slurm: Object.fromEntries(slurm) } }, resources };
}

const asksForGpus = (option: string, value: string | true): boolean =>
  option.includes('gpu') || (/^(?:gres|tres)/.test(option) && String(value).includes('gpu'));

export function buildOptions(config: Config, name: string): SbatchOption[] {
  const request = buildRequest(config);
  return sbatchOptions(request.config, request.resources, name);
}
