import type { GateContext } from '../gate/context.ts';
import { identifyCommit, stoppedBy } from '../gate/gate-commit.ts';
import type { GateOutcome } from '../gate/outcome.ts';
import { forgetPending, type PendingRun, pendingRuns } from '../gate/pending.ts';
import { sharePlaces } from '../gate/shared-places.ts';
import { askPlaces } from './ask-places.ts';
import { judgeCommit } from './judge-commit.ts';

export interface Synced {
  readonly run: PendingRun;
  readonly outcome: GateOutcome;
}

/**
 * Looks after every run of this clone that nobody waited for: what has ended is judged and recorded, what goes on is told. Two hundred of
 * them take one login, and those that go on one question for all.
 */
export async function sync(context: GateContext, tell: (synced: Synced) => void): Promise<void> {
  const places = sharePlaces(context.placeFor);
  const shared = { ...context, placeFor: places.placeFor };
  try {
    const pending = pendingRuns(context.repo);
    const { statuses } = await askPlaces(shared, pending);
    for (const run of pending) {
      if (context.signal.aborted) return;
      const { job, place, fingerprint, commit, attempt } = run;
      const last = statuses.get(run);
      if (job !== undefined && (last?.state === 'queued' || last?.state === 'running')) {
        const about = { fingerprint, commit, place, job, attempt, last };
        tell({ run, outcome: { outcome: 'waiting', why: 'hold-over', ...about } });
      } else tell({ run, outcome: await syncRun(shared, run) });
    }
  } finally {
    await places.close();
  }
}

async function syncRun(context: GateContext, run: PendingRun): Promise<GateOutcome> {
  const identified = await identifyCommit(context, run.commit, run.remote);
  if (!identified.ok) return stoppedBy(context.repo, run.commit, identified.error);
  const outcome = await judgeCommit(
    context,
    identified.value,
    { branch: run.branch, remote: run.remote },
    { wait: { until: context.now().getTime() }, start: 'never' },
  );
  // Whatever it was, it is gone: asking for it again and again would find nothing.
  if (outcome.outcome === 'stopped' && outcome.error.reason === 'no-run') forgetPending(context.repo, run.commit);
  return outcome;
}
