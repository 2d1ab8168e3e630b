import type { Config } from '../config/types.ts';
import type { TreeEntry } from '../git/tree.ts';
import { isDocumentation, isInDocs, isInert, isOurs, isReadme, isTemplate } from './file-kinds.ts';
import { isGlob, type Matcher, matcher, selection, tidy } from './glob.ts';
import { namedFiles } from './steps.ts';

export interface SelectedCode {
  /** Counts whatever any text says. */
  readonly counted: readonly TreeEntry[];
  /** Counts where code mentions it. */
  readonly documentation: readonly TreeEntry[];
  /** The same, by a stricter rule. */
  readonly readmes: readonly TreeEntry[];
  /** Paths that can be a step's own file. */
  readonly all: ReadonlySet<string>;
}

/** Which files of the tree are code: docs/fingerprint.md, "Code". */
export function selectCode(config: Config, tree: readonly TreeEntry[], isElsewhere: Matcher): SelectedCode {
  const candidates = tree.filter(
    (entry) => !isElsewhere(entry.path) && (!isOurs(entry.path) || isTemplate(entry.path)),
  );
  const all = new Set(candidates.map((entry) => entry.path));
  const named = new Set(config.steps.flatMap((step) => namedFiles(step, (path) => all.has(path))));
  const selects = selection(config.code);
  const explicit = explicitPatterns(config.code);
  const counted: TreeEntry[] = [];
  const documentation: TreeEntry[] = [];
  const readmes: TreeEntry[] = [];
  for (const entry of candidates) {
    const { path } = entry;
    if (named.has(path) || isTemplate(path)) counted.push(entry);
    else if (!selects(path)) continue;
    else if (explicit.literally.has(path)) counted.push(entry);
    else if (isInert(path)) continue;
    else if (explicit.byKind(path)) counted.push(entry);
    else if (isReadme(path)) readmes.push(entry);
    else if (isDocumentation(path)) documentation.push(entry);
    else counted.push(entry);
  }
  return { counted, documentation, readmes, all };
}

/** Who writes `prompts/*.md` or `docs/**` under `code:` means the documentation. */
function explicitPatterns(patterns: readonly string[]): { literally: ReadonlySet<string>; byKind: Matcher } {
  const positive = patterns.filter((pattern) => !pattern.startsWith('!')).map(tidy);
  const matchers = positive.map((pattern) => ({ pattern, matches: matcher(pattern) }));
  return {
    literally: new Set(positive.filter((pattern) => !isGlob(pattern))),
    byKind: (path) => matchers.some(({ pattern, matches }) => namesKind(pattern, path) && matches(path)),
  };
}

function namesKind(pattern: string, path: string): boolean {
  if (isInDocs(path) && /^docs?(?:\/|$)/.test(pattern)) return true;
  // `prompts/*.md` and `prompts/*.{md,txt}`.
  const tail = /\.(?:\{([^{}]*)\}|([^.{}/*?]+))$/.exec(pattern);
  const extensions = (tail?.[1] ?? tail?.[2] ?? '').toLowerCase().split(',');
  const extension = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase();
  return extension !== undefined && extensions.includes(extension);
}
