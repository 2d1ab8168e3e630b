import { text } from 'node:stream/consumers';
import { copyNotes } from '../../commands/post-rewrite.ts';
import { openRepository } from '../../git/repository.ts';
import type { App } from '../app.ts';
import { lead } from '../screens/layout.ts';

/** `git commit --amend` and `git rebase` run it. It never fails the command. */
export async function postRewrite(app: App, stdin: NodeJS.ReadableStream): Promise<number> {
  const rewritten = await text(stdin);
  const opened = await openRepository(app.cwd, app.env);
  if (!opened.ok) return 0;
  const context = { repo: opened.value, now: app.now, signal: app.signal, emit: () => undefined };
  const copied = await copyNotes(context, rewritten);
  if (!copied.ok) app.say(lead(`the notes of rewritten commits were not copied: ${copied.error.reason}`));
  return 0;
}
