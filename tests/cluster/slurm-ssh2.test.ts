import { describeWith } from '../rig/requirements.ts';
import { slurmNeeds } from '../rig/slurm.ts';
import { describeScheduler } from './scheduler-contract.ts';
import { slurmPlace } from './slurm-place.ts';

describeWith([...slurmNeeds, 'sshd'], 'Slurm over ssh2', () => {
  describeScheduler(
    'Slurm, submitted by an ordinary user from a login node with a banner',
    () => slurmPlace({ slurm: { minJobAge: 2 }, sshd: { account: {}, banner: 'Authorised users only\n' } }),
    {},
  );
});
