import type { Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import type { GitError } from '../git/errors.ts';
import { type CommitInfo, commitInfos } from '../git/history.ts';
import { latestNotes } from '../git/notes.ts';
import type { Repository } from '../git/repository.ts';
import { type Note, parseNoteLine } from '../report/note-line.ts';

export interface LogEntry {
  readonly commit: Oid;
  /** Undefined: the commit is not in this clone. A colleague's verdict may come before their branch, or outlive it. */
  readonly info?: CommitInfo;
  readonly notes: readonly LoggedNote[];
  /** Seconds since the epoch, of the newest line. */
  readonly notedAt: number;
}
/** A line as it stands, and what it says; without `note` somebody else wrote it. */
export interface LoggedNote {
  readonly line: string;
  readonly note?: Note;
}

export interface LogSpan {
  /** Infinity: all that there are. */
  readonly maxCount: number;
  /** Seconds since the epoch. */
  readonly since?: number;
}

/** `mlops log`: the commits that were judged last, newest first, by the notes of this clone and those that were fetched. */
export async function log(
  repo: Repository,
  { maxCount, since }: LogSpan,
): Promise<Result<readonly LogEntry[], GitError>> {
  const latest = await latestNotes(repo, maxCount, since);
  if (!latest.ok) return latest;
  const infos = await commitInfos(
    repo,
    latest.value.map(({ commit }) => commit),
    'skip',
  );
  if (!infos.ok) return infos;
  return ok(
    latest.value.map(({ commit, lines, notedAt }): LogEntry => {
      const info = infos.value.get(commit);
      const notes = lines.map((line): LoggedNote => {
        const note = parseNoteLine(line);
        return note === undefined ? { line } : { line, note };
      });
      return { commit, ...(info === undefined ? {} : { info }), notes, notedAt };
    }),
  );
}
