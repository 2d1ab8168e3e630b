import { describeWith } from '../rig/requirements.ts';
import { slurmNeeds } from '../rig/slurm.ts';
import { describeScheduler } from './scheduler-contract.ts';
import { slurmPlace } from './slurm-place.ts';

describeWith(slurmNeeds, 'Slurm on this machine', () => {
  describeScheduler('Slurm', () => slurmPlace(), { shortestLimit: 60 });
});
