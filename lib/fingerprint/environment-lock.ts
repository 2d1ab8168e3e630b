import { canonicalJson, type Json } from '../base/canonical-json.ts';
import { environmentChanges, type ItemChange } from './environment-changes.ts';

/** In the lock's first lines: what was asked for when it was made. */
const mark = '# made for ';

/** Modules are loaded, not locked. */
function withoutModules(specification: Json): Json {
  if (typeof specification !== 'object' || specification === null || Array.isArray(specification)) return specification;
  const { modules: _modules, ...rest } = specification as { readonly [key: string]: Json };
  return rest;
}

/** A builder's `lock.txt` as it is committed: with what it was made for, so that a later change of that is seen. */
export function formatLock(lock: string, specification: Json): string {
  const [first = '', ...rest] = lock.split('\n').filter((line) => !line.startsWith(mark));
  return [first, `${mark}${canonicalJson(withoutModules(specification))}`, ...rest].join('\n');
}

/** What has changed since; nothing for a list that somebody else has made. */
export function lockDrift(lock: string, specification: Json): readonly ItemChange[] {
  const line = lock.split(/\r?\n/).find((one) => one.startsWith(mark));
  if (line === undefined) return [];
  const now = withoutModules(specification);
  const text = line.slice(mark.length).trim();
  if (text === canonicalJson(now)) return [];
  const before = parsed(text);
  const changes = before === undefined ? [] : environmentChanges(before, now);
  // Damaged, or different where no list shows it.
  return changes.length > 0
    ? changes
    : [{ kind: 'changed', where: 'specification', before: text, after: canonicalJson(now) }];
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Lines of a lock that only this machine can install: a folder of the run that it was read from. */
export const localLines = (lock: string): readonly string[] =>
  lock.split('\n').filter((line) => /^(?:# pip: )?[^#\s]+ @ file:/.test(line));
