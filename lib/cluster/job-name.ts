import type { Fingerprint } from '../base/ids.ts';

/** A job is named after its run and its attempt, so that it is found again by whoever knows these. */
export const jobName = (fingerprint: Fingerprint, attempt: number): string =>
  `mlops-${fingerprint.slice(0, 16)}.${attempt}`;

export interface NamedRun {
  /** The first digits of its fingerprint. */
  readonly run: string;
  readonly attempt: number;
}

export function readJobName(name: string): NamedRun | undefined {
  const [, run, attempt] = /^mlops-([0-9a-f]{16})\.([1-9]\d*)$/.exec(name) ?? [];
  return run === undefined ? undefined : { run, attempt: Number(attempt) };
}
