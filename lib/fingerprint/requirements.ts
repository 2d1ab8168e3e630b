import type { Json } from '../base/canonical-json.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { EnvironmentError } from './errors.ts';

/** Reads a file of the commit's tree; undefined where the tree has no such file. */
export type ReadText = (path: string) => Promise<string | undefined>;

interface Requirements {
  /** Lines as pip reads them; an include is `{ "requirements" | "constraints": its items }`. */
  readonly items: readonly Json[];
  /** The files read, the first one included. */
  readonly files: readonly string[];
}

/** A requirements file without what pip does not see: comments, blank lines, line breaks after a backslash. */
export async function readRequirements(
  path: string,
  readText: ReadText,
  given?: string,
  within: readonly string[] = [],
): Promise<Result<Requirements, EnvironmentError>> {
  const includedBy = within.at(-1);
  const text = given ?? (await readText(path));
  if (text === undefined) {
    return err({ reason: 'environment-missing', path, ...(includedBy === undefined ? {} : { includedBy }) });
  }
  if (includedBy !== undefined && within.includes(path)) return err({ reason: 'include-loop', path, includedBy });
  const items: Json[] = [];
  const files = [path];
  for (const line of logicalLines(text)) {
    const include = /^(?:(-r|--requirement)|(-c|--constraint))(?:\s*=\s*|\s+|(?<=-[rc]))(\S.*)$/.exec(line);
    const target = include?.[3];
    // A URL is not ours to read: it counts as it is written.
    if (target === undefined || /^[a-z][a-z0-9+.-]*:\/\//i.test(target)) {
      items.push(line);
      continue;
    }
    const file = resolve(path, target.replace(/^(["'])(.*)\1$/, '$2'));
    const read = await readRequirements(file, readText, undefined, [...within, path]);
    if (!read.ok) return read;
    items.push(include?.[1] === undefined ? { constraints: read.value.items } : { requirements: read.value.items });
    files.push(...read.value.files);
  }
  return ok({ items, files });
}

/** pip joins lines first, then drops comments: a `#` at the start or after white space. */
function logicalLines(text: string): readonly string[] {
  return text
    .replaceAll('\r\n', '\n')
    .replace(/\\\n/g, '')
    .split('\n')
    .map((line) => line.replace(/(?:^|\s)#.*$/, '').trim())
    .filter((line) => line !== '');
}

/** `target` as a file at `from` names it; `..` beyond the top stays, and is found nowhere. */
function resolve(from: string, target: string): string {
  const parts = target.startsWith('/') ? [] : from.split('/').slice(0, -1);
  for (const part of target.split('/')) {
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '.' && part !== '') parts.push(part);
  }
  return target.startsWith('/') ? `/${parts.join('/')}` : parts.join('/');
}
