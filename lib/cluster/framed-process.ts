import { constants } from 'node:os';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { err, ok, type Result } from '../base/result.ts';
import type { ExecOptions, ExecOutput, HostError, HostProcess, SpawnOptions } from './host.ts';
import { OutputTail } from './output-tail.ts';
import { MarkedStream } from './remote-script.ts';

/** A running `/bin/sh` as a backend has it: a child of ours, or a channel. */
export interface RawProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Settles when nothing more will come from it. */
  readonly ended: Promise<RawEnd>;
  /** Asks for the end of the process and all it started; `pid` is the leader of its process group, if it is known yet. */
  kill(pid: number | undefined): void;
  /** The login shell has handed over to the script, whose process group this leads. Called for both streams. */
  begun?(pid: number): void;
  /** The script has ended: closes the streams that its background processes may still hold. */
  release(): void;
}
export type RawEnd =
  | { readonly kind: 'code'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'lost'; readonly detail: string };

export interface FramedProcess extends HostProcess {
  /** All of the script's standard error, for exec; `exit` has its tail. */
  readonly stderr: Readable;
}

function signalNumber(name: string): number {
  const key = name.startsWith('SIG') ? name : `SIG${name}`;
  return Object.entries(constants.signals).find(([known]) => known === key)?.[1] ?? 0;
}

/** Sends what a marked stream lets through on, and waits when the reader is slower. */
function passOn(from: Readable, marked: MarkedStream, tail: OutputTail | undefined, onEnd: () => void): PassThrough {
  const to = new PassThrough();
  from.on('data', (chunk: Buffer) => {
    if (marked.ended) return;
    const part = marked.push(chunk);
    tail?.push(part);
    if (part.length > 0 && !to.write(part) && !marked.ended) {
      from.pause();
      to.once('drain', () => from.resume());
    }
    if (marked.ended) {
      to.end();
      onEnd();
    }
  });
  return to;
}

export function frame(
  raw: RawProcess,
  token: string,
  preamble: string,
  host: string,
  options: SpawnOptions,
): FramedProcess {
  const onBegin = (pid: number) => raw.begun?.(pid);
  const out = new MarkedStream(token, onBegin);
  const errors = new MarkedStream(token, onBegin);
  const tail = new OutputTail();
  let aborted = false;
  let settle: (result: Awaited<HostProcess['exit']>) => void = () => undefined;
  const exit = new Promise<Awaited<HostProcess['exit']>>((resolve) => {
    settle = resolve;
  });
  const atMark = () => {
    if (out.ended && errors.ended) {
      finish(ok({ code: out.code ?? errors.code ?? 0, stderr: tail.toString() }));
      raw.release();
    }
  };
  const stdout = passOn(raw.stdout, out, undefined, atMark);
  // A reader who does not look at standard error must not stop the script.
  const stderr = passOn(raw.stderr, errors, tail, atMark);
  stderr.on('error', () => undefined);
  // A script may end without reading its input: its exit status tells, not the pipe.
  raw.stdin.on('error', () => undefined);
  const kill = () => raw.kill(out.pid ?? errors.pid);
  const abort = () => {
    aborted = true;
    kill();
    finish(err({ reason: 'aborted', host }));
    stdout.destroy();
    stderr.destroy();
  };
  const finish = (result: Awaited<HostProcess['exit']>) => {
    options.signal?.removeEventListener('abort', abort);
    settle(result);
  };
  void raw.ended.then((end) => {
    if (aborted) return;
    for (const [marked, to] of [
      [out, stdout],
      [errors, stderr],
    ] as const) {
      if (marked.ended) continue;
      const rest = marked.flush();
      if (marked === errors) tail.push(rest);
      if (end.kind === 'lost') to.destroy();
      else to.end(rest);
    }
    finish(outcome(end, out, errors, tail, host));
  });
  if (options.signal?.aborted) abort();
  else options.signal?.addEventListener('abort', abort, { once: true });
  if (preamble !== '' && !aborted) raw.stdin.write(preamble);
  return { stdin: raw.stdin, stdout, stderr, exit, kill };
}

function outcome(
  end: RawEnd,
  out: MarkedStream,
  errors: MarkedStream,
  tail: OutputTail,
  host: string,
): Awaited<HostProcess['exit']> {
  const code = out.code ?? errors.code;
  if (code !== undefined) return ok({ code, stderr: tail.toString() });
  switch (end.kind) {
    case 'lost':
      return err({ reason: 'lost', host, detail: end.detail });
    case 'signal':
      return ok({ code: 128 + signalNumber(end.signal), stderr: tail.toString() });
    case 'code': {
      if (out.begun) return ok({ code: end.code, stderr: tail.toString() });
      const words = `${errors.noise}${out.noise}`.trim();
      return err({
        reason: 'no-shell',
        host,
        detail: words === '' ? `the login shell exited with ${end.code}` : words,
      });
    }
  }
}

/** exec on top of spawn: all the output, input closed, and a time limit. */
export async function collect(
  start: (options: SpawnOptions) => Promise<Result<FramedProcess, HostError>>,
  options: ExecOptions,
  host: string,
): Promise<Result<ExecOutput, HostError>> {
  const seconds = options.timeoutSeconds ?? 60;
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), seconds * 1000);
  const signal = options.signal === undefined ? limit.signal : AbortSignal.any([options.signal, limit.signal]);
  try {
    const started = await start({ signal });
    if (!started.ok) return late(started, limit.signal, seconds, host);
    const { stdin, stdout, stderr, exit } = started.value;
    const outputs = [text(stdout), text(stderr)] as const;
    stdin.end(options.stdin ?? '');
    const ended = await exit;
    if (!ended.ok) return late(ended, limit.signal, seconds, host);
    return ok({ code: ended.value.code, stdout: await outputs[0], stderr: await outputs[1] });
  } finally {
    clearTimeout(timer);
  }
}

function late<T>(result: Result<T, HostError> & { ok: false }, limit: AbortSignal, seconds: number, host: string) {
  if (result.error.reason !== 'aborted' || !limit.aborted) return result;
  return err({ reason: 'timeout', host, detail: `no end after ${seconds} s` } as const);
}

/** What a stream gave until it ended or was torn down; the process's exit tells which. */
function text(stream: Readable): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('close', () => resolve(Buffer.concat(chunks).toString()));
  });
}
