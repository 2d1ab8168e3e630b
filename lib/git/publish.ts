import type { Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { type Advanced, advance, type RecordError } from './advance.ts';
import type { Computed } from './computed-files.ts';
import { classify, type GitError } from './errors.ts';
import { listRefs } from './refs.ts';
import { canonicalNotes, displayedNotes, remoteCopies, reportsRef } from './report-refs.ts';
import type { Repository } from './repository.ts';
import { jitter } from './retry.ts';
import { git, gitStream } from './spawn.ts';

export interface RemoteOptions {
  readonly signal?: AbortSignal;
  /** What is made anew where the remote's branch and ours are joined. */
  readonly computed?: Computed;
}

/**
 * Brings a remote's reports and notes here and merges them into ours. `remote` is a name or a URL. A remote that has
 * none is no error, and the user's own refspecs are neither needed nor touched.
 */
export async function fetchReports(
  repository: Repository,
  remote: string,
  branch: string,
  options: RemoteOptions = {},
): Promise<Result<Advanced, RecordError>> {
  const copies = remoteCopies(remote, branch);
  const fetched = await fetchCopies(repository, remote, branch, options);
  if (!fetched.ok) return fetched;
  const refs = await listRefs(repository, [copies.reports, copies.notes]);
  if (!refs.ok) return refs;
  const oids = (name: string) => refs.value.filter((ref) => ref.name === name).map((ref) => ref.oid);
  return advance(repository, {
    branch,
    files: new Map(),
    notes: new Map(),
    message: 'Join reports\n',
    theirReports: oids(copies.reports),
    theirNotes: oids(copies.notes),
    ...(options.computed === undefined ? {} : { computed: options.computed }),
  });
}

async function fetchCopies(
  repository: Repository,
  remote: string,
  branch: string,
  options: RemoteOptions,
): Promise<Result<unknown, GitError>> {
  const copies = remoteCopies(remote, branch);
  const reports = `+${reportsRef(branch)}:${copies.reports}`;
  // With a star a remote without notes is no error (git-fetch(1)); a branch name may not have one: `mlops-x` would come too.
  const notes = `+${displayedNotes}*:${copies.notes}*`;
  const all = await fetchRefs(repository, remote, [reports, notes], options);
  if (all.ok || all.error.reason !== 'no-remote-ref') return all;
  return fetchRefs(repository, remote, [notes], options);
}

function fetchRefs(
  repository: Repository,
  remote: string,
  refspecs: readonly string[],
  options: RemoteOptions,
): Promise<Result<unknown, GitError>> {
  const args = [
    'fetch',
    '--quiet',
    '--no-tags',
    '--no-prune',
    '--no-write-fetch-head',
    '--no-recurse-submodules',
    '--no-auto-maintenance',
    // A partial clone would else ask for every report one by one later.
    '--no-filter',
    // Else the user's forced refspecs are applied besides ours (git-fetch(1), CONFIGURED REMOTE-TRACKING BRANCHES).
    '--refmap=',
    '--end-of-options',
    remote,
    ...refspecs,
  ];
  return git(repository, args, { ...signalOf(options), env: nested });
}

/** Seen by our own hooks, should git or a hook manager call them from within these calls. */
const nested = { MLOPS_NESTED: '1' };
const signalOf = ({ signal }: RemoteOptions) => (signal === undefined ? {} : { signal });

export type Published =
  | { readonly kind: 'published'; readonly tries: number }
  /** The remote has everything already, as far as we know, or there is nothing yet. No connection was made. */
  | { readonly kind: 'nothing-to-publish' }
  /** Kept here; the next call that can will send it. */
  | { readonly kind: 'refused'; readonly tries: number; readonly error: RecordError };

const maxTries = 15;

/**
 * Sends the reports branch and the notes. Called from pre-push, before the user's own refs go. `remote` is a name or a
 * URL; a remote with several push URLs runs the hook once for each: then give the URL.
 */
export async function publishReports(
  repository: Repository,
  remote: string,
  branch: string,
  options: RemoteOptions = {},
): Promise<Published> {
  for (let tries = 1; ; tries++) {
    const refspecs = await unpublished(repository, remote, branch);
    if (!refspecs.ok) return { kind: 'refused', tries, error: refspecs.error };
    // On a later try: what we fetched contains what we had, because someone sent it for us.
    if (refspecs.value.length === 0) return tries === 1 ? { kind: 'nothing-to-publish' } : { kind: 'published', tries };
    const pushed = await push(repository, remote, refspecs.value, options);
    if (pushed.ok) return { kind: 'published', tries };
    if (pushed.error.reason !== 'rejected' || tries === maxTries)
      return { kind: 'refused', tries, error: pushed.error };
    await jitter(tries, 1000);
    const merged = await fetchReports(repository, remote, branch, options);
    if (!merged.ok) return { kind: 'refused', tries, error: merged.error };
  }
}

interface Sending {
  readonly refspec: string;
  readonly oid: Oid;
  /** Our copy of the remote's ref, to be moved when it has arrived. */
  readonly copy: string;
}

/** Whether there is something that this remote does not have yet, as far as is known without asking it. */
export async function hasUnpublished(repository: Repository, remote: string, branch: string): Promise<boolean> {
  const sending = await unpublished(repository, remote, branch);
  return sending.ok && sending.value.length > 0;
}

async function unpublished(
  repository: Repository,
  remote: string,
  branch: string,
): Promise<Result<readonly Sending[], GitError>> {
  const copies = remoteCopies(remote, branch);
  const pairs = [
    { own: reportsRef(branch), there: reportsRef(branch), copy: copies.reports },
    { own: canonicalNotes, there: displayedNotes, copy: copies.notes },
  ];
  const refs = await listRefs(
    repository,
    pairs.flatMap(({ own, copy }) => [own, copy]),
  );
  if (!refs.ok) return refs;
  const at = (name: string) => refs.value.find((ref) => ref.name === name)?.oid;
  const sending = pairs.flatMap(({ own, there, copy }) => {
    const oid = at(own);
    return oid === undefined ? [] : [{ refspec: `${oid}:${there}`, oid, copy, known: at(copy) === oid }];
  });
  // Both or none: one of them alone at the remote would be half a record.
  return ok(sending.every((one) => one.known) ? [] : sending);
}

async function push(
  repository: Repository,
  remote: string,
  sending: readonly Sending[],
  options: RemoteOptions,
): Promise<Result<unknown, GitError>> {
  let pushed = await pushRefs(repository, remote, sending, ['--atomic'], options);
  if (!pushed.ok && pushed.error.reason === 'no-atomic')
    pushed = await pushRefs(repository, remote, sending, [], options);
  if (!pushed.ok) return pushed;
  const stdin = sending.map(({ copy, oid }) => `update ${copy} ${oid}\n`).join('');
  const noted = await git(repository, ['update-ref', '--stdin'], { stdin });
  // Another of our processes has just fetched: its copy is as good as ours.
  return !noted.ok && noted.error.reason === 'lock' ? ok(undefined) : noted;
}

async function pushRefs(
  repository: Repository,
  remote: string,
  sending: readonly Sending[],
  flags: readonly string[],
  options: RemoteOptions,
): Promise<Result<unknown, GitError>> {
  const settings = [
    'push.gpgSign=false',
    'push.followTags=false',
    'push.recurseSubmodules=no',
    // The user's `-o merge_request.create` is meant for their own refs. An empty value clears the list.
    'push.pushOption=',
    // A mirror would push, and delete, everything.
    ...(remote.includes('=') ? [] : [`remote.${remote}.mirror=false`]),
  ].flatMap((setting) => ['-c', setting]);
  const refspecs = sending.map(({ refspec }) => refspec);
  const args = [
    ...settings,
    'push',
    '--porcelain',
    '--no-verify',
    '--no-signed',
    ...flags,
    '--end-of-options',
    remote,
    ...refspecs,
  ];
  const process = gitStream(repository, args, { ...signalOf(options), env: nested });
  process.stdin.end();
  let report = '';
  process.stdout.setEncoding('utf8').on('data', (text: string) => {
    report += text;
  });
  const done = await process.done;
  if (done.ok || done.error.reason === 'aborted') return done;
  // Which refs were refused is on standard output; a server that hung up is on standard error.
  const reason = classify(`${report}\n${done.error.stderr}`);
  return err({ ...done.error, reason, stderr: `${done.error.stderr}${report}` });
}
