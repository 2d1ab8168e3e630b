import { shellQuote } from '../base/shell-quote.ts';
import type { Config } from '../config/types.ts';
import { jobResources, sbatchOptions } from './resources.ts';

/** What sbatch takes and srun does not, or takes for something else. */
const batchOnly: ReadonlySet<string> = new Set([
  'array',
  'error',
  'export-file',
  'get-user-env',
  'hold',
  'ignore-pbs',
  'input',
  'mail-type',
  'mail-user',
  'no-requeue',
  'open-mode',
  'output',
  'parsable',
  'requeue',
  'signal',
  'wait',
  'wait-all-nodes',
  'wrap',
]);

/** The options of the run's job for an interactive srun: the same node type, time and memory. */
export function srunOptions(config: Config, name: string): readonly string[] {
  return sbatchOptions(config, jobResources(config), name)
    .filter(({ option }) => !batchOnly.has(option))
    .map(({ option, value }) => shellQuote(value === true ? `--${option}` : `--${option}=${value}`));
}
