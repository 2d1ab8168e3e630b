import type { Json } from '../base/canonical-json.ts';

/** Whether a requirement anywhere in the specification is a folder or a file of the repository (`.`, `-e ./pkg`, `wheels/a.whl`). */
export function installsFromTree(specification: Json): boolean {
  if (typeof specification === 'string') return isLocal(specification);
  if (Array.isArray(specification)) return specification.some(installsFromTree);
  if (typeof specification !== 'object' || specification === null) return false;
  const { requirements, constraints, pip, dependencies, conda } = specification as { readonly [key: string]: Json };
  return [
    requirements,
    constraints,
    pip,
    conda,
    ...(Array.isArray(dependencies) ? dependencies.filter(isMap) : []),
  ].some((part) => part !== undefined && installsFromTree(part));
}

const isMap = (value: Json) => typeof value === 'object' && value !== null;

/** As pip reads it: an option is none, a URL is none unless it is `file:`, and a path has a slash or is made of dots. */
function isLocal(item: string): boolean {
  const target = item
    .replace(/^(?:-e|--editable)[\s=]*/, '')
    .replace(/^[\w.-]+(?:\[[^\]]*\])?\s*@\s*/, '')
    .trim();
  if (target.startsWith('-')) return false;
  if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return target.startsWith('file:');
  const [path = ''] = target.split(/[\s;[]/);
  return /^\.{1,2}$/.test(path) || path.includes('/');
}
