import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { printable } from '../base/printable.ts';
import { hasTerminal } from './has-terminal.ts';

/** What the outside world is, read once here: everything below gets it passed in. */
export interface App {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  readonly now: () => Date;
  readonly out: NodeJS.WriteStream;
  readonly err: NodeJS.WriteStream;
  /** Where templates/, hooks/ and schema/ are. */
  readonly home: string;
  /** This program, as a hook has to start it. */
  readonly node: string;
  readonly program: string;
  /** Aborted by Ctrl-C, SIGTERM and SIGHUP: we let go, the job goes on. */
  readonly signal: AbortSignal;
  readonly hasTerminal: () => boolean;
  readonly ask: (question: string, hidden?: boolean) => Promise<string | undefined>;
  /** Lines for people on standard error: standard output belongs to what was asked for, and in a hook to git. */
  readonly say: (...lines: readonly string[]) => void;
}

export function openApp(cwd: string): App {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => stop.abort(signal));
  return {
    cwd,
    env: process.env,
    now: () => new Date(),
    out: process.stdout,
    err: process.stderr,
    home: packageFolder(import.meta.dirname),
    node: process.execPath,
    program: process.argv[1] ?? '',
    signal: stop.signal,
    hasTerminal,
    ask: async (question, hidden = false) => {
      const { askOnTerminal } = await import('./terminal.ts');
      return askOnTerminal(printable(question), hidden);
    },
    say: (...lines) => {
      for (const line of lines) process.stderr.write(`${line}\n`);
    },
  };
}

/** This file may be in lib/cli, or in a chunk of the bundle. */
function packageFolder(folder: string): string {
  const here = existsSync(join(folder, 'templates', 'job.sh.hbs'));
  return here || folder === dirname(folder) ? folder : packageFolder(dirname(folder));
}
