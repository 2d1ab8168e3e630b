import type { HostError } from './host.ts';
import type { StoreError } from './store-types.ts';

type Failure = { readonly ok: false; readonly error: StoreError };
type What = (StoreError & { reason: 'failed' })['what'];

export const hostFailure = (cause: HostError): Failure => ({ ok: false, error: { reason: 'host', cause } });

/** What an exit status of our scripts and the words beside it mean. `said` is standard output, with its `full KIB` line. */
export function scriptFailure(
  what: What,
  path: string,
  ended: { readonly code: number; readonly stdout: string; readonly stderr: string },
  needed?: number,
): Failure {
  const { code, stdout, stderr } = ended;
  if (code === 71) return failure({ reason: 'no-program', programs: ['openssl', 'sha256sum', 'shasum'] });
  const [, free] = /^full (\d+)$/m.exec(stdout) ?? [];
  if (code === 72 || /no space left|quota exceeded|file too large/i.test(stderr)) {
    return failure({
      reason: 'disk-full',
      path,
      ...(needed === undefined ? {} : { needed }),
      ...(free === undefined ? {} : { available: Number(free) * 1024 }),
      detail: stderr.trim(),
    });
  }
  return failure({ reason: 'failed', what, code, stderr: stderr.trim() });
}

const failure = (error: StoreError): Failure => ({ ok: false, error });
