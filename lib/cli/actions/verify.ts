import { verify } from '../../commands/verify.ts';
import type { App } from '../app.ts';
import { reportsBranch } from '../reports-branch.ts';
import { troubleLines } from '../screens/trouble.ts';
import { verifyLines, verifyTrouble } from '../screens/verify.ts';
import { inRepository } from '../session.ts';

/** `mlops verify RANGE…`: 0 only where every tip has a pass. For a server's pre-receive hook and for CI; contacts nobody. */
export async function verifyCommand(app: App, ranges: readonly string[], branch: string | undefined): Promise<number> {
  // In a pre-receive hook the objects are in quarantine. Nothing is written here, so that reading them is all right.
  const { GIT_QUARANTINE_PATH: _, ...env } = app.env;
  return inRepository({ ...app, env }, { again: 'mlops verify' }, async ({ repo, setting }) => {
    const done = await verify({
      repo,
      branch: branch ?? (await reportsBranch(repo)),
      ranges,
      now: app.now,
      emit: () => undefined,
    });
    app.say(
      ...(done.ok ? verifyLines(done.value, setting) : troubleLines(verifyTrouble(done.error, setting), setting.style)),
    );
    return done.ok && done.value.passed ? 0 : 1;
  });
}
