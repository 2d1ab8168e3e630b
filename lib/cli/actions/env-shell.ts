import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { shellQuote } from '../../base/shell-quote.ts';
import { envShell, type ShellPlan } from '../../commands/env-shell.ts';
import type { App } from '../app.ts';
import { atPlaceOf } from '../at-place.ts';
import { aboutCommit } from '../commit-argument.ts';
import { envShellLines, envShellTroubles, envShellTypedLines } from '../screens/env-shell.ts';
import { lead, word } from '../screens/layout.ts';
import { troublesLines } from '../screens/trouble.ts';
import { inRepository } from '../session.ts';
import { mayRun } from '../trust.ts';

export interface ShellFlags {
  /** One of the tasks of a run with seeds or a matrix. */
  readonly task?: string;
}

interface Ready {
  readonly plan: ShellPlan;
  readonly place: string;
  /** `ssh -t …`, or a shell of this machine. */
  readonly argv: readonly [string, ...string[]];
}

/** `mlops env shell [COMMIT]`: ends with the shell's own status. */
export async function envShellCommand(app: App, named: string | undefined, { task }: ShellFlags): Promise<number> {
  const more = [...(named === undefined ? [] : [word(named)]), ...(task === undefined ? [] : ['--task', word(task)])];
  const again = ['mlops env shell', ...more].join(' ');
  if (task !== undefined && !/^\d{1,6}$/.test(task)) {
    app.say(lead('--task takes a number'));
    return 1;
  }
  let ready: Ready | undefined;
  const code = await inRepository(app, { again }, async (session) => {
    if (!(await mayRun(app, session))) return 1;
    const { setting } = session;
    return aboutCommit(app, session, named, async (context, identified, progress) =>
      atPlaceOf(context, identified.commit, progress, setting, async (connection, place) => {
        const number = task === undefined ? undefined : Number(task);
        const shell = await envShell(context, connection, place.name, identified, number);
        if (!shell.ok) {
          progress.say(...troublesLines(envShellTroubles(shell.error, setting), setting.style));
          return 1;
        }
        const argv = argvOf(app, identified.config.cluster?.host, shell.value.command);
        ready = { plan: shell.value, place: place.name, argv };
        return 0;
      }),
    );
  });
  // Our own connection and the live screen are closed by now: the terminal is the shell's alone.
  return ready === undefined ? code : open(app, ready);
}

/** ssh2 gives no terminal; the system's ssh does. */
function argvOf(app: App, host: string | undefined, command: string): Ready['argv'] {
  if (host === undefined) return ['sh', '-c', command];
  const { MLOPS_SSH_CONFIG: file } = app.env;
  return ['ssh', ...(file === undefined ? [] : ['-F', file]), '-t', '--', host, command];
}

async function open(app: App, { plan, place, argv }: Ready): Promise<number> {
  app.say(...envShellLines(plan, place));
  const typed = argv[0] === 'sh' ? plan.command : argv.map(shellQuote).join(' ');
  if (process.stdin.isTTY !== true || app.out.isTTY !== true) {
    app.say(...envShellTypedLines('there is no terminal here'));
    app.out.write(`${typed}\n`);
    return 0;
  }
  const ended = await start(argv, app.env);
  if (typeof ended === 'number') return ended;
  app.say(...envShellTypedLines(`${argv[0]} cannot be started (${ended})`));
  app.out.write(`${typed}\n`);
  return 1;
}

function start([file, ...args]: Ready['argv'], env: NodeJS.ProcessEnv): Promise<number | string> {
  return new Promise((resolve) => {
    const child = spawn(file, args, { stdio: 'inherit', env });
    child.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    child.on('close', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}
