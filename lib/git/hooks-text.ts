/*
 * Our lines in somebody else's hook file: between two markers, so that they can be replaced and taken away byte by byte.
 * Texts are byte strings (latin1): a hook may be in any encoding.
 */

const end = '# <<< mlops <<<\n';
const starts = {
  /** The file was there before. */
  added: '# >>> mlops: written by `mlops init`, taken away by `mlops uninstall` >>>\n',
  /** The file is ours alone. */
  created: '# >>> mlops: this file was written by `mlops init`; `mlops uninstall` deletes it >>>\n',
  /** The line before had no end, and got one. */
  unfinished: '# >>> mlops: written by `mlops init` after a line without an end >>>\n',
} as const;
type Kind = keyof typeof starts;
const kinds = Object.keys(starts) as Kind[];

export interface FoundBlock {
  readonly kind: Kind;
  readonly from: number;
  readonly to: number;
}

export function findBlock(text: string): FoundBlock | undefined {
  for (const kind of kinds) {
    const from = text.indexOf(starts[kind]);
    if (from < 0) continue;
    const to = text.indexOf(end, from);
    if (to >= 0) return { kind, from, to: to + end.length };
  }
  return undefined;
}

/** Our lines come first: what follows may `exec` or `exit`. A line that husky 8 starts itself anew with must stay before them. */
export function addBlock(text: string | undefined, lines: string): string {
  if (text === undefined) return `#!/bin/sh\n${starts.created}${lines}${end}`;
  const found = findBlock(text);
  if (found !== undefined)
    return `${text.slice(0, found.from)}${starts[found.kind]}${lines}${end}${text.slice(found.to)}`;
  const restart = /^[ \t]*(?:\.|source)[ \t].*husky\.sh.*(?:\n|$)/m.exec(text);
  const shebang = /^#!.*(?:\n|$)/.exec(text);
  const before = restart === null ? (shebang?.[0].length ?? 0) : restart.index + restart[0].length;
  const head = text.slice(0, before);
  const unfinished = head !== '' && !head.endsWith('\n');
  return `${head}${unfinished ? '\n' : ''}${starts[unfinished ? 'unfinished' : 'added']}${lines}${end}${text.slice(before)}`;
}

/** The text as it was; undefined: the file was ours alone. Lines that others added to our file keep it alive. */
export function removeBlock(text: string): string | undefined {
  const found = findBlock(text);
  if (found === undefined) return text;
  const before = text.slice(0, found.from);
  const after = text.slice(found.to);
  if (found.kind === 'created' && after === '' && before === '#!/bin/sh\n') return undefined;
  return (found.kind === 'unfinished' ? before.slice(0, -1) : before) + after;
}

/** Whether a POSIX shell's lines can stand in this file. Without a shebang git runs a text with sh. */
export function isShellScript(text: string): boolean {
  if (text.includes('\0')) return false;
  const shebang = /^#!\s*(\S+)(?:\s+(.*))?/.exec(text);
  if (shebang === null) return !text.startsWith('#!');
  const [, interpreter = '', rest = ''] = shebang;
  const words = [interpreter, ...rest.split(/\s+/)].map((word) => word.slice(word.lastIndexOf('/') + 1));
  const program =
    words[0] === 'env' || words[0] === 'busybox' ? words.slice(1).find((word) => !word.startsWith('-')) : words[0];
  return /^(?:sh|bash|dash|ash|ksh|mksh|zsh)$/.test(program ?? '');
}
