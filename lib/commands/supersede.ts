import type { GateContext } from '../gate/context.ts';
import { identifyPast } from '../gate/identify.ts';
import { forgetPending, type PendingRun, pendingRuns } from '../gate/pending.ts';

/**
 * `supersede: queued`: runs of this clone and branch that still wait in the queue end when a newer commit has been submitted. What has begun
 * goes on: its verdict may be wanted, and its time is spent already. Where that cannot be found out, nothing is ended.
 */
export async function supersede(
  context: GateContext,
  newest: Pick<PendingRun, 'commit' | 'fingerprint'> & { readonly branch: string | undefined },
): Promise<readonly PendingRun[]> {
  // In the order of their submission: two commits in a row may get here at the same time.
  const all = pendingRuns(context.repo);
  const older = all
    .slice(
      0,
      all.findIndex(({ commit }) => commit === newest.commit),
    )
    .filter(
      (run) => run.branch !== undefined && run.branch === newest.branch && run.fingerprint !== newest.fingerprint,
    );
  const ended: PendingRun[] = [];
  for (const run of older) {
    const identified = await identifyPast(context, run.commit);
    if (!identified.ok || identified.value.fingerprint !== run.fingerprint) continue;
    if (await endQueued(context, run, identified.value.config)) ended.push(run);
  }
  return ended;
}

async function endQueued(
  context: GateContext,
  run: PendingRun,
  config: Parameters<GateContext['placeFor']>[0],
): Promise<boolean> {
  const connected = await context.placeFor(config).connect(context.signal);
  if (!connected.ok) return false;
  const { runs, scheduler, close } = connected.value;
  try {
    const looked = await runs.look(run.fingerprint);
    const last = looked.ok ? looked.value.at(-1) : undefined;
    if (last?.job === undefined) return false;
    const asked = await scheduler.query([last.job]);
    const status = asked.ok ? asked.value.get(last.job.id) : undefined;
    // Of an array that waits again, tasks have run.
    if (status?.state !== 'queued' || (status.counts?.ended ?? 0) > 0) return false;
    const cancelled = await scheduler.cancel(last.job);
    if (!cancelled.ok || cancelled.value.state !== 'ended') return false;
    forgetPending(context.repo, run.commit);
    return true;
  } finally {
    await close();
  }
}
