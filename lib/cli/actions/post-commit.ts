import { spawn } from 'node:child_process';
import { postCommit as record } from '../../commands/post-commit.ts';
import { openRepository, type Repository } from '../../git/repository.ts';
import type { App } from '../app.ts';
import { commitLine } from '../screens/commit-line.ts';
import { lead } from '../screens/layout.ts';

/** After this many milliseconds hashing goes on in the background: a commit is never noticeably delayed. */
const patience = 1000;

/** `git commit` runs it. It never fails the commit and never asks: 0 always, one line at most. */
export async function postCommit(app: App): Promise<number> {
  const opened = await openRepository(app.cwd, app.env);
  if (!opened.ok) return 0;
  const repo = opened.value;
  const late = AbortSignal.timeout(patience);
  const signal = AbortSignal.any([late, app.signal]);
  const done = await record({ repo, now: app.now, signal, emit: () => undefined });
  if (done.ok) {
    if (done.value.kind === 'recorded') {
      app.say(commitLine(done.value));
      if (done.value.identified.config.onCommit === 'submit') await submitInBackground(app, repo);
    }
    return 0;
  }
  const { error } = done;
  if (error.reason === 'fingerprint' && error.cause.reason === 'aborted' && late.aborted) {
    goOnInBackground(app, repo, ['record']);
    app.say(lead('the data is hashed in the background; a push waits for it'));
    return 0;
  }
  const { pipelineTrouble } = await import('../screens/gate-trouble.ts');
  const { fingerprintTrouble } = await import('../screens/fingerprint-trouble.ts');
  const { troubleLines } = await import('../screens/trouble.ts');
  const { settingFor } = await import('../session.ts');
  const setting = await settingFor(app, { again: 'git push' });
  const trouble =
    error.reason === 'pipeline' ? pipelineTrouble(error.cause, setting) : fingerprintTrouble(error.cause, setting);
  app.say(...troubleLines(trouble, setting.style));
  return 0;
}

/** `on_commit: submit`, where this clone is trusted: a hook must not run what nobody has looked at. */
async function submitInBackground(app: App, repo: Repository): Promise<void> {
  const { isTrusted } = await import('../../commands/trust.ts');
  const trusted = await isTrusted(repo);
  if (trusted.ok && trusted.value) goOnInBackground(app, repo, ['run', '--detach']);
}

/** With no pipe of ours: git waits until everybody has closed them. */
function goOnInBackground(app: App, repo: Repository, args: readonly string[]): void {
  const cwd = repo.top ?? repo.gitDir;
  spawn(app.node, [app.program, ...args], { cwd, env: repo.env, stdio: 'ignore', detached: true }).unref();
}
