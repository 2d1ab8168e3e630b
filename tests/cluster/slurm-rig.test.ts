import { expect, test } from '@jest/globals';
import { describeWith } from '../rig/requirements.ts';
import { slurmCluster, slurmNeeds } from '../rig/slurm.ts';

describeWith(slurmNeeds, 'the one-machine Slurm of the rig', () => {
  test('runs a real job and accounts for it', async () => {
    await using cluster = await slurmCluster();
    const done = await cluster.run('sbatch', '--parsable', '--wait', '-o', '/dev/null', '--wrap', 'exit 3');
    expect(done).toEqual({ code: 3, stdout: '1\n', stderr: '' });
    const deadline = Date.now() + 20_000;
    let states = '';
    while (!states.includes('FAILED') && Date.now() < deadline) {
      states = (await cluster.run('sacct', '-X', '-n', '-P', '-o', 'State,ExitCode')).stdout;
    }
    expect(states).toBe('FAILED|3:0\n');
  });

  test('is there twice at once, once without accounting', async () => {
    const clusters = await Promise.all([slurmCluster({ accounting: false }), slurmCluster({ minJobAge: 5 })]);
    await using first = clusters[0];
    await using second = clusters[1];
    for (const cluster of [first, second]) {
      const done = await cluster.run('sbatch', '--parsable', '--wait', '-o', '/dev/null', '--wrap', 'true');
      expect(done).toEqual({ code: 0, stdout: '1\n', stderr: '' });
    }
    expect((await first.run('sacct')).stderr).toMatch(/accounting storage is disabled/);
  });
});
