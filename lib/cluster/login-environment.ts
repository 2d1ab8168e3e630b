import { randomBytes } from 'node:crypto';
import { err, ok, type Result } from '../base/result.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { collect, type FramedProcess } from './framed-process.ts';
import type { HostError, SpawnOptions } from './host.ts';

const LOGIN_SECONDS = 20;

/** Lines for the start of every script. A profile that hangs or says nothing useful costs its variables, never the connection. */
export async function learnLoginEnvironment(
  start: (options: SpawnOptions, script: string) => Promise<Result<FramedProcess, HostError>>,
  host: string,
): Promise<Result<string, HostError>> {
  const token = randomBytes(12).toString('hex');
  const script = loginEnvironmentScript(token);
  const asked = await collect((options) => start(options, script), { timeoutSeconds: LOGIN_SECONDS }, host);
  if (asked.ok) return ok(loginEnvironmentLines(asked.value.stdout, token));
  return asked.error.reason === 'timeout' ? ok('') : err(asked.error);
}

/**
 * Sites put Slurm, `module` and folders such as $SCRATCH into the environment of login shells only, and sshd gives us none.
 * Asked once per connection: what a login shell has that we do not. It starts every script after that, in place of a login
 * shell for each (tens of milliseconds where profiles are simple, seconds where they call `module load`).
 */
function loginEnvironmentScript(token: string): string {
  const inner = `printf '\\036${token}\\036'; env -0`;
  return [
    `env -0 && printf '\\036${token}\\036'`,
    'if command -v bash >/dev/null 2>&1; then login=bash; else login=/bin/sh; fi',
    `exec "$login" -lc ${shellQuote(inner)} </dev/null 2>/dev/null`,
  ].join('\n');
}

/** What belongs to one shell and not to its user. */
const OF_A_SHELL =
  /^(?:PWD|OLDPWD|SHLVL|_|TERM|TERMCAP|SSH_.*|BASH.*|SHELLOPTS|PS\d|PROMPT_COMMAND|XDG_SESSION.*|DBUS_.*|LS_COLORS|HOME|SHELL)$/;
const LONGEST = 64 * 1024;
/** What is worth keeping where a site's environment is larger than any script should begin with. */
const ESSENTIAL = /^(?:PATH|MODULE.*|LOADEDMODULES|LMOD_.*|SLURM_.*|LD_LIBRARY_PATH|SCRATCH|WORK|TMPDIR)$/;

/** Shell lines for the start of a script; empty where the login shell gave nothing of its own, or nothing at all. */
function loginEnvironmentLines(output: string, token: string): string {
  const [plain, , ...rest] = output
    .split(`\u001e${token}`)
    .flatMap((part, index) => (index === 0 ? [part] : ['', part.slice(1)]));
  // Noise may come between the two marks; the login shell's own variables follow the last one.
  const login = rest.at(-1);
  if (plain === undefined || login === undefined) return '';
  const before = parse(plain);
  const added = [...parse(login)].filter(
    ([name, value]) => before.get(name) !== value && !OF_A_SHELL.test(name) && !value.includes('\ufffd'),
  );
  const lines = (variables: typeof added) =>
    variables.map(([name, value]) => `export ${name}=${shellQuote(value)}\n`).join('');
  const all = lines(added);
  return all.length <= LONGEST ? all : lines(added.filter(([name]) => ESSENTIAL.test(name)));
}

function parse(text: string): ReadonlyMap<string, string> {
  return new Map(
    text.split('\0').flatMap((entry): [string, string][] => {
      const [, name, value] = /^([A-Za-z_][A-Za-z0-9_]*)=(.*)$/s.exec(entry) ?? [];
      return name === undefined || value === undefined ? [] : [[name, value]];
    }),
  );
}
