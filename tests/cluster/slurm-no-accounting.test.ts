import { describeWith } from '../rig/requirements.ts';
import { slurmNeeds } from '../rig/slurm.ts';
import { describeScheduler } from './scheduler-contract.ts';
import { slurmPlace } from './slurm-place.ts';

describeWith(slurmNeeds, 'Slurm without accounting', () => {
  describeScheduler(
    'Slurm without accounting, in a folder of an odd name',
    () => slurmPlace({ slurm: { accounting: false }, workdir: "o'dd %j dir" }),
    // Only accounting and cgroups know about memory.
    { shortestLimit: 60, saysOutOfMemory: false },
  );
});
