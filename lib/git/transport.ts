/** How git reaches a URL (git-fetch(1), GIT URLS). `host` in lower case, without user and port. */
export type Transport =
  | { readonly kind: 'ssh' | 'http' | 'git'; readonly host: string }
  | { readonly kind: 'file' }
  /** A remote helper, `ext::…`: whether it keeps a connection open is not known. */
  | { readonly kind: 'helper'; readonly name: string };

export function transportOf(url: string): Transport {
  const helper = /^([A-Za-z0-9][A-Za-z0-9.+-]*)::/.exec(url)?.[1];
  if (helper !== undefined) return { kind: 'helper', name: helper };
  const [, scheme, authority = ''] = /^([A-Za-z][A-Za-z0-9.+-]*):\/\/([^/]*)/.exec(url) ?? [];
  if (scheme !== undefined) {
    const kind = schemes[scheme.toLowerCase()];
    if (kind === undefined) return { kind: 'helper', name: scheme };
    return kind === 'file' ? { kind } : { kind, host: hostOf(authority) };
  }
  // scp-like, `user@host:path`: only if no slash comes before the colon; a Windows drive is one letter.
  const [, scp] = /^((?:[^/@]*@)?(?:\[[^\]/]+\]|[^/:[\]]+)):/.exec(url) ?? [];
  return scp === undefined || /^[A-Za-z]$/.test(scp) ? { kind: 'file' } : { kind: 'ssh', host: hostOf(scp) };
}

const schemes: Readonly<Record<string, 'ssh' | 'http' | 'git' | 'file' | undefined>> = {
  ssh: 'ssh',
  'git+ssh': 'ssh',
  'ssh+git': 'ssh',
  http: 'http',
  https: 'http',
  git: 'git',
  file: 'file',
};

function hostOf(authority: string): string {
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const bracketed = /^\[([^\]]+)\]/.exec(host)?.[1];
  // `[host:port]:path` is scp-like with a port; more than one colon in brackets is IPv6.
  if (bracketed !== undefined)
    return (bracketed.split(':').length > 2 ? bracketed : bracketed.replace(/:\d*$/, '')).toLowerCase();
  return host.replace(/:\d*$/, '').toLowerCase();
}

// Measured or documented idle limits of the servers' ssh, with a margin.
const sshSeconds: Readonly<Record<string, number | undefined>> = {
  'github.com': 240,
  'ssh.github.com': 240,
  'gitlab.com': 60,
  'altssh.gitlab.com': 60,
};
const unknownSeconds = 20;

/**
 * How long pre-push may hold a push open: git connects before it runs the hook and sends nothing meanwhile. Undefined is
 * without limit: over http git opens a new connection, and a local receive-pack waits.
 */
export function holdSeconds(url: string): number | undefined {
  const transport = transportOf(url);
  switch (transport.kind) {
    case 'http':
    case 'file':
      return undefined;
    case 'ssh':
      return sshSeconds[transport.host] ?? unknownSeconds;
    case 'git':
    case 'helper':
      return unknownSeconds;
  }
}
