import { type GatedTips, type GateTips, gateTips } from '../../commands/gate-tips.ts';
import type { GateOutcome } from '../../gate/outcome.ts';
import { readPipeline } from '../../gate/pipeline.ts';
import { ownSettings } from '../../git/config-values.ts';
import { resolveCommit } from '../../git/history.ts';
import type { Repository } from '../../git/repository.ts';
import { holdSeconds, transportOf } from '../../git/transport.ts';
import type { App } from '../app.ts';
import { notifyOf } from '../notify.ts';
import { outcomeLines, publishedLines } from '../screens/outcome.ts';
import type { Patience } from '../screens/waiting.ts';
import { type Session, withProgress } from '../session.ts';

/** Judges what a push brings, tells each verdict as it comes, and says whether the push may go. */
export async function gatePush(
  app: App,
  session: Session,
  request: Omit<GateTips, 'skip' | 'wait'>,
  patience: Patience | undefined,
): Promise<GatedTips> {
  const { setting } = session;
  const wait = patience === undefined ? 'until-ended' : { until: app.now().getTime() + patience.seconds * 1000 };
  return withProgress(app, session, async (context, progress) => {
    const outcomes: GateOutcome[] = [];
    const done = await gateTips(context, { ...request, skip: reasonToSkip(app), wait }, ({ outcome, policy }) => {
      outcomes.push(outcome);
      progress.say(...outcomeLines(outcome, { ...setting, holdsPush: policy === 'gate' }, patience));
    });
    progress.say(...publishedLines(done.published, setting));
    for (const outcome of outcomes) await notifyOf(app, session, outcome);
    return done;
  });
}

/** `MLOPS_SKIP="reason" git push`. An empty value is none. */
function reasonToSkip({ env }: App): string | undefined {
  const reason = env.MLOPS_SKIP?.trim() ?? '';
  return reason === '' ? undefined : reason;
}

/** The branches that hold the reports. Their names alone let nothing through: `reports: main` must not switch the gate off. */
export async function reportBranches(repo: Repository): Promise<readonly string[]> {
  const head = await resolveCommit(repo, 'HEAD');
  const pipeline = head.ok ? await readPipeline(repo, head.value) : undefined;
  return ['refs/heads/mlops', ...(pipeline?.ok ? [`refs/heads/${pipeline.value.reports}`] : [])];
}

/** How long a push may be held: `git config mlops.hold SECONDS`, else what is known of the server. Undefined: without limit. */
export async function patienceFor(repo: Repository, url: string): Promise<Patience | undefined> {
  const values = await ownSettings(repo);
  const own = values.ok ? values.value.get('mlops.hold') : undefined;
  const seconds = own !== undefined && /^\d{1,6}$/.test(own) ? Number(own) : holdSeconds(url);
  const transport = transportOf(url);
  return seconds === undefined ? undefined : { remote: 'host' in transport ? transport.host : url, seconds };
}
