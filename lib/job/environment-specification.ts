import { canonicalJson, type Json } from '../base/canonical-json.ts';
import type { Config } from '../config/types.ts';
import type { Fingerprinted } from '../fingerprint/types.ts';
import { isInTree } from './environment-view.ts';
import { findsLocalLinks, installsFromTree, locksLocalPackages } from './local-requirements.ts';
import type { PlanRequest } from './types.ts';

/**
 * The environment by its meaning (specification and modules, as the fingerprint has it), by what we add to it, and by what else decides
 * what is built. Of its hash 96 bits are the key, because the path is in the first line of every script that is installed there, which
 * older kernels cut at 127 bytes.
 */
export function environmentSpecification(request: PlanRequest, needs: readonly string[]): string {
  const { config, fingerprinted, uvLock = '' } = request;
  const { environment } = config;
  const { inputs } = fingerprinted;
  const specification = { environment: inputs.environment, setup: inputs.setup, needs };
  // `-e .` and `./package` install what is in the commit: the specification alone does not say what.
  const local = installsFromTree(inputs.environment) || locksLocalPackages(uvLock);
  const files = local ? {} : filesBeside(request);
  const image = imageOfTree(config, fingerprinted);
  return canonicalJson({
    version: 1,
    ...specification,
    ...('manager' in environment && environment.manager !== undefined ? { manager: environment.manager } : {}),
    ...('packed' in environment && environment.packed === true ? { packed: true } : {}),
    ...(local ? { code: inputs.code } : {}),
    ...(Object.keys(files).length === 0 ? {} : { files }),
    ...(image === undefined ? {} : { image }),
  });
}

/** Files of the commit that decide what is built though the specification does not name them. */
function filesBeside({ config: { environment }, fingerprinted: { inputs } }: PlanRequest): { [path: string]: Json } {
  const folder = 'file' in environment ? environment.file.replace(/[^/]*$/, '') : '';
  const ofUv = environment.kind === 'uv' ? [`${folder}.python-version`, `${folder}uv.toml`] : [];
  const links = findsLocalLinks(inputs.environment);
  const counts = (path: string) =>
    /^\.mlops\/templates\/env-[^/]*\.hbs$/.test(path) ||
    ofUv.includes(path) ||
    (links && /\.(?:whl|zip|tgz|tar\.\w+)$/.test(path));
  const files = Object.entries(inputs.code).filter(([path]) => counts(path));
  return Object.fromEntries(files.map(([path, file]) => [path, { ...file }]));
}

/** The content of an image that the commit or its data has. */
function imageOfTree({ environment }: Config, { inputs, data }: Fingerprinted): Json | undefined {
  if (environment.kind !== 'container' || !isInTree(environment.image)) return undefined;
  const below = (path: string) => path === environment.image || path.startsWith(`${environment.image}/`);
  const files = Object.values(data)
    .flat()
    .filter(({ path }) => below(path));
  const code = Object.entries(inputs.code).filter(([path]) => below(path));
  return {
    data: Object.fromEntries(files.map(({ path, sha256 }) => [path, sha256])),
    code: Object.fromEntries(code.map(([path, file]) => [path, { ...file }])),
  };
}
