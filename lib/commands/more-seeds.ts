import { addSeeds } from '../gate/add-seeds.ts';
import type { GateContext } from '../gate/context.ts';
import type { Identified } from '../gate/identify.ts';
import type { Destination } from '../gate/judge-run.ts';
import type { GateOutcome } from '../gate/outcome.ts';
import { wantsMoreSeeds } from '../verdict/judge.ts';
import { judgeCommit } from './judge-commit.ts';

/** `mlops run --more-seeds`: what `mlops run` does; and where that is undecided and `undecided: more` says so, the declared seeds are added, once. */
export async function judgeWithMoreSeeds(
  context: GateContext,
  identified: Identified,
  destination: Destination,
): Promise<GateOutcome> {
  const first = await judgeCommit(context, identified, destination, { wait: 'until-ended', start: 'if-needed' });
  if (first.outcome !== 'judged') return first;
  const { report } = first;
  const { run } = report;
  if (run === undefined || report.outcome !== 'fail' || !wantsMoreSeeds(report.verdict, run)) return first;
  return addSeeds(context, identified, destination, { ...report, run });
}
