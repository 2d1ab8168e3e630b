import { z } from 'zod';
import { count, is } from './schema-words.ts';
import { memPattern, parseMem, parseTime, signalPattern, timePattern } from './units.ts';

const aTime = is('is a wall-clock limit as Slurm writes it: minutes, MM:SS, HH:MM:SS, D-HH, D-HH:MM or D-HH:MM:SS');
const aSize = is('is a size such as 16G');

const aSignal = 'is USR1@SECONDS or USR2@SECONDS, such as USR1@120';
export const resources = z
  .strictObject(
    {
      time: z
        .union(
          [
            z
              .string()
              .regex(timePattern, { ...aTime, abort: true })
              .refine((value) => parseTime(value) !== undefined, aTime),
            z.int().positive(aTime),
          ],
          aTime,
        )
        .meta({
          description: 'Wall-clock limit, "HH:MM:SS" or any other form of sbatch --time. One hour if left out.',
        }),
      mem: z
        .union(
          [
            z
              .string()
              .regex(memPattern, { ...aSize, abort: true })
              .refine((value) => parseMem(value) !== undefined, aSize),
            z.int().positive(aSize),
          ],
          aSize,
        )
        .meta({ description: 'Memory, for example 16G. A plain number is megabytes.' }),
      cpus: count(1, 'is a number of CPUs, 1 or more').meta({ description: 'CPUs of the task.' }),
      gpus: count(0, 'is a number of GPUs, 0 or more').meta({ description: 'GPUs of the job.' }),
      signal: z
        .string(is(aSignal))
        .regex(signalPattern, is(aSignal))
        .meta({ description: 'Sent to the step so many seconds before the time is over, for example USR1@120.' }),
    },
    is('is a map such as { time: "01:00:00", mem: 16G, cpus: 4 }'),
  )
  .partial();
