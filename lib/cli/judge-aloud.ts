import { judgeCommit } from '../commands/judge-commit.ts';
import type { GateContext } from '../gate/context.ts';
import type { Identified } from '../gate/identify.ts';
import type { Destination } from '../gate/judge-run.ts';
import type { GateOutcome } from '../gate/outcome.ts';
import type { RunOptions } from '../gate/run-commit.ts';
import type { Progress } from './progress.ts';
import type { Setting } from './screens/setting.ts';
import { recordedLines } from './screens/verdict.ts';

/** A run to its end for a command that goes on with its verdict: should the verdict not be kept, that is told. */
export const judgeAloud =
  (
    context: GateContext,
    destination: Destination,
    start: RunOptions['start'],
    progress: Progress,
    setting: Setting,
  ): ((identified: Identified) => Promise<GateOutcome>) =>
  async (identified) => {
    const outcome = await judgeCommit(context, identified, destination, { wait: 'until-ended', start });
    if (outcome.outcome === 'judged' && !outcome.recorded.ok) progress.say(...recordedLines(outcome.recorded, setting));
    return outcome;
  };
