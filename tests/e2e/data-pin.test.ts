import { mkdir, mkdtemp, rm, symlink, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type CliProject, cliProject } from '../rig/cli.ts';
import { describeWith, program } from '../rig/requirements.ts';
import { type SlurmCluster, slurmCluster, slurmNeeds } from '../rig/slurm.ts';
import { type Sshd, startSshd } from '../rig/sshd.ts';
import { until } from '../rig/until.ts';

const python = program('python3', 'python3-venv');
const lock = '.mlops/data.lock';

/** The tiny project whose data is not in the repository but at a path of the cluster. */
async function withDataThere(
  more: { readonly entry?: string; readonly options?: Parameters<typeof cliProject>[0] } = {},
): Promise<CliProject & { readonly there: string }> {
  const project = await cliProject(more.options ?? {});
  // A blank, so that nothing depends on a tame path.
  const there = join(project.repository.root, 'data sets', 'numbers');
  await mkdir(join(there, 'more'), { recursive: true });
  for (const number of [1, 2, 3]) await writeFile(join(there, `${number}.txt`), `${number}\n`);
  await rm(join(there, 'more'), { recursive: true });
  await rm(join(project.repository.dir, 'data'), { recursive: true });
  const config = await project.repository.read('.mlops/config.yaml');
  const entry = `{ cluster: ${JSON.stringify(there)}, as: data${more.entry ?? ''} }`;
  await project.repository.write('.mlops/config.yaml', config.replace('data: [data]', `data: [${entry}]`));
  return Object.assign(project, { there });
}
const push = (project: CliProject) => project.git(['push', 'origin', 'main']);

describeWith(python, 'data that is there already, on this machine', () => {
  test('is pinned once, checked by every job, and a change there stops the run with the names of the files', async () => {
    await using project = await withDataThere();
    await project.commit('Data that is there already');
    const unpinned = await push(project);
    expect(unpinned).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/is not\s+pinned[\s\S]*mlops data pin data/),
    });

    const pinned = await project.mlops(['data', 'pin']);
    expect(pinned).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/pinned +data · 3 files · 6 B · by names, sizes and times/),
    });
    await project.commit('Pin it');
    expect(await push(project)).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });
    expect(await project.mlops(['data', 'pin'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/nothing has changed/),
    });
    expect((await project.git(['status', '--porcelain'])).stdout).toBe('');

    await writeFile(join(project.there, '2.txt'), '22\n');
    await writeFile(join(project.there, 'a b.txt'), '4\n');
    await rm(join(project.there, '3.txt'));
    // Known content needs no run, and so no look at the data.
    await project.repository.write('README.md', '# More words\n');
    await project.commit('Words');
    expect(await push(project)).toMatchObject({ code: 0 });
    await project.quality(0.8);
    await project.commit('Another model');
    const stopped = await push(project);
    if (process.env.SHOW) console.log(stopped.stderr);
    expect(stopped).toMatchObject({ code: 1, stderr: expect.stringMatching(/ERROR/) });
    for (const words of [
      /changed +2\.txt/,
      /gone +3\.txt/,
      /new +a b\.txt/,
      /ERROR[\s\S]*1\s+changed,\s+1\s+gone,\s+1\s+new/,
      /mlops data pin/,
    ])
      expect(stopped.stderr).toMatch(words);
    expect(await project.trainings()).toBe(1);

    expect(await project.mlops(['data', 'pin'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/changed +data · 3 files/),
    });
    await project.commit('The new data');
    expect(await push(project)).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });
    expect(await project.trainings()).toBe(2);
  });

  test('by content: touched files stop a job, but pinned again they are the same data, and nothing trains', async () => {
    await using project = await withDataThere({ entry: ', fingerprint: content' });
    await project.mlops(['data', 'pin']);
    await project.commit('Pinned by content');
    expect(await push(project)).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });
    await utimes(join(project.there, '1.txt'), 1, 1);
    const again = await project.mlops(['data', 'pin']);
    expect(again).toMatchObject({ code: 0, stderr: expect.stringMatching(/touched +data[\s\S]*nothing trains again/) });
    await project.commit('Pin it again');
    expect(await push(project)).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });
    expect(await project.trainings()).toBe(1);
  });

  test('by content: the fingerprint is that of the same files in the repository, so data may move there', async () => {
    await using project = await withDataThere({ entry: ', fingerprint: content' });
    await writeFile(join(project.there, 'ünï "q" \\n.txt'), '4\n');
    await project.mlops(['data', 'pin']);
    await project.commit('On the cluster');
    expect(await push(project)).toMatchObject({ code: 0 });
    for (const [name, text] of [
      ['1.txt', '1\n'],
      ['2.txt', '2\n'],
      ['3.txt', '3\n'],
      ['ünï "q" \\n.txt', '4\n'],
    ] as const)
      await project.repository.write(`data/${name}`, text);
    const config = await project.repository.read('.mlops/config.yaml');
    await project.repository.write('.mlops/config.yaml', config.replace(/data: \[.*\]/, 'data: [data]'));
    await project.commit('In the repository');
    expect(await push(project)).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });
    expect(await project.trainings()).toBe(1);
  });

  test('a pin of another place, or made otherwise, is none; a damaged lock is named', async () => {
    await using project = await withDataThere();
    await project.mlops(['data', 'pin']);
    const config = await project.repository.read('.mlops/config.yaml');
    await project.repository.write('.mlops/config.yaml', config.replace('as: data', 'as: data, fingerprint: content'));
    await project.commit('By content');
    expect(await push(project)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/in another way than the config says/),
    });
    await project.repository.write(lock, '<<<<<<< HEAD\n');
    await project.commit('A merge');
    expect(await push(project)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/data\.lock of the commit cannot be read/),
    });
    expect(await project.mlops(['data', 'pin'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/rm \.mlops\/data\.lock/),
    });
    expect(await project.trainings()).toBe(0);
  });

  test('what cannot be pinned is named, and nothing is written', async () => {
    await using project = await withDataThere();
    const pin = () => project.mlops(['data', 'pin']);
    await symlink('/nowhere/at/all', join(project.there, 'broken'));
    expect(await pin()).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/not all files can be listed[\s\S]*\.\/broken/),
    });
    await rm(join(project.there, 'broken'));
    await writeFile(join(project.there, 'two\nlines'), '');
    expect(await pin()).toMatchObject({ code: 1, stderr: expect.stringMatching(/names with a line break/) });
    await rm(project.there, { recursive: true });
    expect(await pin()).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/there is nothing at .*data sets\/numbers/),
    });
    await mkdir(project.there);
    expect(await pin()).toMatchObject({ code: 1, stderr: expect.stringMatching(/there is no file in/) });
    expect(await project.mlops(['data', 'pin', 'other'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/seen as other/),
    });
    expect((await project.git(['status', '--porcelain', '--', lock])).stdout).toBe('');
  });

  test('files of the commit where the data is to be seen are named before anything runs', async () => {
    await using project = await withDataThere();
    await project.mlops(['data', 'pin']);
    await project.repository.write('.gitignore', '\n');
    await project.repository.write('data/README', 'where the data is\n');
    await project.commit('A readme in the way');
    expect(await push(project)).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/the commit has data\/README where/),
    });
  });
});

