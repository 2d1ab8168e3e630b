import type { Oid } from '../base/ids.ts';
import { resolveCommit } from '../git/history.ts';
import { worktreeStatus } from '../git/status.ts';
import type { GateContext } from './context.ts';
import type { Prepared } from './prepare.ts';

/** What the user may have overlooked, told before the wait. */
export async function remark(
  { repo, emit }: Pick<GateContext, 'repo' | 'emit'>,
  commit: Oid,
  { uncarried, unread }: Pick<Prepared, 'uncarried' | 'unread'>,
): Promise<void> {
  const head = await resolveCommit(repo, 'HEAD');
  const status = head.ok && head.value === commit ? await worktreeStatus(repo, { max: 3 }) : undefined;
  if (status?.ok && status.value.count > 0)
    emit({ event: 'dirty-worktree', count: status.value.count, paths: status.value.dirty });
  if (uncarried.length > 0) emit({ event: 'files-not-carried', paths: uncarried });
  if (unread.length > 0) emit({ event: 'parameters-unread', of: unread });
}
