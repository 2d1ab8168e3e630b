import { explainDifference } from '../fingerprint/differences.ts';
import { explain } from '../fingerprint/explain.ts';
import { changesText, type Places } from '../report/changes.ts';
import type { Changes } from '../report/types.ts';
import type { GateContext } from './context.ts';
import type { Identified } from './identify.ts';

/**
 * What changed from `a` to `b`, for a report and the screen of a fail. Where the contents of a commit are not here (a shallow or
 * partial clone), the files are named without their cells: a verdict never waits for this.
 */
export async function changesBetween(
  context: Pick<GateContext, 'repo'>,
  a: Identified,
  b: Identified,
  places?: Places,
): Promise<Changes> {
  const explained = await explain(context.repo, a, b);
  return changesText(explained.ok ? explained.value : explainDifference(a.inputs, b.inputs), places);
}
