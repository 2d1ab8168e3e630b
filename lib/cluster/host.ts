import type { Readable, Writable } from 'node:stream';
import type { Result } from '../base/result.ts';

/** A machine on which we run POSIX shell scripts: this one, or a login node. */
export interface Host {
  readonly kind: 'local' | 'ssh2' | 'openssh';
  /** The host as the user wrote it; `this machine` for the local one. */
  readonly name: string;
  /** How the login went; undefined for this machine. */
  readonly login?: Login;
  /**
   * Runs a script under /bin/sh and gives its output. A non-zero exit is a value, not an error: only what kept the
   * script from running to its end is an error. Input is closed after `stdin`.
   */
  exec(script: string, options?: ExecOptions): Promise<Result<ExecOutput, HostError>>;
  /** The same for long or large work: output as a stream, input open until it is ended. */
  spawn(script: string, options?: SpawnOptions): Promise<Result<HostProcess, HostError>>;
  close(): Promise<void>;
}

/** `shared`: over a connection that the user's ssh keeps open. `by`: what the server accepted, where that is known. */
export interface Login {
  readonly shared: boolean;
  readonly by?: string;
}

export interface ExecOptions {
  readonly stdin?: string | Uint8Array;
  /** Default 60. */
  readonly timeoutSeconds?: number;
  readonly signal?: AbortSignal;
}
export interface SpawnOptions {
  readonly signal?: AbortSignal;
}

export interface ExecOutput {
  /** Exit status as a shell gives it: 128 + n after signal n. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface HostProcess {
  readonly stdin: Writable;
  readonly stdout: Readable;
  /** Settles when the process has ended or the connection is gone; `stderr` is its tail, at most 64 KiB. */
  readonly exit: Promise<Result<{ readonly code: number; readonly stderr: string }, HostError>>;
  kill(): void;
}

/** Why a machine could not be asked. None of these says anything about a job. */
export type HostError =
  | { readonly reason: 'unknown-host'; readonly host: string; readonly detail: string }
  | { readonly reason: 'unreachable'; readonly host: string; readonly detail: string }
  | {
      readonly reason: 'auth-refused';
      readonly host: string;
      readonly user: string;
      readonly tried: readonly string[];
      readonly detail: string;
    }
  | {
      readonly reason: 'host-key-unknown' | 'host-key-changed' | 'host-key-revoked';
      readonly host: string;
      readonly port: number;
      readonly keyType: string;
      /** `SHA256:…` as ssh shows it. */
      readonly keyFingerprint: string;
      readonly knownHosts: string;
      /** The words of ssh, where it was ssh that refused the key. */
      readonly detail?: string;
    }
  /** The two sides know no cipher, key exchange or signature in common. */
  | { readonly reason: 'no-common-algorithm'; readonly host: string; readonly detail: string }
  /** Only an open connection may be used, and there is none. */
  | {
      readonly reason: 'no-master';
      readonly host: string;
      /** What opens one when it is typed in a terminal. */
      readonly command: string;
      /** Where ssh looks for it; undefined: ssh_config names no ControlPath for this host, so that no command can help. */
      readonly controlPath: string | undefined;
    }
  | { readonly reason: 'lost'; readonly host: string; readonly detail: string }
  | { readonly reason: 'timeout'; readonly host: string; readonly detail: string }
  | { readonly reason: 'aborted'; readonly host: string }
  | { readonly reason: 'no-shell'; readonly host: string; readonly detail: string };
