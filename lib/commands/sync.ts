import type { GateContext } from '../gate/context.ts';
import { identifyCommit, stoppedBy } from '../gate/gate-commit.ts';
import type { GateOutcome } from '../gate/outcome.ts';
import { forgetPending, type PendingRun, pendingRuns } from '../gate/pending.ts';
import { judgeCommit } from './judge-commit.ts';

export interface Synced {
  readonly run: PendingRun;
  readonly outcome: GateOutcome;
}

/** Looks after every run of this clone that nobody waited for: what has ended is judged and recorded, what goes on is told. */
export async function sync(context: GateContext, tell: (synced: Synced) => void): Promise<void> {
  for (const run of pendingRuns(context.repo)) {
    if (context.signal.aborted) return;
    const identified = await identifyCommit(context, run.commit, run.remote);
    const outcome: GateOutcome = identified.ok
      ? await judgeCommit(
          context,
          identified.value,
          { branch: run.branch, remote: run.remote },
          { wait: { until: context.now().getTime() }, start: 'never' },
        )
      : await stoppedBy(context.repo, run.commit, identified.error);
    // Whatever it was, it is gone: asking for it again and again would find nothing.
    if (outcome.outcome === 'stopped' && outcome.error.reason === 'no-run') forgetPending(context.repo, run.commit);
    tell({ run, outcome });
  }
}
