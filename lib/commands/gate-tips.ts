import type { Oid } from '../base/ids.ts';
import { pushPolicy } from '../config/push-policy.ts';
import type { Config, PushPolicy } from '../config/types.ts';
import type { GateContext } from '../gate/context.ts';
import { identifyCommit, skipCommit, stoppedBy } from '../gate/gate-commit.ts';
import type { GateOutcome } from '../gate/outcome.ts';
import { overview } from '../gate/overview.ts';
import { readPipeline } from '../gate/pipeline.ts';
import type { Wait } from '../gate/run-commit.ts';
import type { GatedUpdate } from '../git/pre-push.ts';
import { type Published, publishReports } from '../git/publish.ts';
import { judgeCommit, letsGo } from './judge-commit.ts';

export interface GateTips {
  readonly tips: readonly GatedUpdate[];
  /** For baselines and known verdicts: its name, or a URL. */
  readonly remote: string | undefined;
  /** Where the reports are published; undefined: not now. */
  readonly publishTo: string | undefined;
  /** Why a person lets the push go unjudged (MLOPS_SKIP). */
  readonly skip: string | undefined;
  /** How long the push may be held. */
  readonly wait: Wait;
}

/** What became of one tip. Each is told as soon as it is known. */
export interface TipOutcome {
  readonly commit: Oid;
  readonly branch: string;
  readonly policy: PushPolicy;
  readonly outcome: GateOutcome;
  /** The push may go on as far as this tip is concerned. */
  readonly goes: boolean;
}

export interface GatedTips {
  readonly goes: boolean;
  readonly published: Published | undefined;
}

/** Judges the tips that a push brings, one after the other, and publishes what was recorded. */
export async function gateTips(
  context: GateContext,
  request: GateTips,
  tell: (tip: TipOutcome) => void,
): Promise<GatedTips> {
  let goes = true;
  const reportBranches = new Set<string>();
  for (const { commit, branches } of request.tips) {
    const pipeline = await readPipeline(context.repo, commit);
    const names = branches.map(({ name }) => name);
    const { branch, policy } = strictest(pipeline.ok ? pipeline.value : undefined, names);
    if (policy === 'ignore') continue;
    if (pipeline.ok) reportBranches.add(pipeline.value.reports);
    const outcome = await gateTip(context, request, commit, branch, policy);
    // `record` never blocks: a push that must go on is told what could not be found out.
    const passes =
      policy === 'record' || letsGo(outcome) || (request.skip !== undefined && outcome.outcome === 'stopped');
    goes &&= passes;
    tell({ commit, branch, policy, outcome, goes: passes });
    if (context.signal.aborted) return { goes: false, published: undefined };
  }
  let published: Published | undefined;
  if (request.publishTo !== undefined) {
    for (const branch of reportBranches)
      published = await publishReports(context.repo, request.publishTo, branch, {
        signal: context.signal,
        computed: overview,
      });
  }
  return { goes, published };
}

const strictness: readonly PushPolicy[] = ['gate', 'record', 'ignore'];

/** One commit may go to several branches: the strictest of their policies holds. */
function strictest(
  config: Config | undefined,
  names: readonly string[],
): { readonly branch: string; readonly policy: PushPolicy } {
  const rules = names.map((branch) => ({ branch, policy: config === undefined ? 'gate' : pushPolicy(config, branch) }));
  const [first] = rules.sort((a, b) => strictness.indexOf(a.policy) - strictness.indexOf(b.policy));
  if (first === undefined) throw new Error('a tip without a branch');
  return first;
}

async function gateTip(
  context: GateContext,
  { remote, skip, wait }: GateTips,
  commit: Oid,
  branch: string,
  policy: PushPolicy,
): Promise<GateOutcome> {
  const identified = await identifyCommit(context, commit, remote);
  if (!identified.ok) return stoppedBy(context.repo, commit, identified.error);
  const destination = { branch, remote };
  if (skip !== undefined) return skipCommit(context, identified.value, destination, skip);
  return judgeCommit(context, identified.value, destination, {
    wait: policy === 'record' ? 'no' : wait,
    start: 'if-needed',
  });
}
