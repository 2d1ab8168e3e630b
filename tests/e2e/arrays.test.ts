import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type FaultProject, type FaultProjectOptions, faultProject, killClient } from '../rig/fault-project.ts';
import { describeWith, program } from '../rig/requirements.ts';
import { type SlurmCluster, slurmCluster, slurmNeeds } from '../rig/slurm.ts';
import { until } from '../rig/until.ts';

describeWith([...slurmNeeds, 'sshd', program('python3', 'python3-venv')], 'a run with seeds is an array', () => {
  let slurm: SlurmCluster;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mlops-arrays-'));
    await chmod(folder, 0o755);
    slurm = await slurmCluster({ conf: ['SlurmdTimeout=5'] });
  });
  afterAll(async () => {
    await slurm?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });

  interface ArrayProject extends FaultProject {
    /** A task with this seed waits in the middle until it may go on. */
    holdSeed(seed: number): Promise<void>;
    releaseSeed(seed: number): Promise<void>;
  }
  /** Its one step says what its seed is; each task leaves its seed in the tally. */
  const seeded = async (keys: string, options: FaultProjectOptions = {}): Promise<ArrayProject> => {
    const project = await faultProject(slurm, folder, options);
    const tally = join(project.repository.root, 'tally');
    const config = await project.repository.read('.mlops/config.yaml');
    const step = `  - run: sh train.sh\n    seeds: { parameter: seed, values: [1, 2, 3, 4] }\n${keys}    metrics: { file: $MLOPS_OUT/metrics.json }\n`;
    await project.repository.write(
      '.mlops/config.yaml',
      config.replace(/ {2}- notebook:[\s\S]*(?=require:)/, step).replace(/environment:.*/, 'environment: none'),
    );
    await project.repository.write(
      'train.sh',
      [
        `echo "$seed" >>'${tally}'`,
        'echo "trains with $seed"',
        `while [ -e '${tally}.hold-'"$seed" ]; do sleep 0.1; done`,
        'cat data/*.txt >"$MLOPS_OUT/all.txt" && echo "{\\"score\\": 0.9$seed}" >"$MLOPS_OUT/metrics.json"',
        '',
      ].join('\n'),
    );
    await project.commit('Train with four seeds');
    return {
      ...project,
      holdSeed: (seed) => writeFile(`${tally}.hold-${seed}`, ''),
      releaseSeed: (seed) => rm(`${tally}.hold-${seed}`, { force: true }),
    };
  };
  const attempts = async ({ workdir }: FaultProject) => {
    const [run = ''] = await readdir(join(workdir, 'runs'));
    return (await readdir(join(workdir, 'runs', run))).filter((name) => /^\d+$/.test(name)).sort();
  };

  const pass = { code: 0, stderr: expect.stringMatching(/PASS[\s\S]*score\s+0\.925 ± /) };

  test('each seed is a job of its own, so many at a time, and the verdict looks at all of them', async () => {
    await using project = await seeded('    throttle: 2\n');
    await project.holdSeed(2);
    const push = project.push();
    await until(() => /3 of 4 tasks ended, 1 running/.test(push.output()));
    await until(() => /so far +score 0\.9/.test(push.output()));
    const status = await project.mlops(['status']);
    expect(status.stdout).toMatch(/3 of 4 tasks ended, 1 running/);
    expect((await project.mlops(['logs', '--task', '3'])).stdout).toMatch(/^trains with 3$/m);
    const all = (await project.mlops(['logs'])).stdout;
    expect(all).toMatch(/the log of task 1:[\s\S]*trains with 1[\s\S]*the log of task 2:[\s\S]*trains with 2/);
    const followed = project.start('mlops', ['logs', '-f', '--task', '2']);
    expect(await project.mlops(['logs', '-f'])).toMatchObject({ code: 1, stderr: expect.stringMatching(/--task 1/) });
    await until(() => followed.output().includes('trains with 2'));
    await project.releaseSeed(2);
    expect(await push.done).toMatchObject(pass);
    expect(await followed.done).toMatchObject({ code: 0, stderr: expect.stringMatching(/ended · COMPLETED/) });
    expect(await project.jobs()).toEqual(Array(4).fill('COMPLETED'));
    expect(await project.trainings()).toBe(4);
  });

  test('one that is lost with its node is run again alone, and the results of the others stand', async () => {
    await using project = await seeded('');
    await project.holdSeed(3);
    const push = project.push();
    await until(() => /3 of 4 tasks ended, 1 running/.test(push.output()));
    const { stdout } = await slurm.run('squeue', '-h', '-t', 'R', '-o', '%N %Z');
    const node =
      stdout
        .split('\n')
        .find((line) => line.includes(project.workdir))
        ?.split(' ')[0] ?? '';
    await slurm.run('scontrol', 'update', `nodename=${node}`, 'state=down', 'reason=test');
    await until(() => /attempt 2 of 2/.test(push.output()), 90);
    await slurm.run('scontrol', 'update', `nodename=${node}`, 'state=resume');
    await project.releaseSeed(3);
    expect(await push.done).toMatchObject(pass);
    expect([...(await project.jobs())].sort()).toEqual([...Array(4).fill('COMPLETED'), 'NODE_FAIL']);
    expect(await project.trainings()).toBe(5);
    expect(await attempts(project)).toEqual(['1', '2']);
  });

  test('cancelled, all of it ends, and the next push runs what had not ended', async () => {
    await using project = await seeded('    throttle: 1\n');
    await project.holdSeed(2);
    const push = project.push();
    await until(() => /1 of 4 tasks ended, 1 running/.test(push.output()));
    expect(await project.mlops(['cancel'])).toMatchObject({ code: 0, stderr: expect.stringMatching(/CANCELLED/) });
    expect(new Set(await project.jobs())).toEqual(new Set(['COMPLETED', 'CANCELLED']));
    await killClient(push);
    await project.releaseSeed(2);
    expect(await project.push().done).toMatchObject(pass);
    expect(await project.trainings()).toBe(2 + 3);
  });

  test('its client is killed: the next push attaches, whenever that was, and no second array is submitted', async () => {
    await using project = await seeded('');
    const sbatch = await project.pause('sbatch', { after: true });
    const first = project.push();
    await sbatch.reached();
    await killClient(first);
    await project.holdSeed(4);
    const second = project.push();
    await until(() => /3 of 4 tasks ended/.test(second.output()));
    await sbatch.go();
    await killClient(second);
    const third = project.push();
    await until(() => /found: it is there already/.test(third.output()));
    await project.releaseSeed(4);
    expect(await third.done).toMatchObject(pass);
    expect(await project.jobs()).toEqual(Array(4).fill('COMPLETED'));
    expect(await project.trainings()).toBe(4);
  });

  test('an environment is built once for all of them by a job of its own, and where it cannot be, none begins', async () => {
    await using project = await seeded('');
    const { repository } = project;
    const built = 'environment: { venv: requirements.txt, python: "3.99", build_on: { time: "00:03:00", mem: 300M } }';
    const config = (await repository.read('.mlops/config.yaml')).replace('environment: none', built);
    await repository.write('.mlops/config.yaml', config);
    await repository.write('requirements.txt', '# nothing\n');
    await project.commit('A Python that is nowhere');
    expect(await project.push().done).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/ERROR[\s\S]*no Python 3\.99/),
    });
    expect(await project.trainings()).toBe(0);
    await repository.write('.mlops/config.yaml', config.replace(' python: "3.99",', ''));
    await project.commit('Whatever Python there is');
    expect(await project.push().done).toMatchObject(pass);
    expect(await project.trainings()).toBe(4);
  });
});
