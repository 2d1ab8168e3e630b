import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type FaultProject, type FaultProjectOptions, faultProject } from '../rig/fault-project.ts';
import { describeWith, program } from '../rig/requirements.ts';
import { type SlurmCluster, slurmCluster, slurmNeeds } from '../rig/slurm.ts';
import { until } from '../rig/until.ts';

const pass = { code: 0, stderr: expect.stringMatching(/PASS/) };
const error = (words: string) => ({
  code: 1,
  stderr: expect.stringMatching(new RegExp(`ERROR  nothing is known about the model[\\s\\S]*${words}`)),
});

describeWith(
  [...slurmNeeds, 'sshd', program('python3', 'python3-venv')],
  'a run, whatever Slurm does to its job',
  () => {
    let slurm: SlurmCluster;
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'mlops-faults-'));
      await chmod(folder, 0o755);
      slurm = await slurmCluster({
        conf: [
          'SlurmdTimeout=5',
          'PreemptType=preempt/partition_prio',
          'PreemptMode=REQUEUE',
          'PartitionName=low Nodes=c1 PriorityTier=1 PreemptMode=REQUEUE State=UP',
          'PartitionName=ended Nodes=c1 PriorityTier=1 PreemptMode=CANCEL State=UP',
          'PartitionName=urgent Nodes=c1 PriorityTier=100 PreemptMode=OFF State=UP',
        ],
      });
    });
    afterAll(async () => {
      await slurm?.[Symbol.asyncDispose]();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    });
    const onCluster = (options: FaultProjectOptions = {}) => faultProject(slurm, folder, options);
    const slurmDoes = async (file: string, ...args: string[]) => {
      const done = await slurm.run(file, ...args);
      if (done.code !== 0) throw new Error(`${file} ${args.join(' ')}: ${done.stderr}`);
      return done.stdout;
    };
    const nodes = async (state: 'down' | 'drain' | 'resume') => {
      for (const node of ['c1', 'c2']) {
        const done = await slurm.run('scontrol', 'update', `nodename=${node}`, `state=${state}`, 'reason=test');
        // One whose slurmd has reported meanwhile is back already (ReturnToService=2).
        if (done.code !== 0 && state !== 'resume') throw new Error(done.stderr);
      }
    };
    /** A push whose training has begun and waits. */
    const whileItTrains = async (project: FaultProject) => {
      await project.hold();
      const push = project.push();
      await project.training(1);
      return push;
    };

    test('cancelled in the queue it is an error, and the next push trains', async () => {
      await using project = await onCluster();
      await project.commands.put('sbatch', 'exec "$real" --hold "$@"');
      const push = project.push();
      await until(() => push.output().includes('queued'));
      await slurmDoes('scancel', await project.job());
      expect(await push.done).toMatchObject(error('cancelled'));
      await project.commands.clear();
      expect(await project.push().done).toMatchObject(pass);
      expect(await project.jobs()).toEqual(['CANCELLED', 'COMPLETED']);
      expect(await project.trainings()).toBe(1);
    });

    test('held and released it is waited for', async () => {
      await using project = await onCluster();
      await project.commands.put('sbatch', 'exec "$real" --hold "$@"');
      const push = project.push();
      await until(() => /queued.*held/.test(push.output()));
      await slurmDoes('scontrol', 'release', await project.job());
      expect(await push.done).toMatchObject(pass);
      expect(await project.jobs()).toEqual(['COMPLETED']);
    });

    test('cancelled while it runs it is an error, and the next push trains', async () => {
      await using project = await onCluster();
      const push = await whileItTrains(project);
      await slurmDoes('scancel', await project.job());
      expect(await push.done).toMatchObject(error('cancelled'));
      await project.release();
      expect(await project.push().done).toMatchObject(pass);
      expect(await project.jobs()).toEqual(['CANCELLED', 'COMPLETED']);
      expect(await project.trainings()).toBe(2);
    });

    test('suspended and resumed it goes on', async () => {
      await using project = await onCluster();
      const push = await whileItTrains(project);
      await slurmDoes('scontrol', 'suspend', await project.job());
      await project.release();
      await slurmDoes('scontrol', 'resume', await project.job());
      expect(await push.done).toMatchObject(pass);
      expect(await project.trainings()).toBe(1);
    });

    test('requeued by an operator: ours are not started twice, and Slurm says so', async () => {
      await using project = await onCluster();
      const push = await whileItTrains(project);
      expect((await slurm.run('scontrol', 'requeue', await project.job())).code).not.toBe(0);
      await project.release();
      expect(await push.done).toMatchObject(pass);
      expect(await project.jobs()).toEqual(['COMPLETED']);
    });

    test.each(['low', 'ended'])('preempted (partition %s) it is submitted once more', async (partition) => {
      await using project = await onCluster({ slurm: `partition: ${partition}` });
      const push = await whileItTrains(project);
      await slurmDoes(
        'sbatch',
        '--partition=urgent',
        '--ntasks=4',
        '--mem=100',
        '--output=/dev/null',
        '--wrap=sleep 3',
      );
      await until(async () => (await project.jobs())[0] === 'PREEMPTED');
      await project.release();
      const done = await push.done;
      expect(done).toMatchObject(pass);
      expect(done.stderr).toMatch(/preempted.*nothing is known about the model; attempt 2 of 2/);
      expect(await project.jobs()).toEqual(['PREEMPTED', 'COMPLETED']);
      expect(await project.trainings()).toBe(2);
    });

    test('its node fails: it is submitted once more', async () => {
      await using project = await onCluster();
      const push = await whileItTrains(project);
      await nodes('down');
      await until(async () => (await project.jobs())[0] === 'NODE_FAIL');
      await project.release();
      await nodes('resume');
      expect(await push.done).toMatchObject(pass);
      expect(await project.jobs()).toEqual(['NODE_FAIL', 'COMPLETED']);
    });

    test('its node fails, and `retry: { infrastructure: 0 }`: an error, and the next push trains', async () => {
      await using project = await onCluster({ config: 'retry: { infrastructure: 0 }\n' });
      const push = await whileItTrains(project);
      await nodes('down');
      await until(async () => (await project.jobs())[0] === 'NODE_FAIL');
      await project.release();
      await nodes('resume');
      expect(await push.done).toMatchObject(error('the node failed'));
      expect(await project.push().done).toMatchObject(pass);
      expect(await project.jobs()).toEqual(['NODE_FAIL', 'COMPLETED']);
    });

    test('its node is drained: it runs to its end', async () => {
      await using project = await onCluster();
      const push = await whileItTrains(project);
      await nodes('drain');
      await project.release();
      const done = await push.done;
      await nodes('resume');
      expect(done).toMatchObject(pass);
      expect(await project.jobs()).toEqual(['COMPLETED']);
    });

    test('it needs more memory than it asked for: an error that names what to change, and the same run with more of it passes', async () => {
      await using project = await onCluster();
      const { repository } = project;
      const config = await repository.read('.mlops/config.yaml');
      await repository.write('.mlops/config.yaml', config.replace('time:', 'mem: 300M, time:'));
      const notebook = JSON.parse(await repository.read('train.ipynb'));
      notebook.cells[2].source += '\nblock = b"x" * (500 << 20)\nimport time\ntime.sleep(3)';
      await repository.write('train.ipynb', JSON.stringify(notebook));
      await project.commit('Take much memory');
      expect(await project.push().done).toMatchObject(error('out of memory[\\s\\S]*fix +resources.mem: '));
      expect(await project.trainings()).toBe(0);
      await repository.write('.mlops/config.yaml', config.replace('time:', 'mem: 2G, time:'));
      await project.commit('Ask for more');
      expect(await project.push().done).toMatchObject(pass);
      expect(await project.trainings()).toBe(1);
    });

    test('its folder is removed under it: no verdict, and the next push trains', async () => {
      await using project = await onCluster();
      const push = await whileItTrains(project);
      await rm(await project.attempt(), { recursive: true, force: true });
      await project.release();
      expect(await push.done).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/folder on cluster cannot be used/),
      });
      expect(await project.push().done).toMatchObject(pass);
      expect(await project.trainings()).toBe(2);
    });

    test('its log is removed, and what was written down of its submission: the verdict stands on its results', async () => {
      await using project = await onCluster();
      const push = await whileItTrains(project);
      const attempt = await project.attempt();
      for (const name of ['log', 'state/submitted', 'state/now']) await rm(join(attempt, name));
      await project.release();
      expect(await push.done).toMatchObject(pass);
      expect(await project.jobs()).toEqual(['COMPLETED']);
    });

    test.each([
      ['cut off', 'run='],
      ['empty', ''],
      ['noise', '\0\u00ff\n'],
      ['of another run', `run=${'0'.repeat(64)} attempt=1 exit=0 at=1\n`],
    ])('its last word is damaged (%s): never a pass, and the next push trains', async (_name, text) => {
      await using project = await onCluster();
      const fetched = await project.pause('find', { when: '[ "$2" = result ]' });
      const push = project.push();
      await fetched.reached();
      await writeFile(join(await project.attempt(), 'state/end'), text);
      await fetched.go();
      expect(await push.done).toMatchObject(error(''));
      expect(await project.push().done).toMatchObject(pass);
      expect(await project.trainings()).toBe(2);
    });

    test('a last word turns up while it still runs: it is waited for all the same', async () => {
      await using project = await onCluster();
      const push = await whileItTrains(project);
      await writeFile(join(await project.attempt(), 'state/end'), `run=${'0'.repeat(64)} attempt=1 exit=0 at=1\n`);
      await until(async () => /running/.test(push.output()));
      await project.release();
      expect(await push.done).toMatchObject(pass);
      expect(await project.trainings()).toBe(1);
    });

    test('the disk is full where it runs: an error, and the next push trains', async () => {
      const workdir = join(folder, 'small');
      await mkdir(workdir);
      const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'none', workdir], { encoding: 'utf8' });
      if (mounted.status !== 0) throw new Error(mounted.stderr);
      try {
        await using project = await onCluster({ workdir });
        const push = await whileItTrains(project);
        const filled = spawnSync('dd', ['if=/dev/zero', `of=${workdir}/fill`, 'bs=64k']);
        expect(filled.status).toBe(1);
        await project.release();
        expect(await push.done).toMatchObject(error('disk'));
        expect(await project.push('main:full').done).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(/No space|full/i),
        });
        await rm(join(workdir, 'fill'));
        expect(await project.push().done).toMatchObject(pass);
      } finally {
        spawnSync('umount', ['-l', workdir]);
      }
    });

    test('slurmctld is down for a while: it is said, the job goes on, and its verdict comes', async () => {
      await using project = await onCluster();
      const push = await whileItTrains(project);
      await slurm.stop('slurmctld');
      await project.release();
      await until(() => /silent/.test(push.output()));
      await slurm.start('slurmctld');
      const done = await push.done;
      expect(done).toMatchObject(pass);
      expect(done.stderr).toMatch(/the scheduler does not answer, and is asked again; the job goes on/);
      expect(await project.jobs()).toEqual(['COMPLETED']);
      expect(await project.trainings()).toBe(1);
    });

    test('slurmctld is down when it is to be submitted: nothing is, and the next push submits it once', async () => {
      await using project = await onCluster();
      await slurm.stop('slurmctld');
      const done = await project.push().done;
      await slurm.start('slurmctld');
      expect(done).toMatchObject({ code: 1, stderr: expect.stringMatching(/Slurm on cluster does not answer/) });
      expect(await project.push().done).toMatchObject(pass);
      expect(await project.jobs()).toEqual(['COMPLETED']);
    });

    test('slurmdbd is down when it ends: its verdict comes all the same', async () => {
      await using project = await onCluster();
      const push = await whileItTrains(project);
      await slurm.stop('slurmdbd');
      await project.release();
      const done = await push.done;
      await slurm.start('slurmdbd');
      expect(done).toMatchObject(pass);
      expect(await project.jobs()).toEqual(['COMPLETED']);
    });

    test('slurmd is gone for a while: the job goes on by itself, and its verdict comes', async () => {
      await using project = await onCluster({ slurm: 'nodelist: c1' });
      const push = await whileItTrains(project);
      await slurm.stop('c1');
      await project.release();
      await slurm.start('c1');
      expect(await push.done).toMatchObject(pass);
      expect(await project.trainings()).toBe(1);
    });
  },
);
