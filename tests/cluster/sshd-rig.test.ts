import { expect, test } from '@jest/globals';
import { run } from '../rig/repository.ts';
import { describeWith } from '../rig/requirements.ts';
import { startSshd } from '../rig/sshd.ts';

describeWith('sshd', 'the sshd of the rig', () => {
  test('lets the tester in by key, through a configuration of its own', async () => {
    await using sshd = await startSshd();
    const done = await run('ssh', ['-F', sshd.sshConfig, '-o', 'BatchMode=yes', 'cluster', 'echo in; exit 3'], {
      env: sshd.env,
    });
    expect(done).toEqual({ code: 3, stdout: 'in\n', stderr: '' });
  });
});

describeWith(['sshd', 'root', 'bash'], 'the sshd of the rig, with an account', () => {
  test('lets an ordinary user in, with a home and a shell of their own', async () => {
    await using sshd = await startSshd({ account: { shell: 'bash', home: { '.bashrc': 'echo noise\n' } } });
    const done = await run('ssh', ['-F', sshd.sshConfig, '-o', 'BatchMode=yes', 'cluster', 'id -un; pwd'], {
      env: sshd.env,
    });
    expect(done.stdout).toBe(`noise\n${sshd.user}\n${sshd.home}\n`);
  });
});
