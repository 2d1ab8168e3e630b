import { Buffer } from 'node:buffer';

/**
 * A POSIX shell script as one command line that any login shell (bash, tcsh, fish, zsh) hands on unchanged to /bin/sh, and whose
 * output can be told from what startup files print: both streams carry a begin mark with the process id and an end mark with
 * the exit status. The status in the stream also tells a script that exits 255, or whose shell is killed, from a lost connection.
 */
export interface RemoteCommand {
  readonly command: string;
  /** To be written before anything else on standard input. */
  readonly preamble: string;
}

// An argument may have 128 KiB on Linux (MAX_ARG_STRLEN) and the login shell gets the command line as one; tcsh takes less.
const LONGEST_ARGUMENT = 60_000;

const mark = (token: string, what: 'B' | 'E') => `\u001e${token} ${what} `;
const MARK_END = '\u001e';

/** For `printf %b`: octal for whatever any shell treats specially inside single quotes, for controls and for non-ASCII. */
export function octalEscape(text: string): string {
  let escaped = '';
  for (const byte of Buffer.from(text)) {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x5c && byte !== 0x27 && byte !== 0x21 && byte !== 0x5e;
    escaped += plain ? String.fromCharCode(byte) : `\\0${byte.toString(8).padStart(3, '0')}`;
  }
  return escaped;
}

/** `token` is letters and digits, new for each command. */
export function remoteCommand(script: string, token: string): RemoteCommand {
  if (script.includes('\0')) throw new Error('a shell script cannot contain NUL');
  const escaped = octalEscape(script);
  const byInput = escaped.length > LONGEST_ARGUMENT;
  // `read` takes no byte beyond the newline (POSIX), so that the rest of the input is the script's own.
  const load = byInput ? 'IFS= read -r s' : 's=$1';
  const say = (what: string, value: string) => `printf "%b${token} ${what} %s%b" "\\0036" "${value}" "\\0036"`;
  // The script has a shell of its own: a signal to it (`kill $$`) must not end the one that tells the status.
  const outer = [
    say('B', '$$'),
    `${say('B', '$$')} >&2`,
    '/bin/sh -c "$1" sh "$0"',
    'c=$?',
    say('E', '$c'),
    `${say('E', '$c')} >&2`,
    'exit $c',
  ].join('; ');
  const inner = `${load}; shift; eval "$(printf %b "$s")"`;
  return {
    command: `exec /bin/sh -c '${outer}' '${byInput ? 'mlops' : escaped}' '${inner}'`,
    preamble: byInput ? `${escaped}\n` : '',
  };
}

/** Ends what a script has started: its process group, with two seconds to tidy up. */
export const endGroupScript = (pid: number): string => `kill -TERM -${pid} 2>/dev/null || exit 0
for second in 1 2; do sleep 1; kill -0 -${pid} 2>/dev/null || exit 0; done
kill -KILL -${pid} 2>/dev/null`;

/** Takes one stream apart: noise, begin mark, output, end mark, and whatever background processes still say. */
export class MarkedStream {
  readonly #begin: Buffer;
  readonly #end: Buffer;
  #held: Buffer = Buffer.alloc(0);
  #state: 'before' | 'inside' | 'after' = 'before';
  #noise = '';
  readonly #onBegin: ((pid: number) => void) | undefined;
  pid: number | undefined;
  code: number | undefined;

  constructor(token: string, onBegin?: (pid: number) => void) {
    this.#onBegin = onBegin;
    this.#begin = Buffer.from(mark(token, 'B'));
    this.#end = Buffer.from(mark(token, 'E'));
  }
  get begun(): boolean {
    return this.#state !== 'before';
  }
  get ended(): boolean {
    return this.#state === 'after';
  }
  /** The last of what came before the begin mark. */
  get noise(): string {
    return this.#noise;
  }

  /** What of the script's own output this chunk completes. Only a beginning of a mark is held back. */
  push(chunk: Buffer): Buffer {
    if (this.#state === 'after') return Buffer.alloc(0);
    const data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = Buffer.alloc(0);
    if (this.#state === 'before') return this.#findBegin(data);
    return this.#findEnd(data);
  }

  /** What was held back when the stream ended without its end mark. */
  flush(): Buffer {
    const rest = this.#state === 'inside' ? this.#held : Buffer.alloc(0);
    if (this.#state === 'before') this.#noise = (this.#noise + this.#held.toString()).slice(-4096);
    this.#held = Buffer.alloc(0);
    return rest;
  }

  #findBegin(data: Buffer): Buffer {
    const found = readMark(data, this.#begin);
    if (found === undefined) {
      const keep = heldBack(data, this.#begin);
      this.#noise = (this.#noise + data.subarray(0, keep).toString()).slice(-4096);
      this.#held = data.subarray(keep);
      return Buffer.alloc(0);
    }
    this.pid = found.value;
    this.#noise = (this.#noise + data.subarray(0, found.at).toString()).slice(-4096);
    this.#state = 'inside';
    this.#onBegin?.(found.value);
    return this.#findEnd(data.subarray(found.after));
  }

  #findEnd(data: Buffer): Buffer {
    const found = readMark(data, this.#end);
    if (found === undefined) {
      const keep = heldBack(data, this.#end);
      this.#held = data.subarray(keep);
      return data.subarray(0, keep);
    }
    this.code = found.value;
    this.#state = 'after';
    return data.subarray(0, found.at);
  }
}

function readMark(data: Buffer, prefix: Buffer): { at: number; after: number; value: number } | undefined {
  const at = data.indexOf(prefix);
  if (at === -1) return undefined;
  const close = data.indexOf(MARK_END, at + prefix.length);
  if (close === -1) return undefined;
  return { at, after: close + 1, value: Number(data.subarray(at + prefix.length, close).toString('latin1')) };
}

/** Where a mark may have begun that is not complete yet. */
function heldBack(data: Buffer, prefix: Buffer): number {
  const whole = data.indexOf(prefix);
  if (whole !== -1) return whole;
  for (let at = Math.max(0, data.length - prefix.length + 1); at < data.length; at += 1) {
    if (data[at] === prefix[0] && data.subarray(at).equals(prefix.subarray(0, data.length - at))) return at;
  }
  return data.length;
}
