import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { openSsh2Host } from '../../lib/cluster/ssh2-host.ts';
import { describeWith } from '../rig/requirements.ts';
import { startSshd } from '../rig/sshd.ts';
import { describeLogin, hello } from './login-contract.ts';

describeLogin('ssh2', openSsh2Host);

/** Somebody who gives these answers, one after the other, and then gives up. */
function person(...answers: readonly string[]) {
  const left = [...answers];
  const questions: (readonly [string, boolean])[] = [];
  const prompt = async (question: string, hidden: boolean) => {
    questions.push([question, hidden]);
    return left.shift();
  };
  return { prompt, questions };
}

describeWith('sshd', 'asking on the terminal', () => {
  test('an encrypted key asks for its passphrase, and asks again after a wrong one', async () => {
    await using sshd = await startSshd({ passphrase: 'correct horse' });
    const { prompt, questions } = person('wrong', 'correct horse');
    expect(await hello(await openSsh2Host('cluster', { env: sshd.env, prompt }))).toBe('hello\n');
    const question = [`Passphrase for ${join(sshd.client, 'id')}: `, true];
    expect(questions).toEqual([question, question]);
  });
});

describeWith(['sshd', 'root'], 'a site with a second factor', () => {
  test('asks for the code after the key, in the words of the site, and the code is used up', async () => {
    await using sshd = await startSshd({ oneTimeCodes: ['492817'] });
    const { prompt, questions } = person('492817');
    expect(await hello(await openSsh2Host('cluster', { env: sshd.env, prompt }))).toBe('hello\n');
    expect(questions).toEqual([['Password: ', true]]);
    const late = person('492817');
    const refused = await openSsh2Host('cluster', { env: sshd.env, prompt: late.prompt });
    expect(refused).toMatchObject({ ok: false, error: { reason: 'auth-refused' } });
  });

  test('asks again after a wrong code', async () => {
    await using sshd = await startSshd({ oneTimeCodes: ['492817'] });
    const { prompt, questions } = person('000000', '492817');
    expect(await hello(await openSsh2Host('cluster', { env: sshd.env, prompt }))).toBe('hello\n');
    expect(questions).toHaveLength(2);
  });

  test('is left alone when the person gives up', async () => {
    await using sshd = await startSshd({ oneTimeCodes: ['492817'] });
    const { prompt, questions } = person();
    expect(await openSsh2Host('cluster', { env: sshd.env, prompt })).toMatchObject({
      ok: false,
      error: { reason: 'auth-refused', tried: [`key ${join(sshd.client, 'id')}`, 'keyboard-interactive'] },
    });
    expect(questions).toHaveLength(1);
  });

  test('waits longer than a handshake may take for someone who looks for their telephone', async () => {
    await using sshd = await startSshd({ oneTimeCodes: ['492817'], clientConfig: ['ConnectTimeout 1'] });
    const prompt = async () => {
      await new Promise((resolve) => setTimeout(resolve, 2500));
      return '492817';
    };
    expect(await hello(await openSsh2Host('cluster', { env: sshd.env, prompt }))).toBe('hello\n');
  });

  test('says that nobody can be asked', async () => {
    await using sshd = await startSshd({ oneTimeCodes: ['492817'] });
    expect(await openSsh2Host('cluster', { env: sshd.env })).toMatchObject({
      ok: false,
      error: { reason: 'auth-refused', tried: [expect.any(String), 'keyboard-interactive (nobody to ask)'] },
    });
  });
});
