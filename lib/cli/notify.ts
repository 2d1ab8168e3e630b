import type { GateOutcome } from '../gate/outcome.ts';
import type { App } from './app.ts';
import { labelled, said } from './screens/layout.ts';
import type { Session } from './session.ts';

/** A verdict that has just arrived is told to the user's own command, if there is one. Whatever comes of that changes no exit code. */
export async function notifyOf(app: App, { repo, setting }: Session, outcome: GateOutcome): Promise<void> {
  if (outcome.outcome !== 'judged' || outcome.how !== 'trained') return;
  const { notify } = await import('../commands/notify.ts');
  const failure = await notify(repo, outcome.report);
  if (failure === undefined) return;
  const words =
    failure.reason === 'exit'
      ? `mlops.notify ended with ${failure.code}${failure.detail === '' ? '' : `: ${said(failure.detail, 200)}`}`
      : `mlops.notify did not end within ${failure.seconds} s, and was ended`;
  app.say(labelled('warning', setting.style.yellow(words)));
}
