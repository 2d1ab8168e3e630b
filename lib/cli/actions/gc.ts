import { gc } from '../../commands/gc.ts';
import { parseDays, parseMem } from '../../config/units.ts';
import type { App } from '../app.ts';
import { atPlaceOf } from '../at-place.ts';
import { commitArgument } from '../commit-argument.ts';
import { gcLines, gcTrouble } from '../screens/gc.ts';
import { lead } from '../screens/layout.ts';
import { troubleLines } from '../screens/trouble.ts';
import { inRepository, type Session, withProgress } from '../session.ts';
import { mayRun } from '../trust.ts';

export interface GcFlags {
  readonly olderThan?: string;
  readonly maxSize?: string;
  readonly reports?: boolean;
  readonly keep?: string;
  readonly maxEnvironments?: string;
  readonly verify?: boolean;
  readonly dryRun?: boolean;
}

/** `mlops gc`, where HEAD's config runs its jobs. */
export async function gcCommand(app: App, flags: GcFlags): Promise<number> {
  const { olderThan = '30', dryRun = false, verify = false, maxSize, maxEnvironments, keep } = flags;
  const days = parseDays(olderThan);
  const [maxBytes, maxEnvironmentBytes] = [maxSize, maxEnvironments].map((size) =>
    size === undefined ? undefined : (parseMem(size) ?? Number.NaN),
  );
  if (keep !== undefined) {
    app.say(lead('--keep counts reports: it goes with --reports'));
    return 1;
  }
  if (days === undefined || Number.isNaN(maxBytes) || Number.isNaN(maxEnvironmentBytes)) {
    app.say(lead('--older-than takes whole days from 1, --max-size and --max-environments a size like 200G'));
    return 1;
  }
  const words = [
    'mlops gc',
    `--older-than ${olderThan}`,
    maxSize !== undefined && `--max-size ${maxSize}`,
    maxEnvironments !== undefined && `--max-environments ${maxEnvironments}`,
    verify && '--verify',
    dryRun && '--dry-run',
  ];
  const again = words.filter((word) => word !== false).join(' ');
  return inRepository(app, { again }, async (session) => {
    if (!(await mayRun(app, session))) return 1;
    const request = {
      olderThanDays: days,
      ...(maxBytes === undefined ? {} : { maxBytes }),
      ...(maxEnvironmentBytes === undefined ? {} : { maxEnvironmentBytes }),
      dryRun,
      verify,
    };
    return free(app, session, request);
  });
}

async function free(app: App, session: Session, request: Parameters<typeof gc>[1]): Promise<number> {
  const { setting } = session;
  const commit = await commitArgument(app, session, undefined);
  if (commit === undefined) return 1;
  return withProgress(app, session, (context, progress) =>
    atPlaceOf(context, commit, progress, setting, async (connection, place) => {
      const done = await gc(connection, { ...request, signal: app.signal });
      progress.say(
        ...(done.ok
          ? gcLines(done.value, place.name, setting)
          : troubleLines(gcTrouble(done.error, setting), setting.style)),
      );
      return done.ok && done.value.left.length === 0 ? 0 : 1;
    }),
  );
}
