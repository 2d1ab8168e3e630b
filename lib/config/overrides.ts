import { isMap } from './loose.ts';
import { cluster } from './schema.ts';

/** A value of one person's `git config mlops.cluster.KEY`, put over the document's. */
export interface Applied {
  readonly document: unknown;
  /** The override behind a path of `cluster`, as the person would type it: `mlops.cluster.host`. */
  readonly origins: ReadonlyMap<string, { readonly key: string; readonly value: string }>;
}

const clusterKeys = Object.keys(cluster.shape);
const plain = (key: string) => key.toLowerCase().replace(/[-_]/g, '');

/**
 * Keys come as `cluster.host`, `cluster.slurm.partition`. git lower-cases the last part of a key and allows no underscore in it,
 * so `requireMaster` and `require-master` are `require_master`. An empty value takes the key away.
 */
export function applyOverrides(document: unknown, overrides: ReadonlyMap<string, string>): Applied {
  const origins = new Map<string, { key: string; value: string }>();
  if (overrides.size === 0 || !isMap(document)) return { document, origins };
  const before = document.cluster;
  if (before !== undefined && before !== null && !isMap(before)) return { document, origins };
  const changed: Record<string, unknown> = { ...before };
  for (const [given, value] of overrides) {
    const [room, section, ...rest] = given.split('.');
    if (room !== 'cluster' || section === undefined) continue;
    const origin = { key: `mlops.${given}`, value };
    const known = clusterKeys.find((key) => plain(key) === plain(section)) ?? section;
    if (known === 'slurm' && rest.length > 0) {
      const option = rest.join('.');
      const options: Record<string, unknown> = isMap(changed.slurm) ? { ...changed.slurm } : {};
      if (value === '') delete options[option];
      else options[option] = value === 'true' ? true : value;
      changed.slurm = options;
      origins.set(`cluster.slurm.${option}`, origin);
      continue;
    }
    const key = rest.length === 0 ? known : [known, ...rest].join('.');
    if (value === '') delete changed[key];
    else changed[key] = read(key, value);
    origins.set(`cluster.${key}`, origin);
  }
  return { document: { ...document, cluster: changed }, origins };
}

function read(key: string, value: string): unknown {
  if (key === 'modules')
    return value
      .split(',')
      .map((item) => item.trim())
      .filter((item) => item !== '');
  // What git itself takes for a boolean (man git-config).
  if (key === 'require_master' && /^(?:true|yes|on|1)$/i.test(value)) return true;
  if (key === 'require_master' && /^(?:false|no|off|0)$/i.test(value)) return false;
  return value;
}
