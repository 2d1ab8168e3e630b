/**
 * Whether some code speaks of a file. Only code is asked, never prose or outputs: else editing prose would train.
 * The rules lean towards yes: a mention that is none costs a training, one that is missed a false verdict.
 */

const escapeRegExp = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
const nameOf = (path: string) => path.slice(path.lastIndexOf('/') + 1);
const extensionOf = (path: string) => /\.[^./]+$/.exec(nameOf(path))?.[0] ?? '';
const folderOf = (path: string) => path.slice(0, Math.max(0, path.lastIndexOf('/')));

/** The base name without its last extension: what `import` and `%run` say. */
export const stemOf = (path: string): string => {
  const name = nameOf(path);
  return name.slice(0, name.length - extensionOf(path).length) || name;
};

/** The base name, not as a part of a longer name. */
export function mentionsName(text: string, path: string): boolean {
  const name = nameOf(path);
  return (
    text.includes(name) && new RegExp(`(?<![\\p{L}\\p{N}_])${escapeRegExp(name)}(?![\\p{L}\\p{N}_])`, 'u').test(text)
  );
}

/** The base name as the end of a quoted path: what `open` is given, and prose ("see README.md for usage") is not. */
export function mentionsQuoted(text: string, path: string): boolean {
  const name = nameOf(path);
  return text.includes(name) && new RegExp(`(["'\`])(?:[^"'\`\\s]*/)?${escapeRegExp(name)}\\1`, 'u').test(text);
}

/** The extension with no plain name before it: `*.md`, `{name}.md`, `%s.md`, `suffix == ".md"`. */
export function mentionsExtension(text: string, path: string): boolean {
  const extension = extensionOf(path);
  if (extension === '' || !text.includes(extension)) return false;
  return new RegExp(`(?:(?<![\\p{L}\\p{N}_\\-)\\]])|%[sdi])${escapeRegExp(extension)}(?![\\p{L}\\p{N}_])`, 'u').test(
    text,
  );
}

/** A quoted string that is the file's folder or a path that begins with it; `docs` and `doc` need the slash. */
export function mentionsFolder(text: string, path: string): boolean {
  const folder = folderOf(path);
  if (folder === '' || !text.includes(folder)) return false;
  const bare = folder === 'docs' || folder === 'doc' ? '/' : '(?:/|\\1)';
  return new RegExp(`(["'\`])(?:\\./)?${escapeRegExp(folder)}${bare}`, 'u').test(text);
}

/** Python that imports from `docs` or `doc` as a package. */
export const importsDocs = (text: string): boolean => /(?:^|\n)[ \t]*(?:from|import)[ \t]+docs?\b/.test(text);

/**
 * The stem as a word, so that `import evaluate`, `%run evaluate.ipynb` and `"evaluate.py"` are seen. Not where it is
 * called (`model.evaluate(x)`, `def evaluate(`): a module is no function, and where it is one, an import says so.
 */
export function mentionsStem(text: string, path: string): boolean {
  const stem = stemOf(path);
  if (!text.includes(stem)) return false;
  return new RegExp(`(?<![\\p{L}\\p{N}_])${escapeRegExp(stem)}(?![\\p{L}\\p{N}_])(?!\\s*\\()`, 'u').test(text);
}
