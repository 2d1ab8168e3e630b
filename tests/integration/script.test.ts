import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { script } from '../../lib/commands/script.ts';
import type { GateContext } from '../../lib/gate/context.ts';
import { identify } from '../../lib/gate/identify.ts';
import { resolveCommit } from '../../lib/git/history.ts';
import type { Repository } from '../../lib/git/repository.ts';
import { notebook, opened } from '../rig/fingerprint.ts';
import { type TestRepository, temporaryRepository } from '../rig/repository.ts';

const config = `version: 1
cluster: { host: login.example.org, workdir: /scratch/$USER/mlops, slurm: { partition: "gpu's own" } }
resources: { time: "01:30:00", mem: 2G }
environment: none
secrets: [WANDB_API_KEY]
steps:
  - notebook: train.ipynb
    metrics: { score: score }
  - run: echo "it's done"
`;

async function project(repository: TestRepository): Promise<Repository> {
  await repository.write('.mlops/config.yaml', config);
  await repository.write('train.ipynb', notebook([{ code: 'score = 1' }]));
  await repository.commit();
  return opened(repository);
}

const context = (repo: Repository, env: NodeJS.ProcessEnv = {}): GateContext => ({
  repo,
  env,
  placeFor: () => {
    throw new Error('a place was asked for');
  },
  templates: join(import.meta.dirname, '../../templates'),
  now: () => new Date(),
  emit: () => {},
  signal: new AbortController().signal,
  tool: 'mlops-hpc test',
});

async function scriptOf(context: GateContext, revision = 'HEAD') {
  const commit = await resolveCommit(context.repo, revision);
  if (!commit.ok) throw new Error(JSON.stringify(commit.error));
  const identified = await identify(context, commit.value);
  return identified.ok ? script(context, identified.value) : identified;
}

test('mlops script gives what would be submitted, without a host and without a secret', async () => {
  await using repository = await temporaryRepository({ name: "it's a näme" });
  const repo = await project(repository);
  const without = await scriptOf(context(repo));
  if (!without.ok) throw new Error(JSON.stringify(without.error));
  expect(without.value.script).toMatch(/^#!\/bin\/sh/);
  expect(without.value.script).toContain('#SBATCH --time=0-01:30:00');
  expect(without.value).toMatchObject({
    inputs: ['notebook.py', 'secrets', 'step-1.ipynb', 'step-1.json'],
    unsetSecrets: ['WANDB_API_KEY'],
  });
  expect(spawnSync('sh', ['-n'], { input: without.value.script }).status).toBe(0);
  const within = await scriptOf(context(repo, { WANDB_API_KEY: 'hush-hush' }));
  if (!within.ok) throw new Error(JSON.stringify(within.error));
  expect(within.value).toEqual({ ...without.value, unsetSecrets: [] });
  expect(JSON.stringify(within.value)).not.toContain('hush-hush');
});

test('mlops script gives that of an older commit, not of the worktree', async () => {
  await using repository = await temporaryRepository();
  const repo = await project(repository);
  await repository.write('.mlops/config.yaml', config.replace('01:30:00', '00:10:00'));
  await repository.commit('Shorter');
  await repository.write('.mlops/config.yaml', 'nonsense');
  const [now, before] = [await scriptOf(context(repo)), await scriptOf(context(repo), 'HEAD~1')];
  expect(now.ok && now.value.script).toContain('#SBATCH --time=0-00:10:00');
  expect(before.ok && before.value.script).toContain('#SBATCH --time=0-01:30:00');
});

test('mlops script names what keeps a job from being made', async () => {
  await using repository = await temporaryRepository();
  const repo = await project(repository);
  await repository.remove('train.ipynb');
  await repository.commit('Without the notebook');
  expect(await scriptOf(context(repo))).toMatchObject({
    ok: false,
    error: { reason: 'plan', errors: [{ reason: 'notebook-missing', notebook: 'train.ipynb' }] },
  });
});
