import { existsSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { cliProject } from '../rig/cli.ts';
import { describeWith, program, type Requirement } from '../rig/requirements.ts';
import { type SlurmCluster, slurmCluster, slurmNeeds } from '../rig/slurm.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';

const python = program('python3', 'python3-venv');
const lmod: Requirement = {
  name: 'Lmod or Environment Modules',
  missing: () =>
    ['/usr/share/lmod/lmod/init/sh', '/usr/share/modules/init/sh'].some((path) => existsSync(path))
      ? undefined
      : 'neither Lmod (package lmod) nor Environment Modules (package environment-modules) is installed',
};

/** Lines that begin with this mark and topic. */
const finding = (output: string, mark: 'ok' | 'warning' | 'PROBLEM', topic: string): readonly string[] =>
  output
    .replace(/\n {27}(?=\S)/g, ' ')
    .split('\n')
    .filter((line) => line.startsWith(`       ${mark.padEnd(8)}${topic} `));

describeWith(python, 'mlops doctor without a cluster', () => {
  test('finds nothing to do in a repository that is set up, and ends with 0', async () => {
    await using project = await cliProject();
    const done = await project.mlops(['doctor']);
    if (process.env.SHOW) console.log(done.stdout);
    expect(done).toMatchObject({ code: 0, stdout: expect.not.stringContaining('PROBLEM') });
    for (const topic of [
      'git',
      'hooks',
      'trust',
      'verdicts',
      'reports',
      'config',
      'remote',
      'machine',
      'tools',
      'Python',
    ])
      expect([topic, finding(done.stdout, 'ok', topic)]).toEqual([topic, [expect.anything()]]);
  });

  test('another tool has overwritten pre-push: a problem, and the command that puts it back does so', async () => {
    await using project = await cliProject();
    const hook = join(project.repository.dir, '.git/hooks/pre-push');
    await writeFile(hook, '#!/bin/sh\nexit 0\n');
    const done = await project.mlops(['doctor']);
    expect(done.code).toBe(1);
    expect(finding(done.stdout, 'PROBLEM', 'hooks')).toEqual([expect.stringContaining('pre-push is not there')]);
    expect(done.stdout).toMatch(/next +mlops init/);
    await project.mlops(['init', '--yes']);
    await chmod(join(project.repository.dir, '.git/hooks/post-commit'), 0o644);
    const again = await project.mlops(['doctor']);
    // Only the line of a commit is missing then: pushes are judged.
    expect([again.code, finding(again.stdout, 'warning', 'hooks')]).toEqual([
      0,
      [expect.stringContaining('post-commit is not executable')],
    ]);
  });

  test('a clone that nobody has looked at: no host is contacted, and that is said', async () => {
    await using project = await cliProject({ config: 'cluster: { host: nowhere.invalid, workdir: /scratch }\n' });
    await project.git(['config', '--unset-all', 'mlops.trusted']);
    const done = await project.mlops(['doctor']);
    expect([done.code, finding(done.stdout, 'PROBLEM', 'trust')]).toEqual([1, [expect.anything()]]);
    expect(done.stdout).not.toMatch(/nowhere\.invalid/);
    expect(done.stdout).toMatch(/mlops trust/);
  });

  test('a mistake in the config is underlined; a change that is not committed is told apart from it', async () => {
    await using project = await cliProject();
    const config = await project.repository.read('.mlops/config.yaml');
    await project.repository.write('.mlops/config.yaml', config.replace('require:', 'requires:'));
    const before = await project.mlops(['doctor']);
    expect([before.code, finding(before.stdout, 'warning', 'config')]).toEqual([
      0,
      [expect.stringContaining('not committed')],
    ]);
    await project.commit('A typo');
    const after = await project.mlops(['doctor']);
    expect(after).toMatchObject({ code: 1, stdout: expect.stringMatching(/unknown key `requires`[\s\S]*\^\^\^/) });
  });

  test('a Python without papermill, a missing prefix, and no display of verdicts are found', async () => {
    await using project = await cliProject();
    const config = await project.repository.read('.mlops/config.yaml');
    const bare = join(project.repository.root, 'bare/bin');
    await mkdir(bare, { recursive: true });
    await writeFile(join(bare, 'python'), '#!/bin/sh\nexec python3 -S -I "$@"\n', { mode: 0o755 });
    await project.repository.write(
      '.mlops/config.yaml',
      config.replace(/prefix: "[^"]*"/, `prefix: ${join(bare, '..')}`),
    );
    await project.commit('Another Python');
    await project.git(['config', '--unset-all', 'notes.displayRef']);
    const done = await project.mlops(['doctor']);
    expect([done.code, finding(done.stdout, 'PROBLEM', 'Python'), finding(done.stdout, 'warning', 'verdicts')]).toEqual(
      [
        1,
        [expect.stringContaining('cannot import what notebooks')],
        [expect.stringContaining('git log does not show')],
      ],
    );
    expect(done.stdout).toMatch(/No module named 'papermill'/);
    await rm(bare, { recursive: true });
    const gone = await project.mlops(['doctor']);
    expect(finding(gone.stdout, 'PROBLEM', 'Python')).toHaveLength(1);
  });

  test('a branch that stands where the reports branch belongs is found before the first push', async () => {
    await using project = await cliProject();
    await project.git(['branch', 'mlops/idea']);
    const done = await project.mlops(['doctor']);
    expect([done.code, finding(done.stdout, 'PROBLEM', 'reports')]).toEqual([
      1,
      [expect.stringContaining('mlops/idea')],
    ]);
  });
});

describeWith([...slurmNeeds, 'sshd', python], 'mlops doctor for a cluster', () => {
  let slurm: SlurmCluster;
  let sshd: Sshd;
  let folder: string;
  beforeAll(async () => {
    slurm = await slurmCluster();
    sshd = await startSshd({ config: [`SetEnv SLURM_CONF=${slurm.env.SLURM_CONF}`] });
    folder = await mkdtemp(join(tmpdir(), 'mlops-doctor-work-'));
  });
  afterAll(async () => {
    await sshd?.[Symbol.asyncDispose]();
    await slurm?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });
  const onCluster = (more = '', options: Parameters<typeof cliProject>[0] = {}) =>
    cliProject({
      ...options,
      config: `cluster: { host: cluster, workdir: ${JSON.stringify(folder)}${more} }\n${options.config ?? ''}`,
      env: { MLOPS_SSH_CONFIG: sshd.sshConfig, ...options.env },
    });

  test('the connection, the clock, the folder and Slurm are looked at, and nothing is submitted', async () => {
    await using project = await onCluster();
    const done = await project.mlops(['doctor']);
    if (process.env.SHOW) console.log(done.stdout);
    expect([done.code, done.stdout]).toEqual([0, expect.not.stringContaining('PROBLEM')]);
    expect(finding(done.stdout, 'ok', 'connection')).toEqual([
      expect.stringMatching(/ on cluster · ssh2 · key .*\/id · \d+ ms for a command/),
    ]);
    expect(finding(done.stdout, 'ok', 'Slurm')).toEqual([
      expect.stringMatching(/\d+\.\d+.* main, short, down \(down\)/),
    ]);
    expect(finding(done.stdout, 'ok', 'submission')).toEqual([
      expect.stringMatching(/would take the job: Job \d+ to start .*\d\d:\d\d/),
    ]);
    expect(finding(done.stdout, 'ok', 'accounting')).toEqual([expect.stringContaining('5:00 (MinJobAge)')]);
    const { stdout } = await slurm.run('sacct', '--allusers', '--noheader', '--allocations');
    expect(stdout.trim()).toBe('');
  });

  test.each([
    ['a partition that does not exist', ', slurm: { partition: gpu }', '00:05:00', /invalid partition specified: gpu/i],
    ['more memory than any node has', '', '00:05:00", mem: "500G', /memory|node configuration/i],
  ])('%s is refused in sbatch’s own words, with the partitions that there are', async (_what, more, time, words) => {
    await using project = await onCluster(more);
    const config = await project.repository.read('.mlops/config.yaml');
    await project.repository.write('.mlops/config.yaml', `${config.replace('00:05:00', time)}# another\n`);
    await project.commit('Other resources');
    const done = await project.mlops(['doctor']);
    expect([done.code, finding(done.stdout, 'PROBLEM', 'submission')]).toEqual([1, [expect.anything()]]);
    expect(done.stdout).toMatch(words);
    expect(done.stdout).toMatch(/partitions +main, short, down \(down\)/);
    expect(done.stdout).toMatch(/where +\.mlops\/config\.yaml:\d+/);
  });

  test('more time than the partition gives is found, although sbatch takes the job and never starts it', async () => {
    await using project = await onCluster(', slurm: { partition: short }');
    const config = await project.repository.read('.mlops/config.yaml');
    await project.repository.write('.mlops/config.yaml', config.replace('00:05:00', '00:20:00'));
    await project.commit('More time');
    const done = await project.mlops(['doctor']);
    expect([done.code, finding(done.stdout, 'PROBLEM', 'submission')]).toEqual([
      1,
      [expect.stringContaining('asks for 20:00, and short gives 10:00')],
    ]);
  });

  test('a partition that is down is said to be, although sbatch would take the job', async () => {
    await using project = await onCluster(', slurm: { partition: down }');
    const done = await project.mlops(['doctor']);
    expect([done.code, finding(done.stdout, 'warning', 'submission')]).toEqual([
      0,
      [expect.stringContaining('down is down')],
    ]);
  });

  test('a host that does not answer, and one whose key is not known, are told as a push would tell them', async () => {
    await using project = await onCluster();
    await using other = await startSshd({ known: false });
    const unknown = await project.mlops(['doctor'], { env: { MLOPS_SSH_CONFIG: other.sshConfig } });
    expect(unknown).toMatchObject({ code: 1, stdout: expect.stringContaining(other.hostKeyFingerprint) });
    expect(finding(unknown.stdout, 'PROBLEM', 'connection')).toHaveLength(1);
  });

  test('a host without Slurm, a folder that cannot be used and a module that is not there are three findings', async () => {
    await using bare = await startSshd({ config: ['SetEnv PATH=/nowhere'] });
    await using project = await onCluster(', modules: [NoSuch/1.0]', { env: { MLOPS_SSH_CONFIG: bare.sshConfig } });
    await project.git(['config', 'mlops.cluster.workdir', '/proc/nothing']);
    const done = await project.mlops(['doctor']);
    expect(done.code).toBe(1);
    expect(finding(done.stdout, 'PROBLEM', 'folder')).toEqual([
      expect.stringContaining('/proc/nothing cannot be used'),
    ]);
    expect(finding(done.stdout, 'warning', 'modules')).toHaveLength(1);
    expect(finding(done.stdout, 'PROBLEM', 'Slurm')).toHaveLength(1);
  });

  test('the way that the connection takes is named, also where the ssh program makes it', async () => {
    await using project = await onCluster();
    await project.git(['config', 'mlops.cluster.transport', 'openssh']);
    const done = await project.mlops(['doctor']);
    expect(finding(done.stdout, 'ok', 'connection')).toEqual([
      expect.stringContaining(' on cluster · the ssh program · '),
    ]);
  });

  test('lines of `setup` that end the shell are a finding of their own, and hide nothing else', async () => {
    await using project = await onCluster('', { config: 'setup: exit 3\n' });
    const done = await project.mlops(['doctor']);
    expect([done.code, finding(done.stdout, 'warning', 'setup')]).toEqual([
      0,
      [expect.stringContaining('ends the shell')],
    ]);
    expect(finding(done.stdout, 'ok', 'submission')).toHaveLength(1);
  });

  test('--job sees a compute node, and whether it reaches where packages come from', async () => {
    const server = createServer((_request, response) => response.end('index'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/simple/`;
    try {
      await using project = await onCluster('', { config: `env: { PIP_INDEX_URL: "${url}" }\n` });
      const done = await project.mlops(['doctor', '--job']);
      if (process.env.SHOW) console.log(done.stdout);
      expect([done.code, done.stdout]).toEqual([0, expect.not.stringContaining('PROBLEM')]);
      expect(finding(done.stdout, 'ok', 'job')).toEqual([expect.stringMatching(/job \d+ ran on /)]);
      expect(finding(done.stdout, 'ok', 'internet')).toEqual([
        expect.stringContaining(`${url} is reached on the compute node`),
      ]);
      const { stdout } = await slurm.run('sh', '-c', `ls ${folder}/tmp`);
      expect(stdout).not.toMatch(/ASK/);
    } finally {
      server.close();
    }
  });

  test('a compute node without a way out is a problem where it has to build an environment, with build_on: login as the way on', async () => {
    await using project = await onCluster('', { config: 'env: { PIP_INDEX_URL: "http://127.0.0.1:9/simple/" }\n' });
    const config = await project.repository.read('.mlops/config.yaml');
    await project.repository.write('requirements.txt', 'numpy\n');
    await project.repository.write(
      '.mlops/config.yaml',
      config.replace(/environment: .*/, 'environment: { venv: requirements.txt }'),
    );
    await project.commit('An environment of its own');
    const done = await project.mlops(['doctor', '--job']);
    expect([done.code, finding(done.stdout, 'PROBLEM', 'internet')]).toEqual([
      1,
      [expect.stringContaining('is not reached')],
    ]);
    expect(done.stdout).toMatch(/build_on: login/);
  });
});

describeWith(['sshd', python, lmod], 'mlops doctor where there are modules', () => {
  test('loads each, and says what a missing one was called', async () => {
    const modules = await mkdtemp(join(tmpdir(), 'mlops-modules-'));
    try {
      await mkdir(join(modules, 'CUDA'));
      await writeFile(join(modules, 'CUDA/11.8'), '#%Module\nsetenv LOADED_CUDA 11.8\n');
      await using sshd = await startSshd({ config: [`SetEnv MODULEPATH=${modules}`] });
      await using project = await cliProject({
        config: `cluster: { host: cluster, workdir: ${JSON.stringify(join(modules, 'work'))}, modules: [CUDA/11.8, CUDA/12.1] }\n`,
        env: { MLOPS_SSH_CONFIG: sshd.sshConfig },
      });
      const done = await project.mlops(['doctor']);
      expect(finding(done.stdout, 'ok', 'modules')).toEqual([expect.stringContaining('CUDA/11.8 is loaded')]);
      expect(finding(done.stdout, 'warning', 'modules')).toEqual([
        expect.stringContaining('CUDA/12.1 cannot be loaded'),
      ]);
      expect(done.stdout).toMatch(/said +.*[\s\S]*CUDA\/12\.1[\s\S]*next +module avail CUDA/);
    } finally {
      await rm(modules, { recursive: true });
    }
  });
});
