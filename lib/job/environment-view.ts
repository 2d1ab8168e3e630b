import { createHash } from 'node:crypto';
import { unreachable } from '../base/unreachable.ts';
import type { Config } from '../config/types.ts';
import { isBuiltBefore } from './build-job.ts';
import type { EnvironmentView } from './view.ts';

/** What the chosen template needs. */
export function environmentView(config: Config, environmentKey: string): EnvironmentView {
  const { environment } = config;
  const kernel = kernelOf(config);
  const builtBefore = isBuiltBefore(config);
  const manager = 'manager' in environment && environment.manager !== undefined ? { manager: environment.manager } : {};
  const packed = 'packed' in environment && environment.packed === true ? { packed: true } : {};
  const built = { ...kernel, ...manager, ...packed, kind: environment.kind, environmentKey, builtBefore };
  switch (environment.kind) {
    case 'none':
      return { template: 'env-given' };
    case 'container': {
      const { image } = environment;
      const from = image.startsWith('docker://') ? { reference: image } : { image };
      return { ...built, ...from, template: 'env-container', title: image, inTree: isInTree(image) };
    }
    case 'prefix':
      return { ...kernel, template: 'env-given', prefix: environment.prefix, seenKey: seenKey(environment.prefix) };
    case 'conda':
      return { ...built, template: 'env-conda', title: environment.file, file: `tree/${environment.file}` };
    case 'packages': {
      // Without it conda makes an environment that has no Python, where no package needs one.
      const named = environment.packages.some((item) => /^(?:[^:]*::)?python(?:$|[^A-Za-z0-9_-])/.test(item));
      const packages = named ? environment.packages : ['python', ...environment.packages];
      return { ...built, template: 'env-conda', title: packages.join(' '), packages, channels: environment.channels };
    }
    case 'venv':
    case 'uv': {
      const slash = environment.file.lastIndexOf('/');
      const folder = slash < 0 ? 'tree' : `tree/${environment.file.slice(0, slash)}`;
      const locked = environment.kind === 'uv';
      return {
        ...built,
        template: 'env-venv',
        title: environment.file,
        locked,
        ...(environment.kind === 'venv' && environment.python !== undefined ? { python: environment.python } : {}),
        project: !locked && environment.file.endsWith('.toml'),
        folder,
        name: environment.file.slice(slash + 1),
      };
    }
    default:
      return unreachable(environment);
  }
}

/** An image that the commit (or its data) brings along. */
export const isInTree = (image: string): boolean => !image.startsWith('docker://') && !/^[/$]/.test(image);

function kernelOf({ environment }: Config): { kernel?: string; kernelTitle?: string } {
  if (!('kernel' in environment) || environment.kernel === undefined) return {};
  const name = environment.name ?? 'mlops';
  return { kernel: name, kernelTitle: `Python (${name})` };
}

const seenKey = (prefix: string) => `given-${createHash('sha256').update(prefix).digest('hex').slice(0, 16)}`;

/** What a run cannot do without, by the names of Python packages. */
export function needsOf({ environment, steps }: Config): readonly string[] {
  if (steps.some((step) => step.kind === 'notebook')) return ['papermill', 'ipykernel'];
  return 'kernel' in environment && environment.kernel !== undefined ? ['ipykernel'] : [];
}

/** Whether there is something to build, and so a key. */
export const isBuilt = ({ environment }: Config): boolean =>
  environment.kind === 'conda' ||
  environment.kind === 'packages' ||
  environment.kind === 'venv' ||
  environment.kind === 'uv' ||
  environment.kind === 'container';
