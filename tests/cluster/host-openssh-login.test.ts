import { openOpensshHost } from '../../lib/cluster/openssh-host.ts';
import { describeLogin } from './login-contract.ts';

describeLogin('openssh', openOpensshHost);
