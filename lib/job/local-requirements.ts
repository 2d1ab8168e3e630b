import type { Json } from '../base/canonical-json.ts';

/** Whether a requirement anywhere in the specification is a folder or a file of the repository (`.`, `-e ./pkg`, `wheels/a.whl`). */
export const installsFromTree = (specification: Json): boolean => someRequirement(specification, isLocal);

/** Whether packages are looked for in a folder that is not on the network: `--find-links wheels/`. */
export const findsLocalLinks = (specification: Json): boolean =>
  someRequirement(specification, (item) => {
    const [, target] = /^(?:-f|--find-links)[\s=]*(\S.*)$/.exec(item) ?? [];
    return target !== undefined && !/^(?!file:)[a-z][a-z0-9+.-]*:/i.test(target);
  });

/** Whether a uv.lock has packages from folders or files beside it, but for the project itself, which is not installed. */
export const locksLocalPackages = (lock: string): boolean =>
  /^source = \{ (?:editable|directory|path) = "(?!\."\s*\})/m.test(lock);

function someRequirement(specification: Json, matches: (item: string) => boolean): boolean {
  if (typeof specification === 'string') return matches(specification);
  if (Array.isArray(specification)) return specification.some((part) => someRequirement(part, matches));
  if (typeof specification !== 'object' || specification === null) return false;
  const { requirements, constraints, pip, dependencies, conda } = specification as { readonly [key: string]: Json };
  return [
    requirements,
    constraints,
    pip,
    conda,
    ...(Array.isArray(dependencies) ? dependencies.filter(isMap) : []),
  ].some((part) => part !== undefined && someRequirement(part, matches));
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
