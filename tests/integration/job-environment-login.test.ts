import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { renderBuild } from '../../lib/job/render.ts';
import { readTemplates } from '../../lib/job/templates.ts';
import type { JobPlan } from '../../lib/job/types.ts';
import { exists, venv, venvScene } from '../rig/environment.ts';
import { collect, ended, runStep, type Scene, templatesFolder, Workdir } from '../rig/job.ts';

const exec = promisify(execFile);
let workdir: Workdir;
beforeAll(async () => {
  workdir = await Workdir.make();
});
afterAll(async () => workdir[Symbol.asyncDispose]());

/** What the gate does in an attempt's filled folder before it is submitted. */
async function build(folder: string, plan: JobPlan): Promise<{ code: number; words: string }> {
  const script = await renderBuild(plan.view, await readTemplates(templatesFolder));
  if (!script.ok) throw new Error(script.error.detail);
  return exec('sh', ['-c', script.value], { cwd: folder, env: { ...process.env, HOME: workdir.home } }).then(
    ({ stdout }) => ({ code: 0, words: stdout }),
    ({ code, stdout }) => ({ code, words: stdout }),
  );
}
const scene = (requirements: string, more: Partial<Scene['config']> = {}): Scene =>
  venvScene(requirements, '', {
    secrets: { TOKEN: 'hidden' },
    config: {
      environment: { ...venv, buildOn: 'login' } as typeof venv,
      secrets: ['TOKEN'],
      steps: [runStep('python -c "import six" && [ "$TOKEN" = hidden ]')],
      ...more,
    },
  });

describe('an environment that is built on the login node', () => {
  test('is there when the job starts, which finds its secrets and its folder as they were sent', async () => {
    const one = scene('six\n');
    const { folder, plan } = await workdir.prepare(one);
    const before = (await readdir(folder)).sort();
    const { code, words } = await build(folder, plan);
    expect([code, words]).toEqual([0, expect.stringMatching(/mlops: environment built in \d+ s/)]);
    expect((await readdir(folder)).sort()).toEqual(['build', ...before].sort());
    expect((await readdir(join(folder, 'build/result'))).sort()).toEqual(['lock.txt', 'packages.txt']);
    const { result, log } = await collect(folder, plan, await ended(await workdir.start(folder, one)));
    expect(result.steps).toMatchObject([{ outcome: 'passed' }]);
    expect(log).not.toContain('environment built');
  }, 60_000);

  test('costs a moment when it is there already', async () => {
    const { folder, plan } = await workdir.prepare(scene('six\n'));
    const { code, words } = await build(folder, plan);
    expect([code, words]).toEqual([0, '']);
  });

  test('is not built by the job, which has no internet: deleted under a queued job, it is an error that says what to do', async () => {
    const one = scene('six\n# deleted\n');
    const { folder, plan } = await workdir.prepare(one);
    await build(folder, plan);
    await rm(join(workdir.folder, 'envs', plan.environmentKey ?? ''), { recursive: true });
    const { result } = await collect(folder, plan, await ended(await workdir.start(folder, one)));
    expect(result.preparation).toMatchObject({
      side: 'infrastructure',
      reason: 'environment',
      detail: expect.stringMatching(/^the environment .* is not there .* push again, and it is built anew\.$/),
    });
  }, 60_000);

  test('or by a job of its own: the run’s gives its reason and its words, or says that there are none', async () => {
    const one = scene('six\n# never built\n');
    const run = async (files: Readonly<Record<string, string>>) => {
      const { folder, plan } = await workdir.prepare(one);
      await mkdir(join(folder, 'build/result'), { recursive: true });
      for (const [path, text] of Object.entries({ 'build.sh': '', ...files }))
        await writeFile(join(folder, path), text);
      return (await collect(folder, plan, await ended(await workdir.start(folder, one)))).result.preparation;
    };
    expect(await run({ 'build/result/preparation': 'missing-module\nmodule load nowhere\n' })).toEqual({
      side: 'infrastructure',
      reason: 'missing-module',
      detail: 'module load nowhere',
    });
    expect(await run({ 'build.log': 'slurmstepd: error: CANCELLED DUE TO TIME LIMIT\n' })).toMatchObject({
      reason: 'environment',
      detail: expect.stringMatching(/^the job that was to build .* neither it nor a word.*DUE TO TIME LIMIT$/s),
    });
  });

  test('that cannot be built ends with status 3 and the words of the installer, where a job would have put them', async () => {
    const { folder, plan } = await workdir.prepare(scene('no-such-package-of-mlops-hpc==0.0.1\n'));
    expect(await build(folder, plan)).toMatchObject({ code: 3 });
    expect(await readFile(join(folder, 'build/result/preparation'), 'utf8')).toMatch(
      /^environment\n.*no-such-package-of-mlops-hpc/s,
    );
    expect(await exists(join(folder, 'result'))).toBe(false);
  }, 60_000);
});
