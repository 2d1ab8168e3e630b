import { asFingerprint, type Fingerprint } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { GitError } from '../git/errors.ts';
import { listPaths } from '../git/reports.ts';
import type { Repository } from '../git/repository.ts';

export type FindRunError =
  | { readonly reason: 'ambiguous-run'; readonly target: string; readonly candidates: readonly Fingerprint[] }
  | { readonly reason: 'git'; readonly cause: GitError };

/** The one run whose fingerprint begins so; git abbreviates to four digits at the least, and so do we. */
export async function findRun(
  repo: Repository,
  branch: string,
  target: string,
): Promise<Result<Fingerprint | undefined, FindRunError>> {
  const digits = target.toLowerCase();
  if (!/^[0-9a-f]{4,64}$/.test(digits)) return ok(undefined);
  const paths = await listPaths(repo, branch, `runs/${digits.slice(0, 2)}/${digits}`);
  if (!paths.ok) return err({ reason: 'git', cause: paths.error });
  const runs = new Set(
    paths.value.flatMap(({ path }) => {
      const [, run] = /^runs\/[0-9a-f]{2}\/([0-9a-f]{64})\/[^/]+\/report\.json$/.exec(path) ?? [];
      return run === undefined ? [] : [asFingerprint(run)];
    }),
  );
  const candidates = [...runs].sort();
  const [first, second] = candidates;
  return second === undefined ? ok(first) : err({ reason: 'ambiguous-run', target, candidates });
}
