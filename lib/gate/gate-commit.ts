import { setTimeout as sleep } from 'node:timers/promises';
import type { Oid } from '../base/ids.ts';
import { err, type Result } from '../base/result.ts';
import { hasRecorder } from '../fingerprint/recorder.ts';
import { fetchReports } from '../git/publish.ts';
import type { Repository } from '../git/repository.ts';
import type { Report } from '../report/types.ts';
import type { RunResult } from '../verdict/types.ts';
import type { GateContext } from './context.ts';
import { type Identified, identify } from './identify.ts';
import { type Destination, judgeRun, type RunToJudge, skippedReport } from './judge-run.ts';
import { knownVerdict, reportsOf } from './known.ts';
import type { GateError, GateOutcome, StoppedOutcome } from './outcome.ts';
import { overview } from './overview.ts';
import { forgetPending, isAnswered, notePending, pendingRun } from './pending.ts';
import { readPipeline, readPipelineText } from './pipeline.ts';
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
  const known = request.start === 'again' ? undefined : await findKnown(context, request);
  if (known !== undefined) return judgeAndRecord(context, request, known);
  const place = context.placeFor(identified.config);
  const { branch, remote } = request;
  const { commit, fingerprint, config } = identified;
  const again = request.start === 'again';
  const about = { commit, fingerprint, place: place.name, branch, remote, reports: config.reports, again };
  const ran = await runCommit(context, identified, place, request, {
    note: (attempt, job) => notePending(context.repo, { ...about, attempt, job }, context.now()),
    forget: () => forgetPending(context.repo, commit),
  });
  if (!ran.ok) return stoppedBy(context.repo, commit, ran.error);
  if (ran.value.kind === 'waiting') return ran.value.waiting;
  return judgeAndRecord(context, request, ran.value);
}

/** The end of a commit's way, with the places of its config, which the screen names. */
export async function stoppedBy(repo: Repository, commit: Oid, error: GateError): Promise<StoppedOutcome> {
  const text = await readPipelineText(repo, commit);
  return { outcome: 'stopped', error, ...(text.ok ? { locate: text.value.locate } : {}) };
}

/**
 * What a commit is, as a step of its own: the policy for its branch is in its config. A clone without the data may learn from the
 * remote's reports what it was.
 */
export async function identifyCommit(
  context: GateContext,
  commit: Oid,
  remote: string | undefined,
): Promise<Result<Identified, GateError>> {
  await recorderDone(context, commit);
  const first = await identify(context, commit);
  if (first.ok || remote === undefined || first.error.reason !== 'fingerprint') return first;
  const { reason } = first.error.cause;
  if (reason !== 'no-match' && reason !== 'broken-link') return first;
  const pipeline = await readPipeline(context.repo, commit);
  if (!pipeline.ok) return err({ reason: 'pipeline', cause: pipeline.error });
  await fetchKnown(context, remote, pipeline.value.reports);
  return identify(context, commit);
}

/** A commit whose data is being hashed in the background: its record is there soon. A recorder that dies leaves the hashing to us. */
async function recorderDone({ repo, now, emit, signal }: GateContext, commit: Oid): Promise<void> {
  if (!hasRecorder(repo.stateDir, commit, now())) return;
  emit({ event: 'waiting-for-recorder' });
  while (!signal.aborted && hasRecorder(repo.stateDir, commit, now())) await sleep(100);
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
  /** A person has accepted this very commit in spite of its verdict. */
  readonly accepted?: Report;
}

/**
 * Here, or on the remote's reports branch: asked only where this clone does not know. Whoever looks after a run that was started `again` wants
 * its own verdict; a push goes by what is known.
 */
async function findKnown(context: GateContext, request: GateRequest): Promise<KnownRun | undefined> {
  const { commit, fingerprint, config } = request.identified;
  const reports = { repo: context.repo, branch: config.reports, emit: context.emit };
  const pending = request.start === 'never' ? pendingRun(context.repo, request.identified) : undefined;
  const look = async () => {
    const known = asKnown(await reportsOf(reports, fingerprint), commit);
    return known === undefined || pending === undefined || isAnswered(pending, known.run) ? known : undefined;
  };
  const here = await look();
  if (here !== undefined || request.remote === undefined) return here;
  await fetchKnown(context, request.remote, config.reports);
  return look();
}

/** What others know. Where it cannot be had, what is known here has to do. */
async function fetchKnown({ repo, emit, signal }: GateContext, remote: string, branch: string): Promise<void> {
  emit({ event: 'fetching-reports', remote });
  const fetched = await fetchReports(repo, remote, branch, { signal, computed: overview });
  if (!fetched.ok) emit({ event: 'reports-not-fetched', remote, error: fetched.error });
}

function asKnown(reports: readonly Report[], commit: Oid): KnownRun | undefined {
  const report = knownVerdict(reports);
  const run: RunResult | undefined = report?.run;
  if (report === undefined || run === undefined) return undefined;
  const accepted = reports.findLast((one) => one.outcome === 'accepted' && one.commit === commit);
  return { from: report, run, log: report.logTail, ...(accepted === undefined ? {} : { accepted }) };
}

/** What a run left, as a verdict and a report in this clone. */
export async function judgeAndRecord(
  context: GateContext,
  request: Pick<GateRequest, 'identified' | keyof Destination>,
  judged: RunToJudge | KnownRun,
): Promise<GateOutcome> {
  const { identified } = request;
  const done = await judgeRun(context, identified, request, judged);
  if (!done.ok) return { outcome: 'stopped', error: { reason: 'git', cause: done.error } };
  const { report, changes, isNew } = done.value;
  const shown = changes === undefined ? {} : { changes };
  const { from } = judged;
  if ('accepted' in judged && judged.accepted !== undefined && report.outcome !== 'pass')
    return { outcome: 'judged', report: judged.accepted, how: 'unchanged', ...shown, recorded: { ok: true } };
  if (!isNew) return { outcome: 'judged', report, how: 'unchanged', ...shown, recorded: { ok: true } };
  const recorded = await recordReport(context, identified, report, changes, judged.run.place.environment?.packages);
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
