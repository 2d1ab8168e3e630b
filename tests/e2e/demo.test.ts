import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { run, temporaryRepository } from '../rig/repository.ts';
import { describeWith, program } from '../rig/requirements.ts';
import { slurmCluster, slurmNeeds } from '../rig/slurm.ts';
import { startSshd } from '../rig/sshd.ts';

const top = join(import.meta.dirname, '../..');
const python = program('python3', 'python3-venv');

async function demo(args: readonly string[], more: NodeJS.ProcessEnv = {}) {
  // Only its home is used here: the demo of somebody who has never set anything.
  await using sandbox = await temporaryRepository({ identity: false });
  // Awaited here: the sandbox is taken away when this function is left.
  return await run(process.execPath, [join(top, 'scripts/demo.mjs'), ...args], {
    cwd: sandbox.root,
    env: { ...sandbox.env, TMPDIR: sandbox.root, NO_COLOR: '1', ...more },
  });
}

describeWith([python], 'npm run demo', () => {
  test('plays the example through on this machine: the good model goes, the bad one is blocked, both verdicts are shown', async () => {
    const { code, stdout, stderr } = await demo([]);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS[\s\S]*FAIL/) });
    expect(stdout).toMatch(/All as it must be/);
    expect(stdout).toMatch(/fail .*accuracy[\s\S]*pass .*accuracy/);
  });

  test('says what is missing, and ends with exit code 1', async () => {
    const nothing = await demo([], { PATH: '/nowhere' });
    expect(nothing).toMatchObject({ code: 1, stderr: expect.stringContaining('git is missing') });
  });
});

describeWith([python, ...slurmNeeds, 'sshd'], 'npm run demo -- --cluster HOST', () => {
  test('does the same over SSH on Slurm', async () => {
    await using slurm = await slurmCluster();
    await using sshd = await startSshd({ config: [`SetEnv SLURM_CONF=${slurm.env.SLURM_CONF}`] });
    const workdir = await mkdtemp(join(tmpdir(), 'mlops-demo-work-'));
    try {
      const { code, stdout, stderr } = await demo(['--cluster', 'cluster', '--workdir', workdir], {
        MLOPS_SSH_CONFIG: sshd.sshConfig,
      });
      expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(/PASS[\s\S]*FAIL/) });
      expect(stdout).toMatch(/All as it must be/);
    } finally {
      await rm(workdir, { recursive: true, force: true });
    }
  });
});
