import type { Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import type { Config } from '../config/types.ts';
import type { Change } from '../fingerprint/differences.ts';
import { explainDifference } from '../fingerprint/differences.ts';
import type { GateContext } from '../gate/context.ts';
import { type Identified, type IdentifyError, identify, identifyPast } from '../gate/identify.ts';
import { knownVerdict, reportsOf, reportsOnCommits } from '../gate/known.ts';
import { readPipeline } from '../gate/pipeline.ts';
import { firstParents } from '../git/history.ts';
import type { Outcome, Report } from '../report/types.ts';

type Context = Pick<GateContext, 'repo' | 'now' | 'signal' | 'emit'>;

/** What a commit means for the next push, in facts. */
export interface CommitReport {
  readonly commit: Oid;
  readonly identified: Identified;
  /** Exactly this content has been run already, for another commit: a revert, an amended message. */
  readonly isKnown: boolean;
  /** The commit before; absent for a first one, or where nobody knows what it was. */
  readonly before?: {
    readonly commit: Oid;
    /** Empty: nothing that counts has changed. */
    readonly changes: readonly Change[];
    /** What is known of it. */
    readonly outcome?: Outcome;
    readonly seconds?: number;
  };
}

/** Nothing to say: no commit yet, or no config in it. */
export type PostCommit = { readonly kind: 'silent' } | ({ readonly kind: 'recorded' } & CommitReport);

/** Records what the commit is: code from its tree, data by content as the worktree has it now. */
export async function postCommit(context: Context): Promise<Result<PostCommit, IdentifyError>> {
  const line = await firstParents(context.repo, 'HEAD', 2);
  const [commit, previous] = line.ok ? line.value : [];
  if (commit === undefined) return ok({ kind: 'silent' });
  // While the data is hashed, git tells of the commit before.
  const parent = parentOf(context, commit, previous);
  const identified = await identify(context, commit);
  if (!identified.ok) {
    const { error } = identified;
    const noConfig = error.reason === 'pipeline' && error.cause.reason === 'no-config';
    return noConfig ? ok({ kind: 'silent' }) : identified;
  }
  const before = compareWith(await parent, identified.value);
  const isAsBefore = before?.changes.length === 0;
  const isKnown = !isAsBefore && (await hasRun(context, identified.value));
  return ok({
    kind: 'recorded',
    commit,
    identified: identified.value,
    isKnown,
    ...(before === undefined ? {} : { before }),
  });
}

async function hasRun({ repo, emit }: Context, { config, fingerprint }: Identified): Promise<boolean> {
  return knownVerdict(await reportsOf({ repo, branch: config.reports, emit }, fingerprint)) !== undefined;
}

interface Parent {
  readonly identified: Identified;
  readonly report: Report | undefined;
}

/** What the commit before was; absent for a first one, and where nobody knows. */
async function parentOf(context: Context, commit: Oid, parent: Oid | undefined): Promise<Parent | undefined> {
  if (parent === undefined) return undefined;
  const { repo, emit } = context;
  const [past, pipeline] = await Promise.all([identifyPast(context, parent), readPipeline(repo, commit)]);
  if (!past.ok || !pipeline.ok) return undefined;
  const reports = await reportsOnCommits({ repo, branch: pipeline.value.reports, emit }, [parent]);
  return { identified: past.value, report: reports.at(-1) };
}

function compareWith(parent: Parent | undefined, now: Identified): CommitReport['before'] {
  if (parent === undefined) return undefined;
  const { identified: past, report } = parent;
  return {
    commit: past.commit,
    changes: past.fingerprint === now.fingerprint ? [] : explainDifference(past.inputs, now.inputs),
    ...(report === undefined ? {} : { outcome: report.outcome }),
    ...(report?.run?.seconds === undefined ? {} : { seconds: report.run.seconds }),
  };
}

/** Where a push of this config trains, for people. */
export const placeName = ({ cluster }: Config): string =>
  cluster?.host ?? (cluster === undefined ? 'this machine' : 'Slurm');
