/** Why git did not do what was asked. The raw words stay: they are shown to people, never hidden. */
export interface GitError {
  readonly reason: GitErrorReason;
  readonly args: readonly string[];
  /** Null: it never started, or ended by a signal. */
  readonly code: number | null;
  readonly stderr: string;
}

export type GitErrorReason =
  /** The program is not on PATH. */
  | 'no-git'
  | 'not-a-repository'
  | 'dubious-ownership'
  | 'unknown-revision'
  /** The name is known, the object is not here: a shallow or partial clone, or damage. */
  | 'missing-object'
  | 'invalid-ref'
  /** Another git process holds a lock, or moved the ref first. Trying again is right. */
  | 'lock'
  | 'no-remote-ref'
  | 'auth'
  | 'unreachable'
  | 'no-remote-repository'
  /** The remote has what we do not: fetch, merge, try again. */
  | 'rejected'
  /** The remote said no for good: a protected branch, a hook, no right to write. */
  | 'refused'
  | 'no-atomic'
  | 'disk-full'
  /** This clone's own files: another user's, or a read-only file system. */
  | 'not-writable'
  | 'aborted'
  | 'other';

// First match wins, so the order is part of the table. LC_ALL=C makes git speak English; what a server says is its own.
const table: readonly (readonly [GitErrorReason, RegExp])[] = [
  ['dubious-ownership', /detected dubious ownership/],
  ['no-atomic', /does not support --atomic/],
  ['disk-full', /No space left on device|Disk quota exceeded|Out of diskspace/],
  ['no-remote-ref', /couldn't find remote ref/i],
  // A lost race, seen by the server or by ourselves. Before `refused`: "[remote rejected] … (cannot lock ref …)".
  // A branch `mlops/x` over there: no try again makes room for `mlops`. Before the lost races, which sound alike.
  ['refused', /'refs\/\S+' exists; cannot create 'refs\//],
  // Push options, signed pushes: it says so and hangs up.
  ['refused', /the receiving end does not support/],
  [
    'rejected',
    /\[remote rejected\].*(?:cannot lock ref|failed to lock|incorrect old value|failed to update ref|reference already exists|atomic transaction failed)|\((?:non-fast-forward|fetch first|stale info|needs force)\)/,
  ],
  [
    'refused',
    /\[remote rejected\]|pre-receive hook declined|protected branch|GH\d{3}:|remote: (?:error: )?(?:GitLab: )?You are not allowed|error: 403|denied to |remote: error: insufficient permission|unable to create temporary object directory|Write access to repository not granted|remote unpack failed/i,
  ],
  [
    'auth',
    /Permission denied \(|Authentication failed|could not read (?:Username|Password)|Host key verification failed|error: 401|terminal prompts disabled|invalid credentials|Too many authentication failures/i,
  ],
  [
    'unreachable',
    /Could not resolve host|Name or service not known|Temporary failure in name resolution|Connection (?:refused|timed out|reset|closed)|Network is unreachable|No route to host|Operation timed out|Failed to connect|kex_exchange_identification|early EOF|unexpected disconnect|remote end hung up|SSL_ERROR|error: 50\d|unable to access/i,
  ],
  ['not-writable', /: Permission denied\b|Read-only file system/],
  ['no-remote-repository', /does not appear to be a git repository|repository .*not found|No such remote/i],
  ['not-a-repository', /not a git repository|must be run in a work tree/i],
  [
    'lock',
    /cannot lock ref|Unable to create '.*\.lock': File exists|could not lock|is at [0-9a-f]+ but expected|reference already exists|unable to lock|another git process/i,
  ],
  [
    'invalid-ref',
    /invalid ref(?:name| format)?\b|not a valid (?:ref|branch) ?name|refusing to update ref with bad name/i,
  ],
  [
    'missing-object',
    /bad object|missing (?:blob|tree|commit) object|unable to read (?:tree|sha1)|could not (?:read|fetch) [0-9a-f]{40}/i,
  ],
  [
    'unknown-revision',
    /unknown revision|bad revision|Needed a single revision|not a valid object name|ambiguous argument/i,
  ],
];

/** `output` is what it said on both streams: `push --porcelain` reports refs on standard output. */
export function classify(output: string): GitErrorReason {
  return table.find(([, pattern]) => pattern.test(output))?.[0] ?? 'other';
}
