import { unreachable } from '../base/unreachable.ts';
import type { Config, Environment } from '../config/types.ts';
import type { Inputs } from '../fingerprint/types.ts';
import type { InputsSummary } from '../report/types.ts';

/** What a report says of the inputs; the fingerprint stands for all of it. */
export function summariseInputs(inputs: Inputs, config: Config): InputsSummary {
  return {
    code: Object.keys(inputs.code).length,
    data: inputs.data,
    environment: environmentLabel(config.environment),
    steps: inputs.steps.map(({ fingerprint }, index) => ({ name: stepName(config, index), fingerprint })),
  };
}

function stepName({ steps }: Config, index: number): string {
  const step = steps[index];
  if (step === undefined) throw new Error(`no step ${index}`);
  return step.kind === 'notebook' ? step.notebook : step.run;
}

/** How people call an environment: its name, or the file that describes it. */
export function environmentLabel(environment: Environment): string {
  if ('name' in environment && environment.name !== undefined) return environment.name;
  switch (environment.kind) {
    case 'none':
      return '';
    case 'packages':
      return `${environment.packages.length} conda packages`;
    case 'conda':
    case 'venv':
    case 'uv':
      return environment.file;
    case 'container':
      return environment.image;
    case 'prefix':
      return environment.prefix;
    default:
      return unreachable(environment);
  }
}
