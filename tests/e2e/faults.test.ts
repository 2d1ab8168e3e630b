import { existsSync } from 'node:fs';
import { appendFile, chmod, cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type FaultProject, type FaultProjectOptions, faultProject, killClient } from '../rig/fault-project.ts';
import { describeWith, program } from '../rig/requirements.ts';
import { type SlurmCluster, slurmCluster, slurmNeeds } from '../rig/slurm.ts';
import { startSshd } from '../rig/sshd.ts';
import { until } from '../rig/until.ts';

/** A line in the job's log a second and more often, as a training prints them. */
async function talkUntil(moment: Promise<unknown>, log: string): Promise<void> {
  let come = false;
  const coming = moment.finally(() => {
    come = true;
  });
  while (!come) {
    await appendFile(log, 'one more epoch\n');
    await sleep(300);
  }
  await coming;
}

const letGo = /you stopped waiting, and the job goes on[\s\S]*mlops attach/;

describeWith(
  [...slurmNeeds, 'sshd', program('python3', 'python3-venv'), program('faketime', 'faketime')],
  'a run, whatever happens to it',
  () => {
    let slurm: SlurmCluster;
    let folder: string;
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'mlops-faults-'));
      await chmod(folder, 0o755);
      slurm = await slurmCluster();
    });
    afterAll(async () => {
      await slurm?.[Symbol.asyncDispose]();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    });
    const onCluster = (options: FaultProjectOptions = {}) => faultProject(slurm, folder, options);

    /** A clone that has the commit and the data, by a branch that nobody judges. */
    const colleague = async (project: FaultProject) => {
      await project.git(['push', 'origin', 'main:theirs']);
      const clone = await project.repository.clone(project.remote);
      await clone.git('switch', '--quiet', '--create', 'main', 'origin/theirs');
      await cp(join(project.repository.dir, 'data'), join(clone.dir, 'data'), { recursive: true });
      await project.mlops(['trust'], { cwd: clone.dir });
      return clone;
    };

    interface Point {
      /** Resolves when the client is there; gives what lets the rest go on. */
      readonly arm: (project: FaultProject) => Promise<{ reached(): Promise<unknown>; go(): Promise<unknown> }>;
    }
    const points: Readonly<Record<string, Point>> = {
      'before anything is sent': { arm: (project) => project.pause('cut') },
      'while files are sent': { arm: (project) => project.pause('tar', { when: '[ "$1" = xmof ]' }) },
      'after all is sent': { arm: (project) => project.pause('tar', { when: '[ "$1" = -xmf ]' }) },
      'while sbatch has not submitted yet': { arm: (project) => project.pause('sbatch') },
      'while sbatch has submitted and not said so': { arm: (project) => project.pause('sbatch', { after: true }) },
      'while the job waits in the queue': {
        async arm(project) {
          await project.commands.put('sbatch', 'exec "$real" --hold "$@"');
          return {
            reached: () => project.job(),
            go: async () => slurm.run('scontrol', 'release', await project.job()),
          };
        },
      },
      'while the job runs': {
        async arm(project) {
          await project.hold();
          return { reached: () => project.training(1), go: () => project.release() };
        },
      },
      'while results are fetched': { arm: (project) => project.pause('find', { when: '[ "$2" = result ]' }) },
      'while the verdict is written': {
        async arm({ repository }) {
          const at = await mkdtemp(join(folder, 'hook-'));
          const hook = join(repository.dir, '.git/hooks/reference-transaction');
          await mkdir(join(repository.dir, '.git/hooks'), { recursive: true });
          await writeFile(
            hook,
            `#!/bin/sh\n[ "$1" = prepared ] && grep -q refs/heads/mlops || exit 0\n: >${at}/reached\nwhile [ ! -e ${at}/go ]; do sleep 0.05; done\n`,
          );
          await chmod(hook, 0o755);
          return {
            reached: () => until(() => existsSync(join(at, 'reached'))),
            async go() {
              await writeFile(join(at, 'go'), '');
              await rm(hook);
            },
          };
        },
      },
    };

    test.each(Object.keys(points))(
      'the client is killed %s: the next push brings the verdict of one job',
      async (name) => {
        await using project = await onCluster();
        const point = await points[name]?.arm(project);
        const first = project.push();
        await point?.reached();
        await killClient(first);
        const second = project.push();
        await point?.go();
        expect(await second.done).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });
        expect(await project.jobs()).toEqual(['COMPLETED']);
        expect(await project.trainings()).toBe(1);
        expect(await project.git(['push', 'origin', 'main:again'])).toMatchObject({ code: 0 });
        expect(await project.trainings()).toBe(1);
      },
    );

    test('a connection that breaks again and again asks the scheduler no more often, and says nothing but that', async () => {
      await using project = await onCluster();
      const asked = await project.counted('squeue');
      await project.hold();
      const push = project.push();
      await project.training(1);
      await until(() => /running/.test(push.output()));
      const before = await asked();
      const end = Date.now() + 12_000;
      while (Date.now() < end) {
        await until(async () => Date.now() > end || (await project.sshd.connections()) > 0);
        await project.sshd.killConnections();
      }
      expect((await asked()) - before).toBeLessThanOrEqual(2);
      await project.release();
      const done = await push.done;
      expect(done).toMatchObject({ code: 0, stderr: expect.stringMatching(/lost .*the job goes on[\s\S]*PASS/) });
      expect(done.stderr).not.toMatch(/Warning/);
      expect(await project.jobs()).toEqual(['COMPLETED']);
    });

    test('Slurm does not answer when the push may not be held any longer: it ends in time, and the next one brings the verdict', async () => {
      await using project = await onCluster();
      await project.git(['config', 'mlops.hold', '6']);
      await project.hold();
      const push = project.push();
      await project.training(1);
      const squeue = await project.pause('squeue');
      const begun = Date.now();
      expect(await push.done).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/not pushed yet[\s\S]*next {5}mlops push[\s\S]*git push +later/),
      });
      expect(Date.now() - begun).toBeLessThan(9000);
      await squeue.go();
      await project.release();
      expect(await project.mlops(['push', 'origin', 'main'])).toMatchObject({ code: 0 });
      expect(await project.jobs()).toEqual(['COMPLETED']);
    });

    test('the login node does not answer when the push may not be held any longer: it ends in time, and the run is remembered', async () => {
      await using project = await onCluster();
      await project.git(['config', 'mlops.hold', '6']);
      await project.hold();
      const push = project.push();
      await project.training(1);
      await project.sshd.freezeListener();
      await project.sshd.killConnections();
      const begun = Date.now();
      expect(await push.done).toMatchObject({ code: 1, stderr: expect.stringMatching(/lost[\s\S]*not pushed yet/) });
      expect(Date.now() - begun).toBeLessThan(9000);
      await project.release();
      await project.sshd.thawListener();
      expect(await project.mlops(['status'])).toMatchObject({
        stdout: expect.stringMatching(/1 run without a verdict/),
      });
      expect(await project.mlops(['attach'])).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });
      expect(await project.jobs()).toEqual(['COMPLETED']);
    });

    test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
      '%s ends the client alone: exit code 1, the way back, and the job goes on',
      async (signal) => {
        await using project = await onCluster();
        await project.hold();
        const run = project.start('mlops', ['run']);
        await project.training(1);
        run.child.kill(signal);
        expect(await run.done).toMatchObject({ code: 1, stderr: expect.stringMatching(letGo) });
        expect(await project.jobs()).toEqual(['RUNNING']);
        await project.release();
        expect(await project.mlops(['attach'])).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });
        expect(await project.trainings()).toBe(1);
      },
    );

    test('Ctrl-C while Slurm does not answer lets go at once, and a job that talked much before leaves no warning of node’s', async () => {
      await using project = await onCluster();
      await project.hold();
      const run = project.start('mlops', ['run']);
      await project.training(1);
      const squeue = await project.pause('squeue');
      await talkUntil(squeue.reached(), join(await project.attempt(), 'log'));
      const begun = Date.now();
      run.child.kill('SIGINT');
      const done = await run.done;
      expect(done).toMatchObject({ code: 1, stderr: expect.stringMatching(letGo) });
      expect(done.stderr).not.toMatch(/MaxListeners/);
      expect(Date.now() - begun).toBeLessThan(3000);
      await squeue.go();
      await project.release();
    });

    test.each(Object.keys(points).filter((name) => /sent|sbatch|fetched/.test(name)))(
      'the connection is cut %s: the push comes back by itself, and brings the verdict of one job',
      async (name) => {
        await using project = await onCluster();
        const point = await points[name]?.arm(project);
        const push = project.push();
        await point?.reached();
        await project.sshd.killConnections();
        await until(() => /lost +the connection to cluster was lost.*trying again/.test(push.output()));
        await point?.go();
        expect(await push.done).toMatchObject({ code: 0, stderr: expect.stringMatching(/connected again[\s\S]*PASS/) });
        expect(await project.jobs()).toEqual(['COMPLETED']);
        expect(await project.trainings()).toBe(1);
      },
    );

    test('the connection is cut while the results of a cancelled job are fetched: its error is told, and no other job is submitted', async () => {
      await using project = await onCluster({ config: 'retry: { infrastructure: 0 }\n' });
      await project.hold();
      const push = project.push();
      await project.training(1);
      const fetching = await project.pause('find', { when: '[ "$2" = result ]' });
      await slurm.run('scancel', await project.job());
      await fetching.reached();
      await until(() => /ended +job \d+ · CANCELLED/.test(push.output()));
      await project.sshd.killConnections();
      await until(() => /lost +the connection to cluster was lost/.test(push.output()));
      await fetching.go();
      expect(await push.done).toMatchObject({ code: 1, stderr: expect.stringMatching(/ERROR[\s\S]*cancelled/) });
      expect(await project.jobs()).toEqual(['CANCELLED']);
    });

    test.each(['while sbatch has submitted and not said so', 'while the job runs'])(
      'the client is killed %s, and nobody pushes again: `mlops status` knows the run, and `mlops sync` brings the verdict',
      async (name) => {
        await using project = await onCluster();
        const point = await points[name]?.arm(project);
        const push = project.push();
        await point?.reached();
        await killClient(push);
        expect(await project.mlops(['status'])).toMatchObject({
          stdout: expect.stringMatching(/1 run without a verdict/),
        });
        await point?.go();
        await until(async () => (await project.jobs()).join() === 'COMPLETED');
        expect(await project.mlops(['sync'])).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });
        expect(await project.mlops(['status'])).toMatchObject({ stdout: expect.stringMatching(/no run goes on/) });
        expect(await project.push().done).toMatchObject({ code: 0 });
        expect(await project.trainings()).toBe(1);
      },
    );

    test('a run that is remembered and was never submitted is told once, and then forgotten', async () => {
      await using project = await onCluster();
      const sbatch = await project.pause('sbatch');
      const push = project.push();
      await sbatch.reached();
      await killClient(push);
      await rm(join(await project.attempt(), '..'), { recursive: true });
      expect(await project.mlops(['sync'])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/no run of .* goes on, and none has a result[\s\S]*mlops run/),
      });
      expect(await project.mlops(['sync'])).toMatchObject({ code: 0, stderr: expect.stringMatching(/no run of this/) });
      await sbatch.go();
    });

    test.each(['+5m', '-5m'])('the client’s clock is wrong by %s: the verdict is the same', async (offset) => {
      await using project = await onCluster();
      const push = await project.start('faketime', ['-f', offset, 'git', 'push', 'origin', 'main']).done;
      expect(push).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });
      expect(await project.jobs()).toEqual(['COMPLETED']);
    });

    test('a colleague pushes the same commit from a clone of theirs while it runs: one job, and a verdict for both', async () => {
      await using project = await onCluster({ config: 'push: { main: gate, "*": ignore }\n' });
      const clone = await colleague(project);
      await project.hold();
      const ours = project.push();
      await project.training(1);
      // What goes on is seen from any clone, at the price of one question.
      const asked = await project.counted('squeue');
      expect(await project.mlops(['status'], { cwd: clone.dir })).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(
          /1 run of other clones\n +running +run [0-9a-f]{7} of root\n[\s\S]*job \d+ on cluster/,
        ),
      });
      expect(await asked()).toBe(1);
      const theirs = project.start('mlops', ['run'], { cwd: clone.dir });
      await until(() => /found: it is there already/.test(theirs.output()));
      await killClient(ours);
      await project.release();
      expect(await theirs.done).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });
      expect(await project.push().done).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });
      expect(await project.jobs()).toEqual(['COMPLETED']);
      expect(await project.trainings()).toBe(1);
    });

    test('a colleague cancels it from a clone of theirs: nothing is known about the model, and the next push trains', async () => {
      await using project = await onCluster({ config: 'push: { main: gate, "*": ignore }\n' });
      const clone = await colleague(project);
      await project.hold();
      const ours = project.push();
      await project.training(1);
      expect(await project.mlops(['cancel'], { cwd: clone.dir })).toMatchObject({ code: 0 });
      expect(await ours.done).toMatchObject({ code: 1, stderr: expect.stringMatching(/ERROR[\s\S]*cancelled/) });
      await project.release();
      expect(await project.push().done).toMatchObject({ code: 0 });
      expect(await project.jobs()).toEqual(['CANCELLED', 'COMPLETED']);
    });

    test('branches that are only recorded go at once, and `mlops sync` brings and publishes their verdicts over one connection', async () => {
      await using project = await onCluster({ config: 'push: { main: gate, "*": record }\n' });
      const logins = async () => ((await project.sshd.log()).match(/^Accepted publickey/gm) ?? []).length;
      await project.hold();
      expect(await project.git(['push', 'origin', 'main:draft'])).toMatchObject({ code: 0 });
      await project.quality(0.8);
      await project.commit('Another model');
      expect(await project.git(['push', 'origin', 'main:other'])).toMatchObject({ code: 0 });
      await project.training(2);
      const [asked, before] = [await project.counted('squeue'), await logins()];
      expect(await project.mlops(['sync'])).toMatchObject({ stderr: expect.stringMatching(/RUNNING[\s\S]*RUNNING/) });
      expect([await asked(), (await logins()) - before]).toEqual([1, 1]);
      await project.release();
      await until(async () => (await project.jobs()).join() === 'COMPLETED,COMPLETED');
      expect(await project.mlops(['sync'])).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(/PASS[\s\S]*PASS/),
      });
      expect([await asked(), (await logins()) - before]).toEqual([3, 2]);
      expect(await project.repository.git('--git-dir', project.remote, 'log', '--oneline', 'mlops')).not.toBe('');
      expect(await project.trainings()).toBe(2);
    });

    test('a git server that drops idle channels: git push ends with the way on, and mlops push goes through', async () => {
      await using project = await onCluster();
      await using forge = await startSshd({ config: ['ChannelTimeout session:command=8s'] });
      await project.git(['config', 'core.sshCommand', `ssh -F ${forge.sshConfig}`]);
      await project.git(['remote', 'set-url', 'origin', `ssh://cluster${project.remote}`]);
      await project.git(['config', 'mlops.hold', '5']);
      await project.hold();
      const first = project.push();
      expect(await first.done).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(
          /RUNNING[\s\S]*not pushed yet: cluster drops a push[\s\S]*mlops push +waits, then pushes/,
        ),
      });
      const second = project.start('mlops', ['push', 'origin', 'main']);
      await until(() => /found: it is there already/.test(second.output()));
      await project.release();
      expect(await second.done).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });
      expect(await project.git(['push', 'origin', 'main:again'])).toMatchObject({ code: 0 });
      expect(await project.jobs()).toEqual(['COMPLETED']);
    });
  },
);
