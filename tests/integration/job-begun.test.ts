import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { collect, ended, runStep, Workdir } from '../rig/job.ts';

const scene = { config: { steps: [runStep('echo ran >>"$MLOPS_KEEP/ran"')] } };
const ran = (folder: string) => readFile(join(folder, '../keep/ran'), 'utf8').catch(() => '');

/** An attempt in which something has begun already. */
async function begun(work: Workdir, text: string) {
  const prepared = await work.prepare(scene);
  await mkdir(join(prepared.folder, 'state'));
  await writeFile(join(prepared.folder, 'state/begun'), text);
  return prepared;
}

test('a job that turns up after its attempt was given up does nothing', async () => {
  await using work = await Workdir.make();
  const { folder } = await begun(work, 'abandoned at=1700000000\n');
  const code = await ended(await work.start(folder, { ...scene, env: { SLURM_JOB_ID: '7' } }));
  expect(code).toBe(92);
  expect(await readFile(join(folder, 'log'), 'utf8')).toBe(
    'mlops: job 7 does nothing: this attempt has abandoned at=1700000000\n',
  );
  expect(await ran(folder)).toBe('');
  expect(await readdir(join(folder, 'state'))).toEqual(['begun']);
});

test('of two jobs of one attempt one runs, and the other touches nothing', async () => {
  await using work = await Workdir.make();
  const { folder, plan } = await work.prepare(scene);
  const jobs = await Promise.all(
    ['7', '8'].map((id) => work.start(folder, { ...scene, env: { SLURM_JOB_ID: id } }).then(ended)),
  );
  expect(jobs.sort()).toEqual([0, 92]);
  expect(await ran(folder)).toBe('ran\n');
  const { result } = await collect(folder, plan, 0);
  expect(result).toMatchObject({ finished: true, steps: [{ outcome: 'passed' }] });
});

test('a job that the site starts again is an error and runs nothing twice', async () => {
  await using work = await Workdir.make();
  const { folder, plan } = await begun(work, 'job=7 restart=0 at=1700000000\n');
  const env = { SLURM_JOB_ID: '7', SLURM_RESTART_COUNT: '1' };
  const code = await ended(await work.start(folder, { ...scene, env }));
  expect(code).toBe(93);
  expect(await ran(folder)).toBe('');
  const { result } = await collect(folder, plan, code);
  expect(result).toMatchObject({
    finished: true,
    preparation: {
      side: 'infrastructure',
      reason: 'preempted',
      detail: expect.stringContaining('started job 7 again'),
    },
    steps: [{ outcome: 'not-run' }],
  });
});