describeWith([...slurmNeeds, 'sshd', python], 'data that is on the cluster already', () => {
  let slurm: SlurmCluster;
  let sshd: Sshd;
  let folder: string;
  beforeAll(async () => {
    slurm = await slurmCluster();
    sshd = await startSshd({ config: [`SetEnv SLURM_CONF=${slurm.env.SLURM_CONF}`] });
    folder = await mkdtemp(join(tmpdir(), 'mlops-pin-work-'));
  });
  afterAll(async () => {
    await sshd?.[Symbol.asyncDispose]();
    await slurm?.[Symbol.asyncDispose]();
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
  });
  const onCluster = (entry = '') =>
    withDataThere({
      entry,
      options: {
        config: `cluster: { host: cluster, workdir: ${JSON.stringify(folder)} }\n`,
        env: { MLOPS_SSH_CONFIG: sshd.sshConfig },
      },
    });
  const pinJobs = async () => {
    const { stdout } = await slurm.run('sacct', '--allusers', '--noheader', '--allocations', '--format=JobName%40');
    return stdout.split('\n').filter((line) => line.includes('mlops-pin-')).length;
  };

  test('a small folder is listed from the login node, a job checks it, and a clone without any data trains with it', async () => {
    await using project = await onCluster();
    expect(await project.mlops(['data', 'pin'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/pinned +data/),
    });
    expect(await pinJobs()).toBe(0);
    await project.commit('Pin it');
    expect(await push(project)).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS/) });

    const clone = await project.secondClone();
    await clone.write('helper.py', 'more = 1\n');
    await clone.git('add', '--all');
    await clone.git('commit', '--quiet', '--message', 'A helper');
    expect(await clone.tryGit(['push', 'origin', 'HEAD:other'], { env: project.env })).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/PASS/),
    });
    expect(await project.trainings()).toBe(2);
    const { stdout } = await slurm.run('ls', join(folder, 'tmp'));
    expect(stdout).not.toMatch(/ASK/);
  });

  test('content is hashed by a job, and so is a folder of many files listed', async () => {
    await using project = await onCluster(', fingerprint: content');
    const before = await pinJobs();
    expect(await project.mlops(['data', 'pin'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/pinned +data · 3 files · 6 B · by content · job \d+/),
    });
    // Accounting learns of a job a moment later.
    await until(async () => (await pinJobs()) === before + 1);
    const config = await project.repository.read('.mlops/config.yaml');
    await project.repository.write('.mlops/config.yaml', config.replace(', fingerprint: content', ''));
    const many = await slurm.run('sh', '-c', 'cd "$1" && seq 20001 | xargs touch', 'sh', project.there);
    expect(many.code).toBe(0);
    expect(await project.mlops(['data', 'pin'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/20,?004 files.*job \d+/),
    });
    await until(async () => (await pinJobs()) === before + 2);
    expect(await project.mlops(['data', 'pin', '--no-job'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/nothing has changed/),
    });
    expect(await pinJobs()).toBe(before + 2);
  });

  test('Ctrl-C ends the job that would look at the data, and writes nothing', async () => {
    await using project = await onCluster(', fingerprint: content');
    await project.git(['config', 'mlops.cluster.slurm.partition', 'down']);
    const pin = project.start('mlops', ['data', 'pin']);
    await until(() => /job \d+: queued/.test(pin.output()));
    pin.child.kill('SIGINT');
    expect(await pin.done).toMatchObject({ code: 1, stderr: expect.stringMatching(/job \d+ was cancelled/) });
    const { stdout } = await slurm.run('squeue', '--all', '--noheader', '--format=%T %j');
    expect(stdout).not.toMatch(/(?:PENDING|RUNNING) mlops-pin/);
    expect((await project.git(['status', '--porcelain', '--', lock])).stdout).toBe('');
  });

  test('options that sbatch refuses are told in its words', async () => {
    await using project = await onCluster(', fingerprint: content');
    await project.git(['config', 'mlops.cluster.slurm.partition', 'nowhere']);
    expect(await project.mlops(['data', 'pin'])).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/was not taken[\s\S]*nowhere[\s\S]*--no-job/),
    });
  });
});
