import { spawn } from 'node:child_process';
import { err, ok, type Result } from '../base/result.ts';

/** Runs one of OpenSSH's own programs of this machine to its end. */
export function runProgram(
  file: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<Result<{ readonly code: number; readonly stdout: string; readonly stderr: string }, string>> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => stderr.push(chunk));
    child.on('error', (error) => resolve(err(error.message)));
    child.on('close', (code) =>
      resolve(
        ok({ code: code ?? 128, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() }),
      ),
    );
  });
}
