import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { faultProject, killClient } from '../rig/fault-project.ts';
import { describeWith, program } from '../rig/requirements.ts';
import { type SlurmCluster, slurmCluster, slurmNeeds } from '../rig/slurm.ts';
import { until } from '../rig/until.ts';

// Slow by nature: slurmctld looks for what to forget every half minute, and a job that nobody knows has two minutes to turn up again.
describeWith(
  [...slurmNeeds, 'sshd', program('python3', 'python3-venv')],
  'a run where Slurm has no accounting and forgets what ended five seconds ago',
  () => {
    let slurm: SlurmCluster;
    let folder: string;
    let both: { readonly asleep: Promise<void>; readonly killed: Promise<void> };
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'mlops-faults-'));
      await chmod(folder, 0o755);
      slurm = await slurmCluster({ accounting: false, minJobAge: 5 });
      // Each is mostly waiting: at the same time.
      both = { asleep: asleep(), killed: killed() };
      await Promise.allSettled(Object.values(both));
    });
    afterAll(async () => {
      await slurm?.[Symbol.asyncDispose]();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    });
    const forgotten = (job: string) =>
      until(async () => {
        const { stdout } = await slurm.run('squeue', '--noheader', '--states=all', '--format=%A');
        return !stdout.split('\n').includes(job);
      }, 100);

    const asleep = async () => {
      await using project = await faultProject(slurm, folder);
      await project.hold();
      const push = project.push();
      await project.training(1);
      const group = push.child.pid;
      if (group === undefined) throw new Error('git did not start');
      process.kill(-group, 'SIGSTOP');
      await project.release();
      await forgotten(await project.job());
      process.kill(-group, 'SIGCONT');
      expect(await push.done).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });
      expect(await project.trainings()).toBe(1);
    };
    test('the client sleeps until the job has ended and is forgotten: its last word is enough for a verdict', () =>
      both.asleep);

    const killed = async () => {
      await using project = await faultProject(slurm, folder);
      await project.hold();
      const push = project.push();
      await project.training(1);
      const job = await project.job();
      await killClient(push);
      await slurm.run('scancel', '--signal=KILL', '--batch', job);
      await forgotten(job);
      await project.release();
      expect(await project.push().done).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });
      expect(await project.trainings()).toBe(2);
    };
    test('the job was killed without a last word and is forgotten: the next push trains again, by one new job', () =>
      both.killed);
  },
);
