/** One word for a POSIX shell, whatever it contains. NUL cannot be passed to any program and is our caller's bug. */
export function shellQuote(word: string): string {
  if (word.includes('\0')) throw new Error('a shell word cannot contain NUL');
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** The same for a path that may begin with a variable, `$NAME` or `${NAME}`, which is the cluster's to know; all else is as it is. */
export function shellExpanded(path: string): string {
  const [, bare, braced, rest = ''] = /^\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)\})(.*)$/s.exec(path) ?? [];
  const name = bare ?? braced;
  return name === undefined ? shellQuote(path) : `"\${${name}}"${shellQuote(rest)}`;
}
