import { existsSync } from 'node:fs';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type CliProject, cliProject } from '../rig/cli.ts';
import { inTerminal } from '../rig/in-terminal.ts';
import { condaInstallation, condaModule, environmentModules } from '../rig/modules.ts';
import { run } from '../rig/repository.ts';
import { describeWith, program } from '../rig/requirements.ts';
import { shellProject } from '../rig/shell-project.ts';
import { type SlurmCluster, slurmCluster, slurmNeeds } from '../rig/slurm.ts';
import { retryLocked, type Sshd, startSshd } from '../rig/sshd.ts';

const lacking = [condaModule, environmentModules].map(({ missing }) => missing()).find((words) => words !== undefined);

describeWith(
  [...slurmNeeds, 'sshd', program('python3', 'python3-venv')],
  'a push that trains on Slurm, over SSH',
  () => {
    let slurm: SlurmCluster;
    let sshd: Sshd;
    let folder: string;

    beforeAll(async () => {
      slurm = await slurmCluster();
      // What a site's login shell would set.
      const modules = lacking === undefined ? environmentModules.env() : {};
      const env = { SLURM_CONF: slurm.env.SLURM_CONF, ...modules, MODULEPATH: join(condaInstallation, 'modulefiles') };
      const set = Object.entries(env).map(([name, value]) => `${name}=${value}`);
      sshd = await startSshd({ config: [`SetEnv ${set.join(' ')}`] });
      folder = await mkdtemp(join(tmpdir(), 'mlops-e2e-work-'));
    });
    afterAll(async () => {
      await sshd?.[Symbol.asyncDispose]();
      await slurm?.[Symbol.asyncDispose]();
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    });

    /** Each test has a folder of its own on the cluster, and so a store that knows nothing yet. */
    const onCluster = async (more: Parameters<typeof cliProject>[0] = {}): Promise<CliProject> => {
      const workdir = await mkdtemp(join(folder, 'work-'));
      const cluster = `cluster: { host: cluster, workdir: ${JSON.stringify(workdir)} }\n`;
      return cliProject({ ...more, config: cluster + (more.config ?? ''), env: { MLOPS_SSH_CONFIG: sshd.sshConfig } });
    };
    /** Every job of this Slurm with our name, ended ones too: slurmctld keeps them for five minutes, and accounting is seconds behind. */
    const jobs = async (): Promise<number> => {
      const { stdout } = await slurm.run('squeue', '--all', '--states=all', '--noheader', '--format=%j');
      return stdout.split('\n').filter((line) => line.includes('mlops-')).length;
    };

    test('a pass lets the push go, a fail blocks it with exit code 1, a second clone shows both verdicts, and known content takes no job', async () => {
      await using project = await onCluster();
      const before = await jobs();
      expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(/PASS/),
      });
      await project.git(['switch', '--quiet', '--create', 'worse']);
      await project.quality(0.1);
      await project.commit('Simplify the model');
      expect(await project.git(['push', 'origin', 'worse'])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/FAIL/),
      });
      expect(await jobs()).toBe(before + 2);

      expect(await project.git(['push', 'origin', 'main:again'])).toMatchObject({ code: 0 });
      expect(await project.git(['push', 'origin', 'worse'])).toMatchObject({ code: 1 });
      expect(await jobs()).toBe(before + 2);

      // The blocked commit has to come from somewhere: a push that skips brings it, and the verdict with it.
      expect(await project.git(['push', 'origin', 'worse'], { env: { MLOPS_SKIP: 'to be looked at' } })).toMatchObject({
        code: 0,
      });
      const clone = await project.secondClone();
      const log = await clone.git('log', '--format=%s%n%N', 'origin/worse');
      expect(log).toMatch(/Simplify the model[\s\S]*fail .*score[\s\S]*A tiny project[\s\S]*pass .*score/);
      expect(await project.trainings()).toBe(2);
    });

    test('a notebook with three seeds is an array of three jobs, and its verdict looks at the sample', async () => {
      await using project = await onCluster();
      const before = await jobs();
      const config = await project.repository.read('.mlops/config.yaml');
      const seeds = '    seeds: { parameter: weight, values: [1, 2, 3] }\n    metrics:';
      await project.repository.write(
        '.mlops/config.yaml',
        config.replace('    metrics:', seeds).replace('min: 0.5', 'min: 0.2'),
      );
      await project.commit('Train with three seeds');
      expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(/PASS[\s\S]*score\s+1\.8 ± 0\.9 \(3 seeds\)/),
      });
      expect(await project.trainings()).toBe(3);
      expect(await jobs()).toBe(before + 3);
    });

    test('the client is killed in the middle: the next push attaches, and no second job is submitted', async () => {
      await using project = await onCluster();
      const before = await jobs();
      await project.hold();
      const first = project.start('git', ['push', 'origin', 'main']);
      await project.training(1);
      if (first.child.pid === undefined) throw new Error('git did not start');
      process.kill(-first.child.pid, 'SIGKILL');
      await first.done;
      const second = project.start('git', ['push', 'origin', 'main']);
      await project.release();
      expect(await second.done).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });
      expect(await jobs()).toBe(before + 1);
      expect(await project.trainings()).toBe(1);
    });

    test('the connection is cut while the job runs: it is found again, and the verdict is the same', async () => {
      await using project = await onCluster();
      await project.hold();
      const push = project.start('git', ['push', 'origin', 'main']);
      await project.training(1);
      expect(await sshd.killConnections()).toBeGreaterThan(0);
      await project.release();
      expect(await push.done).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });
      expect(await project.trainings()).toBe(1);
    });

    test('two pushes of the same commit at once submit one job', async () => {
      await using project = await onCluster();
      const before = await jobs();
      await project.hold();
      const pushes = ['one', 'two'].map((branch) => project.start('git', ['push', 'origin', `main:${branch}`]));
      await project.training(1);
      await project.release();
      for (const push of pushes) expect(await push.done).toMatchObject({ code: 0 });
      expect(await jobs()).toBe(before + 1);
    });

    test('an environment is built on the login node where the config asks for that, and a failed build submits nothing', async () => {
      await using project = await onCluster();
      const { repository } = project;
      const config = (await repository.read('.mlops/config.yaml'))
        .replace(/^environment: .*$/m, 'environment: { venv: requirements.txt, build_on: login }')
        .replace(
          /^steps:[\s\S]*?(?=require:)/m,
          'steps:\n  - run: sh score.sh\n    metrics: { file: $MLOPS_OUT/metrics.json }\n',
        );
      await repository.write('.mlops/config.yaml', config);
      await repository.write('score.sh', 'printf \'{"score": 0.9}\' >"$MLOPS_OUT/metrics.json"\n');
      await repository.write('requirements.txt', './no-such-folder\n');
      await project.commit('Something that cannot be installed');
      const before = await jobs();
      expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/environment could not be made on cluster[\s\S]*no-such-folder/),
      });
      expect(await jobs()).toBe(before);
      await repository.write('requirements.txt', '# nothing\n');
      await project.commit('Nothing to install');
      expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(/building[\s\S]*PASS/),
      });
      expect(await jobs()).toBe(before + 1);
    });

    test('a job of its own builds the environment, and the run waits for it; why it cannot is told, and the run never begins', async () => {
      await using project = await onCluster();
      const { repository } = project;
      const config = (await repository.read('.mlops/config.yaml'))
        .replace(
          /^environment: .*$/m,
          'environment: { venv: requirements.txt, python: "3.99", build_on: { time: "00:03:00", mem: 300M, slurm: { nice: 1 } } }',
        )
        .replace(
          /^steps:[\s\S]*?(?=require:)/m,
          'steps:\n  - run: sh score.sh\n    metrics: { file: $MLOPS_OUT/metrics.json }\n',
        );
      await repository.write('.mlops/config.yaml', config);
      await repository.write('score.sh', 'printf \'{"score": 0.9}\' >"$MLOPS_OUT/metrics.json"\n');
      await repository.write('requirements.txt', '# nothing\n');
      await project.commit('A Python that is nowhere');
      const ours = async () => {
        const { stdout } = await slurm.run('squeue', '--all', '--states=all', '--noheader', '--format=%A %j %T %l');
        return stdout.split('\n').filter((line) => line.includes(' mlops-'));
      };
      const before = await ours();
      const since = async () => (await ours()).filter((line) => !before.includes(line)).map((line) => line.split(' '));
      expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/ERROR[\s\S]*no Python 3\.99/),
      });
      expect((await since()).map(([, name, state]) => [name?.endsWith('.build'), state]).sort()).toEqual([
        [false, 'CANCELLED'],
        [true, 'FAILED'],
      ]);
      await repository.write('.mlops/config.yaml', config.replace(' python: "3.99",', ''));
      await project.commit('Whatever Python there is');
      expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(/PASS/),
      });
      const [build, run] = (await since())
        .filter(([, , state]) => state === 'COMPLETED')
        .sort((a, b) => Number(a[0]) - Number(b[0]));
      expect([build?.[1], build?.[3], run?.[3]]).toEqual([`${run?.[1]}.build`, '3:00', '5:00']);
    });

    test('two members of a group that push the same commit get one job, and both its verdict; who is not in the group is told so', async () => {
      const group = `mlopse${process.pid}`;
      await retryLocked('groupadd', [group]);
      const shared = await mkdtemp(join(tmpdir(), 'mlops-e2e-group-'));
      try {
        await run('chgrp', [group, shared]);
        await chmod(shared, 0o770);
        const config = [`SetEnv SLURM_CONF=${slurm.env.SLURM_CONF}`];
        const login = (groups: readonly string[]) =>
          startSshd({ config, account: { groups, home: { '.bashrc': 'umask 077\n' } } });
        await using one = await login([group]);
        await using two = await login([group]);
        await using stranger = await login([]);
        const workdir = join(shared, 'work');
        await using project = await shellProject({
          config: `cluster: { host: cluster, workdir: ${JSON.stringify(workdir)}, group: ${group} }\nsecrets: [TOKEN]\n`,
          env: { MLOPS_SSH_CONFIG: one.sshConfig, TOKEN: 'of the one who pushes' },
        });
        // The step writes there, as the user whose job it is.
        await chmod(project.repository.root, 0o755);
        await chmod(join(project.repository.root, 'tally'), 0o666);
        await project.git(['push', 'origin', 'main'], { env: { MLOPS_SKIP: 'so that there is something to clone' } });
        const colleague = await project.secondClone();
        for (const name of ['data/a.txt', 'data/b.txt'])
          await colleague.write(name, await project.repository.read(name));
        const before = await jobs();
        await project.hold();
        const commits = [
          { env: { MLOPS_SSH_CONFIG: one.sshConfig } },
          { cwd: colleague.dir, env: { MLOPS_SSH_CONFIG: two.sshConfig } },
        ];
        const pushes = commits.map((where, index) =>
          project.start('git', ['push', 'origin', `HEAD:of-${index}`], where),
        );
        await project.training(1);
        await project.release();
        for (const push of pushes)
          expect(await push.done).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });
        expect([await jobs(), await project.trainings()]).toEqual([before + 1, 1]);
        // Whoever it belongs to, the group may read and remove all of it.
        const closed = await run('find', [
          workdir,
          '(',
          '-not',
          '-group',
          group,
          '-o',
          '-type',
          'd',
          '-not',
          '-perm',
          '-2770',
          '-o',
          '-type',
          'f',
          '-not',
          '-perm',
          '-440',
          ')',
        ]);
        expect(closed.stdout).toBe('');

        await project.score(0.8);
        await project.commit('Something new');
        expect(
          await project.git(['push', 'origin', 'main:theirs'], { env: { MLOPS_SSH_CONFIG: stranger.sshConfig } }),
        ).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(
            new RegExp(`not in the Unix group ${group}[\\s\\S]*id -Gn[\\s\\S]*${stranger.user}`),
          ),
        });

        // What one has sent and the other has never seen is found: nothing but what is new is sent.
        const next = await project.git(['push', 'origin', 'HEAD:next'], { env: { MLOPS_SSH_CONFIG: two.sshConfig } });
        expect(next).toMatchObject({ code: 0, stderr: expect.stringMatching(/1 file.* to send[\s\S]*PASS/) });
      } finally {
        await rm(shared, { recursive: true, force: true });
        await retryLocked('groupdel', [group]);
      }
    });

    test('on Slurm a job builds an environment ahead of the first push, and a shell opens on a node, in it', async () => {
      await using project = await onCluster();
      const { repository } = project;
      const config = (await repository.read('.mlops/config.yaml'))
        .replace(/^environment: .*$/m, 'environment: { venv: requirements.txt }')
        .replace(
          /^steps:[\s\S]*?(?=require:)/m,
          'steps:\n  - run: sh score.sh\n    metrics: { file: $MLOPS_OUT/metrics.json }\n',
        );
      await repository.write('.mlops/config.yaml', config);
      await repository.write('score.sh', 'printf \'{"score": 0.9}\' >"$MLOPS_OUT/metrics.json"\n');
      await repository.write('requirements.txt', './no-such-folder\n');
      await project.commit('Something that cannot be installed');
      expect(await project.mlops(['env', 'build'])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/could not be made on cluster[\s\S]*no-such-folder/),
      });
      await repository.write('requirements.txt', '# nothing\n');
      await project.commit('Nothing to install');
      const before = await jobs();
      expect(await project.mlops(['env', 'build'])).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(/environment [0-9a-f]{12} on cluster is ready · .* · job \d+/),
      });
      expect(await jobs()).toBe(before + 1);
      expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
        code: 0,
        stderr: expect.stringMatching(/environment requirements\.txt ready[\s\S]*PASS/),
      });
      const typed =
        'echo "job=$SLURM_JOB_ID step=$SLURM_STEP_ID $(command -v python)"; cat $MLOPS_OUT/metrics.json; exit 7\n';
      const shell = await inTerminal(project, 'mlops env shell', typed);
      expect(shell.stdout).toMatch(/job=\d+ step=0 \/.*\/envs\/[0-9a-f]{24}\/env\/bin\/python\r?\n\{"score": 0\.9\}/);
      expect(shell.code).toBe(7);
    });

    // On a machine without a conda it is skipped, and named.
    (lacking === undefined ? test : test.skip)(
      'the recipe that everybody types by hand, module load, conda create, ipykernel install, papermill, is a push: from an empty cluster to the verdict',
      async () => {
        await using project = await onCluster();
        const { repository } = project;
        const jupyter = join(folder, 'jupyter');
        const config = (await repository.read('.mlops/config.yaml'))
          .replace(/^cluster: \{/m, 'cluster: { modules: [Anaconda3/2021.11],')
          .replace(
            /^environment: .*$/m,
            `setup: export JUPYTER_DATA_DIR=${jupyter}\nenvironment: { packages: [numpy, ipykernel, papermill], channels: [conda-forge], name: mlops, kernel: user }`,
          );
        await repository.write('.mlops/config.yaml', config);
        await project.commit('The environment of the recipe');
        expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
          code: 0,
          stderr: expect.stringMatching(/environment mlops to be built[\s\S]*PASS/),
        });
        expect(existsSync(join(jupyter, 'kernels/mlops/kernel.json'))).toBe(true);
        expect((await project.mlops(['env', 'show'])).stdout).toMatch(/made {5}by conda [\s\S]* papermill==/);
        expect(await project.mlops(['env', 'lock'])).toMatchObject({ code: 0 });
        expect(await repository.read('.mlops/environment.lock')).toMatch(
          /^# mlops lock 1: Python 3.*\n# made for \{.*"packages":\["numpy","ipykernel","papermill"\]\}\n@EXPLICIT\n.*\/python-3.*\n[\s\S]*\/papermill-/,
        );
      },
      600_000,
    );

    test('what sbatch refuses is shown in its own words', async () => {
      await using project = await onCluster();
      await project.git(['config', 'mlops.cluster.slurm.partition', 'no-such-partition']);
      expect(await project.git(['push', 'origin', 'main'])).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/invalid partition specified: no-such-partition/),
      });
    });

    test('an unknown host key is refused, with its fingerprint and the way out', async () => {
      await using project = await onCluster();
      await using other = await startSshd({ config: [`SetEnv SLURM_CONF=${slurm.env.SLURM_CONF}`], known: false });
      const pushed = await project.git(['push', 'origin', 'main'], { env: { MLOPS_SSH_CONFIG: other.sshConfig } });
      expect(pushed).toMatchObject({ code: 1, stderr: expect.stringContaining(other.hostKeyFingerprint) });
      expect(pushed.stderr).toMatch(/ssh cluster|ssh-keyscan|known_hosts/);
      expect(await project.trainings()).toBe(0);
    });
  },
);
