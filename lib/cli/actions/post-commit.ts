import { spawn } from 'node:child_process';
import type { Oid } from '../../base/ids.ts';
import { postCommit as record } from '../../commands/post-commit.ts';
import { announceRecorder } from '../../fingerprint/recorder.ts';
import { resolveCommit } from '../../git/history.ts';
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
      const { identified, commit } = done.value;
      if (identified.config.onCommit === 'submit') await submitInBackground(app, repo, commit);
    }
    return 0;
  }
  const { error } = done;
  if (error.reason === 'fingerprint' && error.cause.reason === 'aborted' && late.aborted) {
    await recordInBackground(app, repo);
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

async function recordInBackground(app: App, repo: Repository): Promise<void> {
  const head = await resolveCommit(repo, 'HEAD');
  if (!head.ok) return;
  const pid = goOnInBackground(app, repo, ['record', head.value]);
  // Before it has started: a push may come at once.
  if (pid !== undefined) announceRecorder(repo.stateDir, head.value, pid);
}

/** `on_commit: submit`, where this clone is trusted: a hook must not run what nobody has looked at. */
export async function submitInBackground(app: App, repo: Repository, commit: Oid): Promise<void> {
  const { isTrusted } = await import('../../commands/trust.ts');
  const trusted = await isTrusted(repo);
  if (trusted.ok && trusted.value) goOnInBackground(app, repo, ['run', '--detach', commit]);
}

/** With no pipe of ours: git waits until everybody has closed them. Gives its process id. */
function goOnInBackground(app: App, repo: Repository, args: readonly string[]): number | undefined {
  const cwd = repo.top ?? repo.gitDir;
  const child = spawn(app.node, [app.program, ...args], { cwd, env: repo.env, stdio: 'ignore', detached: true });
  child.unref();
  return child.pid;
}
