import { err, ok, type Result } from '../base/result.ts';
import type { Config, Seeds } from '../config/types.ts';
import { fingerprintCommit } from '../fingerprint/fingerprint-commit.ts';
import { extendRun } from '../job/extend-run.ts';
import type { Report } from '../report/types.ts';
import { failuresOf } from '../verdict/evidence.ts';
import type { RunResult } from '../verdict/types.ts';
import { type GateContext, nowNs } from './context.ts';
import { judgeAndRecord } from './gate-commit.ts';
import type { Identified } from './identify.ts';
import type { Destination } from './judge-run.ts';
import type { GateError, GateOutcome } from './outcome.ts';
import { runCommit } from './run-commit.ts';

/**
 * The second look at an undecided run (docs/noise.md): the seeds that the config has declared for it, as a run of their own, which is
 * found again by its own fingerprint whatever interrupts us; then both are judged as one sample, in a report of the commit's run.
 */
export async function addSeeds(
  context: GateContext,
  identified: Identified,
  destination: Destination,
  first: Report & { readonly run: RunResult },
): Promise<GateOutcome> {
  const more = await identifyMore(context, identified);
  if (!more.ok) return { outcome: 'stopped', error: more.error };
  const place = context.placeFor(identified.config);
  // It is no run of the commit's own that somebody would wait for by the commit's name.
  const memory = { note: () => undefined, forget: () => undefined };
  const ran = await runCommit(context, more.value, place, { wait: 'until-ended', start: 'if-needed' }, memory);
  if (!ran.ok) return { outcome: 'stopped', error: ran.error };
  if (ran.value.kind === 'waiting') return { ...ran.value.waiting, addsSeeds: true };
  const { run, log, store } = ran.value;
  const [failure] = failuresOf(run).infrastructure;
  // A part of the declared seeds is another sample than was declared: what is known stays as it is.
  if (failure !== undefined) return { outcome: 'stopped', error: { reason: 'seeds-lost', failure } };
  return judgeAndRecord(context, { identified, ...destination }, { run: extendRun(first.run, run), log, store });
}

/** The same commit with other seeds: another run by its fingerprint, of which everything else is the same. */
async function identifyMore(context: GateContext, identified: Identified): Promise<Result<Identified, GateError>> {
  const { commit, inputs, data } = identified;
  const config = withAddedSeeds(identified.config);
  const done = await fingerprintCommit({
    repository: context.repo,
    commit,
    config,
    data: { recorded: inputs.data },
    nowNs: () => nowNs(context),
    signal: context.signal,
  });
  if (!done.ok) return err({ reason: 'fingerprint', cause: done.error });
  return ok({ ...identified, ...done.value, data, config });
}

const withAddedSeeds = (config: Config): Config => ({
  ...config,
  steps: config.steps.map((step) =>
    step.seeds?.more === undefined ? step : { ...step, seeds: { ...step.seeds, values: addedSeeds(step.seeds) } },
  ),
});

/** The list goes on after its largest, so that none is there twice, and the same ones come whoever adds them. */
export function addedSeeds({ values, more = 0 }: Seeds): readonly number[] {
  const largest = Math.max(...values);
  return Array.from({ length: more }, (_, index) => largest + 1 + index);
}
