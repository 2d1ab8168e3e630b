import { accept } from '../../commands/accept.ts';
import type { App } from '../app.ts';
import { aboutCommit } from '../commit-argument.ts';
import { lead } from '../screens/layout.ts';
import { nextLines } from '../screens/trouble.ts';
import { verdictLines } from '../screens/verdict.ts';
import { inRepository } from '../session.ts';

/** `mlops accept [COMMIT] --reason "…"`. */
export async function acceptCommand(app: App, named: string | undefined, reason: string): Promise<number> {
  return inRepository(app, { again: 'mlops accept' }, async (session) => {
    const { setting } = session;
    return aboutCommit(app, session, named, async (context, identified, progress) => {
      if (reason.trim() === '') {
        progress.say(lead('a reason is needed: it is what others will read'));
        return 1;
      }
      const done = await accept(context, identified, reason.trim());
      if (done.ok) {
        const { report, recorded } = done.value;
        progress.say(...verdictLines({ outcome: 'judged', report, how: 'known', recorded }, setting));
        return recorded.ok ? 0 : 1;
      }
      const commit = identified.commit.slice(0, 7);
      progress.say(
        ...(done.error.reason === 'nothing-known'
          ? [
              lead(`nothing is known about ${commit}: there is no verdict to overrule`),
              ...nextLines(
                [
                  { command: `mlops run ${commit}`, what: 'gets one' },
                  { command: 'MLOPS_SKIP="reason" git push', what: 'pushes without one, and records that' },
                ],
                setting.style,
              ),
            ]
          : [lead(`${commit} meets every requirement: there is nothing to overrule`)]),
      );
      return 1;
    });
  });
}
