import { isOid, type Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { EventSink } from '../gate/events.ts';
import type { ReportsContext } from '../gate/known.ts';
import type { GitError } from '../git/errors.ts';
import { isAncestor, resolveCommit } from '../git/history.ts';
import type { Repository } from '../git/repository.ts';
import { type TipResult, verifyTip } from './verify-tip.ts';

export interface VerifyOptions {
  readonly repo: Repository;
  /** The reports branch. */
  readonly branch: string;
  /** `OLD..NEW`, one for each branch that is pushed, or a revision alone. */
  readonly ranges: readonly string[];
  readonly now: () => Date;
  readonly emit: EventSink;
}

export interface VerifiedTip {
  readonly range: string;
  readonly tip: Oid;
  readonly result: TipResult;
}
export interface VerifyReport {
  readonly tips: readonly VerifiedTip[];
  /** Ranges without a new commit. */
  readonly nothingNew: readonly string[];
  /** Every tip has a pass. */
  readonly passed: boolean;
}

export type VerifyError =
  | { readonly reason: 'bad-range'; readonly range: string }
  | { readonly reason: 'unknown-revision'; readonly range: string; readonly revision: string }
  | { readonly reason: 'git'; readonly cause: GitError };

/**
 * `mlops verify RANGE…`, for a server's hook or a CI: whether the tips that are pushed have a pass. The fingerprint is computed from
 * the commit, with the data that its reports name: that this data was what was trained on is their word.
 */
export async function verify(options: VerifyOptions): Promise<Result<VerifyReport, VerifyError>> {
  const { repo, branch, emit } = options;
  const context: ReportsContext = { repo, branch, emit };
  const tips: VerifiedTip[] = [];
  const nothingNew: string[] = [];
  for (const range of options.ranges) {
    const tip = await tipOf(repo, range);
    if (!tip.ok) return tip;
    if (tip.value === undefined) {
      nothingNew.push(range);
      continue;
    }
    const result = await verifyTip(context, tip.value, options.now);
    if (!result.ok) return err({ reason: 'git', cause: result.error });
    tips.push({ range, tip: tip.value, result: result.value });
  }
  return ok({ tips, nothingNew, passed: tips.every(({ result }) => result.verdict === 'pass') });
}

/** As git gives them to hooks, zeros stand for a branch that is not there: before its first push, after its deletion. */
const isNone = (revision: string): boolean => /^(?:0{40}|0{64})$/.test(revision);

async function tipOf(repo: Repository, range: string): Promise<Result<Oid | undefined, VerifyError>> {
  const parts = range.split('..');
  if (range.includes('...') || parts.length > 2) return err({ reason: 'bad-range', range });
  const [old, revision] = parts.length === 1 ? [undefined, range] : [parts[0] || 'HEAD', parts[1] || 'HEAD'];
  if (isNone(revision)) return ok(undefined);
  const tip = await resolve(repo, range, revision);
  if (!tip.ok || old === undefined || isNone(old)) return tip;
  const from = await resolve(repo, range, old);
  // A forced push to a shallow or pruned clone: what was there before is not here, so nothing of it is either.
  if (!from.ok) return isOid(old) && from.error.reason === 'unknown-revision' ? tip : from;
  const known = await isAncestor(repo, tip.value, from.value);
  if (!known.ok) return err({ reason: 'git', cause: known.error });
  return known.value ? ok(undefined) : tip;
}

async function resolve(repo: Repository, range: string, revision: string): Promise<Result<Oid, VerifyError>> {
  const found = await resolveCommit(repo, revision);
  if (found.ok) return found;
  return err(
    found.error.reason === 'unknown-revision'
      ? { reason: 'unknown-revision', range, revision }
      : { reason: 'git', cause: found.error },
  );
}
