import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { err, ok, type Result } from '../base/result.ts';
import { collect, type FramedProcess, frame, type RawEnd } from './framed-process.ts';
import type { Host, HostError, SpawnOptions } from './host.ts';
import { remoteCommand } from './remote-script.ts';

/** This machine, with the environment as it is given: on a login node that is the user's own, `module` and Slurm included. */
export function openLocalHost(env: NodeJS.ProcessEnv): Host {
  const name = 'this machine';
  const children = new Set<number>();

  const start = (script: string, options: SpawnOptions): Promise<Result<FramedProcess, HostError>> =>
    new Promise((resolve) => {
      if (options.signal?.aborted) return resolve(err({ reason: 'aborted', host: name }));
      const token = randomBytes(12).toString('hex');
      const { command, preamble } = remoteCommand(script, token);
      // Detached: a process group of its own, so that an abort reaches what the script has started, and Ctrl-C does not.
      const child = spawn('/bin/sh', ['-c', command], { env, stdio: 'pipe', detached: true });
      const { pid } = child;
      if (pid !== undefined) children.add(pid);
      const ended = new Promise<RawEnd>((end) => {
        child.on('error', (error) => {
          resolve(err({ reason: 'no-shell', host: name, detail: error.message }));
          end({ kind: 'lost', detail: error.message });
        });
        child.on('close', (code, signal) => {
          end(code === null ? { kind: 'signal', signal: signal ?? 'SIGKILL' } : { kind: 'code', code });
        });
        child.on('exit', () => {
          if (pid !== undefined) children.delete(pid);
        });
      });
      child.on('spawn', () => {
        const raw = {
          stdin: child.stdin,
          stdout: child.stdout,
          stderr: child.stderr,
          ended,
          kill: () => endGroup(pid),
          release() {
            child.stdin.destroy();
            child.stdout.destroy();
            child.stderr.destroy();
          },
        };
        resolve(ok(frame(raw, token, preamble, name, options)));
      });
    });

  return {
    kind: 'local',
    name,
    exec: (script, options = {}) => collect((spawnOptions) => start(script, spawnOptions), options, name),
    spawn: async (script, options = {}) => {
      const started = await start(script, options);
      if (started.ok) started.value.stderr.resume();
      return started;
    },
    async close() {
      for (const pid of children) endGroup(pid);
    },
  };
}

/** TERM to the whole group, and KILL two seconds later to whoever did not listen. */
function endGroup(pid: number | undefined): void {
  if (pid === undefined || !signalGroup(pid, 'SIGTERM')) return;
  const timer = setTimeout(() => signalGroup(pid, 'SIGKILL'), 2000);
  timer.unref();
}

function signalGroup(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(-pid, signal);
    return true;
  } catch (error) {
    // It has ended by itself.
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
    throw error;
  }
}
