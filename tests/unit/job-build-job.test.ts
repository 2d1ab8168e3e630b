import { expect, test } from '@jest/globals';
import type { Cluster, Config, Environment } from '../../lib/config/types.ts';
import { buildJobOf, buildOptions, isBuiltBefore } from '../../lib/job/build-job.ts';
import { baseConfig, runStep } from '../rig/job.ts';

const cluster = (slurm: Cluster['slurm']): Cluster => ({
  host: 'cluster',
  workdir: '/scratch/mlops',
  modules: [],
  slurm,
  transport: 'auto',
  requireMaster: false,
});
const own: Environment = {
  kind: 'conda',
  file: 'environment.yml',
  buildOn: { seconds: 1800, mem: 8 * 1024 ** 3, slurm: { partition: 'cpu' } },
};
const config: Config = {
  ...baseConfig,
  steps: [runStep('true')],
  resources: { seconds: 7200, mem: 64 * 1024 ** 3, cpus: 16, gpus: 4, signal: { name: 'USR1', seconds: 60 } },
  cluster: cluster({
    partition: 'gpu',
    account: 'proj',
    gres: 'gpu:a100:4',
    'gpus-per-task': '1',
    'tres-bind': 'gres/gpu:closest',
  }),
  environment: own,
};
const optionsOf = (of: Config) => buildOptions(of, 'b').map(({ option, value }) => `${option}=${value}`);

test('a job that builds asks for its own resources and options, and never for the GPUs of the run', () => {
  expect(optionsOf(config)).toEqual([
    'job-name=b',
    'time=0-00:30:00',
    'mem=8388608K',
    'no-requeue=true',
    'partition=cpu',
    'account=proj',
  ]);
});

test('without any of its own it has the resources of the run, but for the GPUs', () => {
  expect(optionsOf({ ...config, environment: { ...own, buildOn: 'job' } })).toEqual([
    'job-name=b',
    'time=0-02:00:00',
    'mem=67108864K',
    'cpus-per-task=16',
    'no-requeue=true',
    'partition=gpu',
    'account=proj',
  ]);
});

test('on this machine there is no job of its own: the run’s builds what it lacks', () => {
  const { cluster: _cluster, ...here } = config;
  expect([buildJobOf(here), isBuiltBefore(here)]).toEqual([undefined, false]);
  expect([buildJobOf(config), isBuiltBefore(config)]).toEqual([own.buildOn, true]);
});
