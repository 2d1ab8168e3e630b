import { bisect } from '../../commands/bisect.ts';
import { diff } from '../../commands/diff.ts';
import { identifySide } from '../../gate/identify-side.ts';
import { syncDisplayedNotes } from '../../git/reports.ts';
import type { App } from '../app.ts';
import { usualDestination } from '../commit-argument.ts';
import { judgeAloud } from '../judge-aloud.ts';
import { reportsBranch } from '../reports-branch.ts';
import { bisectedLines, bisectStepLines, bisectTroubleLines } from '../screens/bisect.ts';
import { inRepository, settingFor, withProgress } from '../session.ts';
import { mayRun } from '../trust.ts';

/** `mlops bisect [GOOD BAD]`. What is found goes to standard output, what happens on the way to standard error. */
export async function bisectCommand(
  app: App,
  revisions: readonly string[],
  flags: { readonly known?: boolean },
): Promise<number> {
  const known = flags.known === true;
  const again = ['mlops bisect', ...(known ? ['--known'] : []), ...revisions].join(' ');
  return inRepository(app, { again }, async (session) => {
    const { repo, setting } = session;
    if (revisions.length > 2) {
      app.say(`mlops  bisect takes two commits, not ${revisions.length}: mlops bisect GOOD BAD`);
      return 1;
    }
    if (!known && !(await mayRun(app, session))) return 1;
    const branch = await reportsBranch(repo);
    await syncDisplayedNotes(repo, branch);
    const { remote } = await usualDestination(repo);
    const [good, bad] = revisions;
    return withProgress(app, session, async (context, progress) => {
      const reports = { repo, branch, emit: context.emit };
      const found = await bisect({
        reports,
        ...(good === undefined ? {} : { good }),
        ...(bad === undefined ? {} : { bad }),
        identify: (commit) => identifySide(context, commit),
        // On no branch: what is judged on the way is nobody's newest verdict.
        ...(known ? {} : { judge: judgeAloud(context, { branch: undefined, remote }, 'if-needed', progress, setting) }),
        tell: (step) => progress.say(...bisectStepLines(step, setting)),
      });
      if (!found.ok) {
        progress.say(...bisectTroubleLines(found.error, setting));
        return 1;
      }
      const changes = await diff({
        reports,
        revisions: [found.value.good.commit, found.value.bad.commit],
        identify: (commit) => identifySide(context, commit),
      });
      progress.end();
      const printed = await settingFor(app, { again }, app.out);
      const lines = bisectedLines(found.value, changes.ok ? changes.value : undefined, printed);
      app.out.write(`${lines.join('\n')}\n`);
      return 0;
    });
  });
}
