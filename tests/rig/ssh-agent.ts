import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './repository.ts';
import type { Sshd } from './sshd.ts';

/** What answers ssh's questions in place of a person: every one with the same words. */
export async function askpass(sshd: Sshd, answer: string): Promise<NodeJS.ProcessEnv> {
  const program = join(sshd.client, 'askpass');
  await writeFile(program, `#!/bin/sh\necho '${answer}'\n`, { mode: 0o755 });
  return { ...sshd.env, SSH_ASKPASS: program, SSH_ASKPASS_REQUIRE: 'force', DISPLAY: ':0' };
}

/** A real ssh-agent that holds keys of the client's folder, in this order. */
export async function startAgent(sshd: Sshd, passphrase: string, keys: readonly string[] = ['id']) {
  const socket = join(sshd.client, `agent-${Math.random().toString(36).slice(2)}`);
  const child = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'ignore'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  // It prints its variables once it listens.
  await new Promise((resolve) => child.stdout.once('data', resolve));
  const asking = { ...(await askpass(sshd, passphrase)), SSH_AUTH_SOCK: socket };
  for (const key of keys) {
    const added = await run('ssh-add', [join(sshd.client, key)], { env: asking });
    if (added.code !== 0) throw new Error(added.stderr);
  }
  return {
    env: { ...sshd.env, SSH_AUTH_SOCK: socket },
    async [Symbol.asyncDispose]() {
      child.kill();
      await ended;
    },
  };
}
