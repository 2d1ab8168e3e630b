import { type Diff, diff } from '../../commands/diff.ts';
import { identifyRun, identifySide } from '../../gate/identify-side.ts';
import { syncDisplayedNotes } from '../../git/reports.ts';
import type { App } from '../app.ts';
import { reportsBranch } from '../reports-branch.ts';
import { diffLines } from '../screens/diff.ts';
import { diffTrouble } from '../screens/diff-trouble.ts';
import { troubleLines } from '../screens/trouble.ts';
import { inRepository, settingFor, withProgress } from '../session.ts';

export interface DiffFlags {
  readonly json?: boolean;
}

/** `mlops diff [A] [B]`, on standard output. */
export async function diffCommand(app: App, revisions: readonly string[], flags: DiffFlags): Promise<number> {
  const again = ['mlops diff', ...revisions].join(' ');
  return inRepository(app, { again }, async (session) => {
    const { repo, setting } = session;
    if (revisions.length > 2) {
      app.say(`mlops  diff compares two, not ${revisions.length}: mlops diff A B`);
      return 1;
    }
    const branch = await reportsBranch(repo);
    await syncDisplayedNotes(repo, branch);
    const found = await withProgress(app, session, (context) =>
      diff({
        reports: { repo, branch, emit: context.emit },
        revisions,
        identify: (commit, run) =>
          run === undefined ? identifySide(context, commit) : identifyRun(context, branch, commit, run),
      }),
    );
    if (!found.ok) {
      app.say(...troubleLines(diffTrouble(found.error, setting), setting.style));
      return 1;
    }
    const printed = await settingFor(app, { again }, app.out);
    const text = flags.json === true ? diffJson(found.value) : diffLines(found.value, printed).join('\n');
    app.out.write(`${text}\n`);
    return 0;
  });
}

/** The same facts for programs; docs/reading.md describes the members. */
function diffJson({ before, after, metrics, comparison, lines, installed, places }: Diff): string {
  const side = ({ report, ...rest }: Diff['before']) => ({
    ...rest,
    ...(report === undefined ? {} : { report: report.id, outcome: report.outcome }),
  });
  return JSON.stringify({
    version: 1,
    before: side(before),
    after: side(after),
    metrics,
    ...(comparison.ok
      ? { changes: comparison.value.changes, steps: comparison.value.steps }
      : { unknown: comparison.error.reason }),
    lines: Object.fromEntries(lines),
    ...(installed === undefined ? {} : { installed }),
    ...(places === undefined ? {} : { places }),
  });
}
