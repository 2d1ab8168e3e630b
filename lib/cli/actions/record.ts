import { asRecorder } from '../../fingerprint/recorder.ts';
import { identify } from '../../gate/identify.ts';
import { resolveCommit } from '../../git/history.ts';
import { openRepository } from '../../git/repository.ts';
import type { App } from '../app.ts';
import { submitInBackground } from './post-commit.ts';

/** What post-commit had no time for: hashes the data and records the commit, while nobody watches. */
export async function recordInBackground(app: App, named: string): Promise<number> {
  const opened = await openRepository(app.cwd, app.env);
  if (!opened.ok) return 1;
  const repo = opened.value;
  const commit = await resolveCommit(repo, named);
  if (!commit.ok) return 1;
  const context = { repo, now: app.now, signal: app.signal, emit: () => undefined };
  const done = await asRecorder(repo.stateDir, commit.value, () => identify(context, commit.value));
  if (!done.ok) return 1;
  if (done.value.config.onCommit === 'submit') await submitInBackground(app, repo, commit.value);
  return 0;
}
