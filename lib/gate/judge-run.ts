import { randomBytes } from 'node:crypto';
import { asOid, type Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import type { GitError } from '../git/errors.ts';
import { commitInfo } from '../git/history.ts';
import { buildReport } from '../report/build-report.ts';
import { reportId } from '../report/report-path.ts';
import type { Changes, Report, ReportFacts } from '../report/types.ts';
import { judge } from '../verdict/judge.ts';
import type { Baseline, RunResult, Verdict } from '../verdict/types.ts';
import { findBaselines } from './baseline.ts';
import { changesBetween } from './changes.ts';
import { type GateContext, nowNs } from './context.ts';
import { type Identified, identifyPast, whoAmI } from './identify.ts';
import { oddData } from './odd-data.ts';
import { oddNotebooks } from './odd-notebooks.ts';
import { summariseInputs } from './summarise-inputs.ts';

/** For whom a commit is judged: where it goes decides what it is compared with. */
export interface Destination {
  /** The branch that is pushed to, or that the commit is on. */
  readonly branch: string | undefined;
  readonly remote: string | undefined;
}

export interface RunToJudge {
  readonly run: RunResult;
  readonly log: string;
  /** The report with these metrics, if nothing was trained. */
  readonly from?: Report;
  readonly store?: string;
}

export interface JudgedRun {
  readonly report: Report;
  /** False: it is the report that was there, which says the same of this commit. */
  readonly isNew: boolean;
  readonly changes?: Changes;
}

/** Compares what a run left with what this commit's config asks for: the verdict, and the report on it. Nothing is written. */
export async function judgeRun(
  context: GateContext,
  identified: Identified,
  destination: Destination,
  judged: RunToJudge,
): Promise<Result<JudgedRun, GitError>> {
  const { commit, config } = identified;
  const reports = { repo: context.repo, branch: config.reports, emit: context.emit };
  const baselines = await findBaselines(reports, commit, config.require, destination.remote, () => nowNs(context));
  if (!baselines.ok) return baselines;
  const odd = [...oddData(context.repo, identified), ...(await oddNotebooks(context.repo, identified, judged.run))];
  const verdict = judge({ result: judged.run, require: config.require, baselines: baselines.value, odd });
  const changes = await changesSince(context, identified, Object.values(baselines.value));
  const shown = changes === undefined ? {} : { changes };
  if (judged.from !== undefined && saysTheSame(judged.from, commit, verdict))
    return ok({ report: judged.from, isNew: false, ...shown });
  const about = await aboutCommit(context, identified, destination);
  if (!about.ok) return about;
  const store = judged.store ?? judged.from?.store;
  const report = buildReport({
    ...about.value,
    judged: judged.from === undefined ? 'trained' : 'known',
    ...(judged.from === undefined ? {} : { from: judged.from.from ?? judged.from.id }),
    verdict,
    baselines: baselines.value,
    run: judged.run,
    log: judged.log,
    ...(store === undefined ? {} : { store }),
  });
  return ok({ report, isNew: true, ...shown });
}

/** Nothing new to say of this very commit: no second report. */
const saysTheSame = (before: Report, commit: Oid, now: Verdict): boolean =>
  before.commit === commit &&
  before.outcome === now.kind &&
  JSON.stringify([before.verdict?.checks, before.verdict?.advisory]) === JSON.stringify([now.checks, now.advisory]);

/** The record of the baseline's commit may be gone: then nobody can say what changed since. */
async function changesSince(
  context: GateContext,
  identified: Identified,
  baselines: readonly (Baseline | undefined)[],
): Promise<Changes | undefined> {
  const baseline = baselines.find((found) => found !== undefined);
  if (baseline === undefined) return undefined;
  const before = await identifyPast(context, asOid(baseline.commit));
  if (!before.ok || before.value.fingerprint !== baseline.run) return undefined;
  return changesBetween(context, before.value, identified);
}

/** A push that a person let go without a verdict. */
export async function skippedReport(
  context: GateContext,
  identified: Identified,
  destination: Destination,
  reason: string,
): Promise<Result<Report, GitError>> {
  const about = await aboutCommit(context, identified, destination);
  if (!about.ok) return about;
  const decision = { reason, by: await whoAmI(context.repo) };
  return ok(buildReport({ ...about.value, judged: 'known', decided: 'skipped', decision, baselines: {}, log: '' }));
}

async function aboutCommit(
  context: GateContext,
  { commit, fingerprint, inputs, config }: Identified,
  { branch }: Destination,
): Promise<
  Result<
    Pick<ReportFacts, 'id' | 'tool' | 'commit' | 'branch' | 'subject' | 'author' | 'by' | 'fingerprint' | 'inputs'>,
    GitError
  >
> {
  const info = await commitInfo(context.repo, commit);
  if (!info.ok) return info;
  const { subject, authorName, authorEmail } = info.value;
  return ok({
    id: reportId(context.now(), randomBytes(3).readUIntBE(0, 3)),
    tool: context.tool,
    commit,
    ...(branch === undefined ? {} : { branch }),
    subject,
    author: `${authorName} <${authorEmail}>`,
    by: await whoAmI(context.repo),
    fingerprint,
    inputs: summariseInputs(inputs, config),
  });
}
