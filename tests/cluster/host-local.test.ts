import { expect, test } from '@jest/globals';
import { openLocalHost } from '../../lib/cluster/local-host.ts';
import { describeHost } from './host-contract.ts';

describeHost('this machine', async () => {
  const host = openLocalHost(process.env);
  return { host, [Symbol.asyncDispose]: () => host.close() };
});

test('a local script sees the environment that was given, and nothing else', async () => {
  const host = openLocalHost({ PATH: process.env.PATH, ONLY: 'this' });
  const done = await host.exec('echo "$ONLY ${HOME-none}"');
  expect(done).toMatchObject({ ok: true, value: { stdout: 'this none\n' } });
});
