import { openLocalHost } from '../../lib/cluster/local-host.ts';
import { describeStore } from './store-contract.ts';

describeStore('this machine', async () => {
  const host = openLocalHost(process.env);
  return { host, [Symbol.asyncDispose]: () => host.close() };
});
