declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** A git object name: 40 (sha1) or 64 (sha256) lower-case hex digits. */
export type Oid = Branded<'Oid'>;
/** The SHA-256 of some content, 64 lower-case hex digits. */
export type Sha256 = Branded<'Sha256'>;
/** What determines the metrics: SHA-256 in hex, see docs/fingerprint.md. It names the run. */
export type Fingerprint = Branded<'Fingerprint'>;
/** What the scheduler calls a job: digits for Slurm, an attempt's own name on this machine. */
export type JobId = Branded<'JobId'>;

const hex = (digits: RegExp) => (text: string) => digits.test(text);
export const isOid = hex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/) as (text: string) => text is Oid;
export const isSha256 = hex(/^[0-9a-f]{64}$/) as (text: string) => text is Sha256;
export const isFingerprint = hex(/^[0-9a-f]{64}$/) as (text: string) => text is Fingerprint;

/** Asserts what git or a hash function has just given; a malformed one is our bug. */
export function asOid(text: string): Oid {
  if (!isOid(text)) throw new Error(`not an object name: ${text}`);
  return text;
}
export function asSha256(text: string): Sha256 {
  if (!isSha256(text)) throw new Error(`not a SHA-256: ${text}`);
  return text;
}
export function asFingerprint(text: string): Fingerprint {
  if (!isFingerprint(text)) throw new Error(`not a fingerprint: ${text}`);
  return text;
}
export const asJobId = (text: string): JobId => text as JobId;

/** How people see a fingerprint or an object name: its first seven digits, as git abbreviates. */
export const short = (id: Fingerprint | Oid | Sha256): string => id.slice(0, 7);
