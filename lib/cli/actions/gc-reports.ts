import { randomBytes } from 'node:crypto';
import { type PruneRequest, pruneReports } from '../../commands/prune-reports.ts';
import { parseDays } from '../../config/units.ts';
import { mainRemote } from '../../git/local-settings.ts';
import { reportId } from '../../report/report-path.ts';
import type { App } from '../app.ts';
import { reportsBranch } from '../reports-branch.ts';
import { gitTrouble } from '../screens/git-trouble.ts';
import { lead } from '../screens/layout.ts';
import { pruneLines, pruneTrouble } from '../screens/prune.ts';
import { troubleLines } from '../screens/trouble.ts';
import { inRepository, withProgress } from '../session.ts';
import type { GcFlags } from './gc.ts';

/** `mlops gc --reports`: here and at the remote, without a host. */
export async function gcReportsCommand(app: App, flags: GcFlags): Promise<number> {
  const { olderThan, keep, dryRun = false } = flags;
  const rule = ruleOf(flags, Math.floor(app.now().getTime() / 1000));
  if (typeof rule === 'string') {
    app.say(lead(rule));
    return 1;
  }
  const words = [
    ...(olderThan === undefined ? [] : ['--older-than', olderThan]),
    ...(keep === undefined ? [] : ['--keep', keep]),
    ...(dryRun ? ['--dry-run'] : []),
  ];
  return inRepository(app, { again: ['mlops gc --reports', ...words].join(' ') }, async (session) => {
    const { repo, setting } = session;
    const remote = await mainRemote(repo);
    if (!remote.ok) {
      app.say(...troubleLines(gitTrouble(remote.error, setting), setting.style));
      return 1;
    }
    const branch = await reportsBranch(repo);
    const to = remote.value === undefined ? {} : { remote: remote.value };
    return withProgress(app, session, async ({ emit, now, signal }, progress) => {
      const id = reportId(now(), randomBytes(3).readUIntBE(0, 3));
      const done = await pruneReports({ repo, branch, emit }, { ...rule, ...to, dryRun, id, signal });
      progress.say(
        ...(done.ok
          ? pruneLines(done.value, { branch, dryRun }, setting)
          : troubleLines(pruneTrouble(done.error, setting), setting.style)),
      );
      return done.ok && done.value.published?.kind !== 'refused' ? 0 : 1;
    });
  });
}

/** What was typed, or what is wrong with it. */
function ruleOf(
  { olderThan, keep, maxSize, maxEnvironments, verify = false }: GcFlags,
  now: number,
): Pick<PruneRequest, 'before' | 'keep'> | string {
  if (maxSize !== undefined || maxEnvironments !== undefined || verify)
    return '--max-size, --max-environments and --verify are about what is kept where jobs run: they do not go with --reports';
  const days = olderThan === undefined ? undefined : parseDays(olderThan);
  const count = /^\d{1,9}$/.exec(keep ?? '')?.[0];
  const unclear = (olderThan !== undefined && days === undefined) || (keep !== undefined && count === undefined);
  if (unclear || (days === undefined && count === undefined))
    return '--reports takes --older-than (whole days from 1), --keep (how many stay), or both: then what is old goes, except the newest';
  return {
    ...(days === undefined ? {} : { before: now - days * 86_400 }),
    ...(count === undefined ? {} : { keep: Number(count) }),
  };
}
