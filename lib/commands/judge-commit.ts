import type { GateContext } from '../gate/context.ts';
import { gateCommit } from '../gate/gate-commit.ts';
import type { Identified } from '../gate/identify.ts';
import type { Destination } from '../gate/judge-run.ts';
import type { GateOutcome } from '../gate/outcome.ts';
import { forgetPending, isAnswered, pendingRun } from '../gate/pending.ts';
import type { RunOptions } from '../gate/run-commit.ts';
import { supersede } from './supersede.ts';

/** One commit's way through the gate, with what this clone has to remember of it. */
export async function judgeCommit(
  context: GateContext,
  identified: Identified,
  destination: Destination,
  options: RunOptions,
): Promise<GateOutcome> {
  const outcome = await gateCommit(context, { identified, ...destination, ...options });
  if (outcome.outcome === 'waiting' && identified.config.supersede === 'queued') {
    for (const { commit, job = '' } of await supersede(context, { ...outcome, branch: destination.branch }))
      context.emit({ event: 'superseded', commit, job });
  }
  // Without its report the verdict is still to be fetched.
  if (outcome.outcome === 'judged' && outcome.recorded.ok) {
    const pending = pendingRun(context.repo, identified);
    if (pending === undefined || isAnswered(pending, outcome.report.run))
      forgetPending(context.repo, identified.commit);
  }
  return outcome;
}

/** Whether a push may go on after this: a pass, or what a person has decided. */
export function letsGo(outcome: GateOutcome): boolean {
  switch (outcome.outcome) {
    case 'judged':
      return outcome.report.outcome === 'pass' || outcome.report.outcome === 'accepted';
    case 'skipped':
      return true;
    case 'waiting':
      // `push: record` and `--detach` ask for nothing more.
      return outcome.why === 'submitted';
    case 'stopped':
      return false;
  }
}
