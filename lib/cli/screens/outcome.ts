import { unreachable } from '../../base/unreachable.ts';
import type { GateOutcome } from '../../gate/outcome.ts';
import type { GatedUpdate } from '../../git/pre-push.ts';
import type { Published } from '../../git/publish.ts';
import { stoppedScreen } from './gate-trouble.ts';
import { labelled, lead, said, saidLines, wrap } from './layout.ts';
import { recordTrouble } from './record-trouble.ts';
import type { Setting } from './setting.ts';
import { skippedLines, verdictLines } from './verdict.ts';
import { type Patience, waitingLines } from './waiting.ts';

/** The screen at the end of one commit's way. */
export function outcomeLines(outcome: GateOutcome, setting: Setting, patience?: Patience): readonly string[] {
  switch (outcome.outcome) {
    case 'judged':
      return verdictLines(outcome, setting);
    case 'waiting':
      return waitingLines(outcome, setting, patience);
    case 'skipped':
      return skippedLines(outcome.report, outcome.recorded, setting);
    case 'stopped':
      return stoppedScreen(outcome, setting);
    default:
      return unreachable(outcome);
  }
}

/** Only what a person has to know: that the reports did not arrive. The push goes on, or not, by the verdict alone. */
export function publishedLines(published: Published | undefined, setting: Setting): readonly string[] {
  if (published?.kind !== 'refused') return [];
  const { failed, raw } = recordTrouble(published.error, setting);
  const words = `the reports were not published: ${failed}. They stay here, and the next push that can sends them`;
  const { yellow } = setting.style;
  return [
    ...wrap(words, 82).map((line, index) => labelled(index === 0 ? 'warning' : '', index === 0 ? yellow(line) : line)),
    ...saidLines(raw ?? '', 82).map((line) => labelled('', line)),
  ];
}

/** Branches that go unjudged must be seen to do so; of those that hold the reports everybody knows. */
export const withoutPipelineLines = (tips: readonly GatedUpdate[], ownRefs: readonly string[]): readonly string[] =>
  tips
    .flatMap(({ branches }) => branches)
    .filter(({ name }) => !ownRefs.includes(`refs/heads/${name}`))
    .map(({ name }) => lead(`${said(name, 60)} never had a .mlops/config.yaml: it goes unjudged`));
