import { isOid, type Oid } from '../base/ids.ts';
import { displayedNotes } from './report-refs.ts';

/** One line of a pre-push hook's standard input (githooks(5)). */
export interface PushUpdate {
  /** What the user typed, `HEAD~1` too; `(delete)` for a deletion. */
  readonly localRef: string;
  /** Undefined for a deletion. */
  readonly localOid: Oid | undefined;
  readonly remoteRef: string;
  /** Undefined for a new ref. The object need not exist here. */
  readonly remoteOid: Oid | undefined;
  /** The remote as the user named it. */
  readonly remote: string;
  readonly url: string;
  /** Pushed to a URL without a configured remote: it has no remote-tracking refs. */
  readonly bareUrl: boolean;
}

/** Empty for "everything up-to-date" and for pushes that git has already rejected. */
export function parsePrePush(stdin: string, remoteName: string, url: string): PushUpdate[] {
  const updates: PushUpdate[] = [];
  for (const line of stdin.split('\n')) {
    // From the right: what the user typed may contain spaces (`HEAD@{1 day ago}`), the rest cannot.
    const [, localRef, localOid, remoteRef, remoteOid] = /^(.+) ([0-9a-f]+) (\S+) ([0-9a-f]+)$/.exec(line) ?? [];
    if (localRef === undefined || localOid === undefined || remoteRef === undefined || remoteOid === undefined)
      continue;
    updates.push({
      localRef,
      localOid: present(localOid),
      remoteRef,
      remoteOid: present(remoteOid),
      remote: remoteName,
      url,
      bareUrl: remoteName === url,
    });
  }
  return updates;
}

/** All zeros, 40 or 64 of them, is git's "none". */
const present = (text: string): Oid | undefined => (/^0+$/.test(text) || !isOid(text) ? undefined : text);

export interface GatedUpdate {
  readonly commit: Oid;
  /** The branches of the remote that get this commit, without refs/heads/, in the order of the push. */
  readonly branches: readonly GatedBranch[];
}
export interface GatedBranch {
  readonly name: string;
  /** What the remote has there now; undefined for a new branch. */
  readonly before: Oid | undefined;
}

/** What a gate looks at: the tips of branches, each commit once. Not deletions, tags or other refs. */
export function gatedUpdates(updates: readonly PushUpdate[]): GatedUpdate[] {
  const byCommit = new Map<Oid, GatedBranch[]>();
  for (const { localOid, remoteRef, remoteOid } of updates) {
    if (localOid === undefined || !remoteRef.startsWith('refs/heads/')) continue;
    const branch = { name: remoteRef.slice('refs/heads/'.length), before: remoteOid };
    byCommit.set(localOid, [...(byCommit.get(localOid) ?? []), branch]);
  }
  return [...byCommit].map(([commit, branches]) => ({ commit, branches }));
}

/**
 * The push itself brings reports or notes (--all, --mirror): git has already agreed with the remote on what is there, so whoever moves
 * these refs meanwhile makes it fail.
 */
export const bringsReports = (updates: readonly PushUpdate[], ownRefs: readonly string[]): boolean =>
  updates.some(({ remoteRef }) => ownRefs.includes(remoteRef) || remoteRef === displayedNotes);
