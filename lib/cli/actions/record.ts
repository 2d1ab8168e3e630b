import { postCommit } from '../../commands/post-commit.ts';
import { openRepository } from '../../git/repository.ts';
import type { App } from '../app.ts';

/** What post-commit had no time for: hashes the data and records the commit, while nobody watches. */
export async function recordInBackground(app: App): Promise<number> {
  const opened = await openRepository(app.cwd, app.env);
  if (!opened.ok) return 1;
  const done = await postCommit({ repo: opened.value, now: app.now, signal: app.signal, emit: () => undefined });
  return done.ok ? 0 : 1;
}
