import { spawn } from 'node:child_process';
import { printableLine } from '../base/printable.ts';
import { ownSettings } from '../git/config-values.ts';
import type { Repository } from '../git/repository.ts';
import { noteLine } from '../report/note-line.ts';
import type { Report } from '../report/types.ts';

export type NotifyFailure =
  | { readonly reason: 'exit'; readonly code: number; readonly detail: string }
  | { readonly reason: 'too-long'; readonly seconds: number };

/** It runs at the end of a push: nobody waits long for a message. */
const patienceSeconds = 10;

/**
 * Tells the user's own command (`git config mlops.notify`) of a verdict that has arrived. The repository has no say in what is run here;
 * what it wrote (a subject, names of metrics) is in environment variables, and no part of the command.
 */
export async function notify(repo: Repository, report: Report): Promise<NotifyFailure | undefined> {
  const settings = await ownSettings(repo);
  const command = settings.ok ? settings.value.get('mlops.notify') : undefined;
  if (command === undefined || command === '') return undefined;
  return run(command, repo.top ?? repo.gitDir, { ...repo.env, ...facts(repo, report) });
}

function facts(repo: Repository, report: Report): NodeJS.ProcessEnv {
  const { outcome, commit, branch = '', subject, fingerprint, run: ran } = report;
  const values: Readonly<Record<string, string>> = {
    MLOPS_OUTCOME: outcome,
    MLOPS_SUMMARY: noteLine(report),
    MLOPS_COMMIT: commit,
    MLOPS_SUBJECT: subject,
    MLOPS_BRANCH: branch,
    MLOPS_RUN: fingerprint,
    MLOPS_SECONDS: ran?.seconds === undefined ? '' : String(ran.seconds),
    MLOPS_REPOSITORY: repo.top ?? repo.gitDir,
  };
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, printableLine(value)]));
}

function run(command: string, cwd: string, env: NodeJS.ProcessEnv): Promise<NotifyFailure | undefined> {
  return new Promise((resolve) => {
    // A group of its own, so that what it has started ends with it.
    const child = spawn('sh', ['-c', command], { cwd, env, stdio: ['ignore', 'ignore', 'pipe'], detached: true });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said = (said + text).slice(-2000);
    });
    const limit = setTimeout(() => {
      endGroup(child.pid);
      resolve({ reason: 'too-long', seconds: patienceSeconds });
    }, patienceSeconds * 1000);
    const done = (code: number, detail: string) => {
      clearTimeout(limit);
      resolve(code === 0 ? undefined : { reason: 'exit', code, detail: detail.trim() });
    };
    child.once('error', (error) => done(127, error.message));
    // Not `close`: what it has put into the background may keep the pipe.
    child.once('exit', (code) => setImmediate(() => done(code ?? 128, said)));
  });
}

function endGroup(pid: number | undefined): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error; // it has just ended
  }
}
