import { randomBytes } from 'node:crypto';
import { dataPin } from '../../commands/data-pin.ts';
import type { App } from '../app.ts';
import { placeFor } from '../places.ts';
import { dataPinTrouble, pinEnd, pinnedLine } from '../screens/data-pin.ts';
import { statusText } from '../screens/job-status.ts';
import { labelled, lead, said, word } from '../screens/layout.ts';
import { troubleLines } from '../screens/trouble.ts';
import { inRepository } from '../session.ts';
import { mayRun } from '../trust.ts';

/** `mlops data pin [AS…] [--no-job]`. */
export async function dataPinCommand(
  app: App,
  names: readonly string[],
  flags: { readonly job: boolean },
): Promise<number> {
  return inRepository(app, { again: ['mlops data pin', ...names.map(word)].join(' ') }, async (session) => {
    if (!(await mayRun(app, session))) return 1;
    const { repo, setting } = session;
    let last = '';
    const done = await dataPin({
      repo,
      names,
      placeFor: placeFor(app),
      job: flags.job ? 'if-large' : 'never',
      now: app.now,
      signal: app.signal,
      token: randomBytes(6).toString('hex'),
      onBegin: ({ cluster }, place) => app.say(lead(`looking at ${said(cluster, 80)} on ${said(place, 60)}`)),
      onStatus: (id, status) => {
        if (status.state === last) return;
        last = status.state;
        app.say(labelled('', `job ${said(id, 20)}: ${statusText(status, setting.clock)}`));
      },
      onPinned: (pinned) => app.say(pinnedLine(pinned)),
    });
    app.say(
      ...(done.ok ? pinEnd(done.value, setting) : troubleLines(dataPinTrouble(done.error, setting), setting.style)),
    );
    return done.ok ? 0 : 1;
  });
}
