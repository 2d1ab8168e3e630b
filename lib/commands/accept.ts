import { randomBytes } from 'node:crypto';
import { err, ok, type Result } from '../base/result.ts';
import type { GateContext } from '../gate/context.ts';
import { type Identified, whoAmI } from '../gate/identify.ts';
import { knownVerdict, reportsOf } from '../gate/known.ts';
import type { Recorded } from '../gate/outcome.ts';
import { recordReport } from '../gate/record-report.ts';
import { reportId } from '../report/report-path.ts';
import type { Report } from '../report/types.ts';

export type AcceptError =
  /** There is no verdict of the model that could be overruled. */
  { readonly reason: 'nothing-known' } | { readonly reason: 'passes-already'; readonly report: Report };

/** A person lets a commit go in spite of its verdict: who and why are recorded, and it never counts as a pass. */
export async function accept(
  context: GateContext,
  identified: Identified,
  reason: string,
): Promise<Result<{ readonly report: Report; readonly recorded: Recorded }, AcceptError>> {
  const { repo, emit } = context;
  const { commit, config, fingerprint } = identified;
  const reports = await reportsOf({ repo, branch: config.reports, emit }, fingerprint);
  const known = knownVerdict(reports.filter((report) => report.commit === commit)) ?? knownVerdict(reports);
  if (known === undefined) return err({ reason: 'nothing-known' });
  if (known.verdict?.kind === 'pass') return err({ reason: 'passes-already', report: known });
  const report: Report = {
    ...known,
    id: reportId(context.now(), randomBytes(3).readUIntBE(0, 3)),
    tool: context.tool,
    commit,
    judged: 'known',
    from: known.from ?? known.id,
    outcome: 'accepted',
    decision: { reason, by: await whoAmI(repo) },
  };
  return ok({ report, recorded: await recordReport(context, identified, report, undefined) });
}
