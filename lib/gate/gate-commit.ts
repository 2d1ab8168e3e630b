import { err, ok, type Result } from '../base/result.ts';
import { fetchReports } from '../git/publish.ts';
import type { Report } from '../report/types.ts';
import type { RunResult } from '../verdict/types.ts';
import type { GateContext } from './context.ts';
import { type Identified, identify } from './identify.ts';
import { type Destination, judgeRun, type RunToJudge, skippedReport } from './judge-run.ts';
import { knownVerdict, reportsOf } from './known.ts';
import type { GateError, GateOutcome } from './outcome.ts';
import { recordReport } from './record-report.ts';
import { type RunOptions, runCommit } from './run-commit.ts';
import { suggestFix } from './suggest-fix.ts';

export interface GateRequest extends Destination, RunOptions {
  readonly identified: Identified;
}

/** The whole way of one commit: known verdict? else its run; then judge, and record. Reads like the README. */
export async function gateCommit(context: GateContext, request: GateRequest): Promise<GateOutcome> {
  const { identified } = request;
  if (identified.inherited.length > 0) context.emit({ event: 'data-inherited', entries: identified.inherited });
  const known = request.again ? undefined : await findKnown(context, request);
  if (known !== undefined) return judgeAndRecord(context, request, known);
  const place = context.placeFor(identified.config);
  const ran = await runCommit(context, identified, place, request);
  if (!ran.ok) return { outcome: 'stopped', error: ran.error };
  if (ran.value.kind === 'waiting') return ran.value.waiting;
  return judgeAndRecord(context, request, ran.value);
}

/** What a commit is, as a step of its own: the policy for its branch is in its config. */
export async function identifyCommit(
  context: GateContext,
  commit: Identified['commit'],
): Promise<Result<Identified, GateError>> {
  const identified = await identify(context, commit);
  return identified.ok ? ok(identified.value) : err(identified.error);
}

/** A person lets a push go: nothing is judged, and that is recorded. */
export async function skipCommit(
  context: GateContext,
  identified: Identified,
  destination: Destination,
  reason: string,
): Promise<GateOutcome> {
  const report = await skippedReport(context, identified, destination, reason);
  if (!report.ok) return { outcome: 'stopped', error: { reason: 'git', cause: report.error } };
  const recorded = await recordReport(context, identified, report.value, undefined);
  return { outcome: 'skipped', report: report.value, recorded };
}

interface KnownRun extends RunToJudge {
  readonly from: Report;
}

/** Here, or on the remote's reports branch: asked only where this clone does not know. */
async function findKnown(context: GateContext, request: GateRequest): Promise<KnownRun | undefined> {
  const { fingerprint, config } = request.identified;
  const reports = { repo: context.repo, branch: config.reports, emit: context.emit };
  const look = async () => asKnown(knownVerdict(await reportsOf(reports, fingerprint)));
  const here = await look();
  if (here !== undefined || request.remote === undefined) return here;
  context.emit({ event: 'fetching-reports', remote: request.remote });
  const fetched = await fetchReports(context.repo, request.remote, config.reports, { signal: context.signal });
  if (!fetched.ok) {
    const { error } = fetched;
    const detail = 'stderr' in error ? error.stderr.trim() : error.reason;
    context.emit({ event: 'reports-not-fetched', remote: request.remote, detail });
  }
  return look();
}

function asKnown(report: Report | undefined): KnownRun | undefined {
  const run: RunResult | undefined = report?.run;
  return report === undefined || run === undefined ? undefined : { from: report, run, log: report.logTail };
}

async function judgeAndRecord(context: GateContext, request: GateRequest, judged: RunToJudge): Promise<GateOutcome> {
  const { identified } = request;
  const done = await judgeRun(context, identified, request, judged);
  if (!done.ok) return { outcome: 'stopped', error: { reason: 'git', cause: done.error } };
  const { report, changes } = done.value;
  const shown = changes === undefined ? {} : { changes };
  const { from } = judged;
  if (from !== undefined && isSameVerdict(from, report))
    return { outcome: 'judged', report: from, how: 'unchanged', ...shown, recorded: { ok: true } };
  const recorded = await recordReport(context, identified, report, changes);
  const fix = await suggestFix(context, identified, report);
  return {
    outcome: 'judged',
    report,
    how: from === undefined ? 'trained' : 'known',
    ...shown,
    recorded,
    ...(fix === undefined ? {} : { fix }),
  };
}

/** Nothing new to say of this commit: no second report. */
const isSameVerdict = (before: Report, now: Report): boolean =>
  before.commit === now.commit &&
  before.outcome === now.outcome &&
  JSON.stringify(before.verdict?.checks) === JSON.stringify(now.verdict?.checks);
