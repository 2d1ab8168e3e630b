import type { Limits, Requirement } from '../config/types.ts';
import { checkMetric } from './bounds.ts';
import { failuresOf } from './evidence.ts';
import { type Measured, measure } from './measure.ts';
import { sampleOf, summarise } from './sample.ts';
import type {
  AdvisoryCheck,
  Baseline,
  Check,
  Failure,
  Finding,
  MetricReading,
  RunResult,
  Verdict,
  VerdictReason,
} from './types.ts';

export interface JudgeInput {
  readonly result: RunResult;
  readonly require: Readonly<Record<string, Requirement>>;
  /** By metric; absent where the lookup found none. */
  readonly baselines: Readonly<Record<string, Baseline | undefined>>;
  /** What is odd about what was run, whatever the run made of it. */
  readonly odd?: readonly Finding[];
}

/**
 * The verdict by docs/verdicts.md, in this order: infrastructure (error, and nothing else is said), the code's own failures and
 * the integrity findings (fail), the bounds (fail), else pass.
 */
export function judge({ result, require, baselines, odd = [] }: JudgeInput): Verdict {
  const { infrastructure, code } = failuresOf(result);
  const warnings = [...odd, ...result.findings].filter((finding) => finding.severity === 'warn');
  const infos = odd.filter((finding) => finding.severity === 'info');
  const noted = infos.length === 0 ? {} : { noted: infos };
  if (infrastructure.length > 0) {
    return { kind: 'error', checks: [], reasons: infrastructure.map(asReason), warnings, ...noted };
  }

  const required = Object.entries(require).map(([key, requirement]) => {
    const found = measure(result, key);
    const decide = (limits: Requirement): readonly Check[] =>
      found.flatMap(({ name, reading, sample }) => checkMetric(name, limits, reading, own(baselines, key), sample));
    return { requirement, found, decide };
  });
  const checks = required.flatMap(({ requirement, decide }) => {
    const { warn: _warn, goal: _goal, ...hard } = requirement;
    return asks(requirement) ? decide(hard) : [];
  });
  const advisory = required.flatMap(({ requirement, decide }) =>
    advised(requirement).flatMap(([level, limits]) =>
      decide(limits).map((check): AdvisoryCheck => ({ ...check, level })),
    ),
  );
  const measured = new Map(required.flatMap(({ found }) => found).map((one) => [one.name, one]));
  const derived = [...measured.values()].flatMap(({ name, reading, derived }) => (derived ? [[name, reading]] : []));
  const findings = result.findings.filter((finding) => finding.severity === 'fail');
  const reasons: VerdictReason[] = [
    ...code.map(asReason),
    ...findings.map((finding): VerdictReason => ({ reason: 'finding', finding })),
    ...checks
      .filter(blocks)
      // After a failure a metric that is not there is its consequence, not another reason.
      .filter((check) => !(code.length > 0 && check.problem === 'missing'))
      .map((check): VerdictReason => ({ reason: 'check', check, reading: readingOf(measured, check) })),
  ];
  return {
    kind: reasons.length === 0 ? 'pass' : 'fail',
    checks,
    ...(advisory.length === 0 ? {} : { advisory }),
    ...(derived.length === 0 ? {} : { derived: Object.fromEntries(derived) }),
    reasons,
    warnings: [...warnings, ...warningsOf(checks, baselines, result, measured)],
    ...noted,
  };
}

/** Whether a bound, as it was decided, keeps a run from passing. */
export const blocks = ({ outcome, requirement }: Pick<Check, 'outcome' | 'requirement'>): boolean =>
  outcome === 'not-met' ||
  outcome === 'no-baseline-fail' ||
  (outcome === 'undecided' && requirement.undecided !== 'warn');

/** Whether all that keeps a run from passing is undecided and allows for a second look, and there has been none. */
export const wantsMoreSeeds = (verdict: Verdict | undefined, run: Pick<RunResult, 'added'> | undefined): boolean =>
  run !== undefined &&
  run.added === undefined &&
  verdict?.kind === 'fail' &&
  verdict.reasons.every(
    (found) =>
      found.reason === 'check' && found.check.outcome === 'undecided' && found.check.requirement.undecided === 'more',
  );

/** A requirement without any limit asks for a number; one that only warns, or has a goal, asks for nothing. */
const asks = ({ warn, goal, ...hard }: Requirement): boolean =>
  hasLimits(hard) || hard.equals !== undefined || (warn === undefined && goal === undefined);

const hasLimits = ({ min, max, maxDrop, maxRise }: Limits): boolean =>
  [min, max, maxDrop, maxRise].some((limit) => limit !== undefined);

/** The limits beside the hard ones, each as a requirement of its own, decided by the same rules. */
function advised({ warn, goal, baseline }: Requirement): readonly (readonly [AdvisoryCheck['level'], Requirement])[] {
  const common = { ...(baseline === undefined ? {} : { baseline }), withoutBaseline: 'ignore' } as const;
  return [
    ...(warn !== undefined && hasLimits(warn) ? [['warn', { ...warn, ...common }] as const] : []),
    ...(goal !== undefined && hasLimits(goal) ? [['goal', { ...goal, withoutBaseline: 'ignore' }] as const] : []),
  ];
}

const asReason = (failure: Failure): VerdictReason => ({ reason: 'failure', failure });

const own = <T>(record: Readonly<Record<string, T>>, key: string): T | undefined =>
  Object.hasOwn(record, key) ? record[key] : undefined;

const readingOf = (measured: ReadonlyMap<string, Measured>, { metric }: Check): MetricReading =>
  measured.get(metric)?.reading ?? { kind: 'missing', source: '' };

/**
 * Metrics that are equal to the last digit over different seeds. One that nothing is required of may count something that no seed can
 * change; where no metric at all changes, the seed most likely reaches nothing.
 */
function withoutEffect({ metrics, tasks = [] }: RunResult, measured: ReadonlyMap<string, Measured>): readonly string[] {
  const sampled = Object.keys(metrics).flatMap((name) => {
    const sample = sampleOf(tasks, name);
    return sample === undefined || sample.length < 2
      ? []
      : [{ name, varies: summarise(sample.map(({ value }) => value)).sd > 0 }];
  });
  const equal = sampled.filter(({ varies }) => !varies).map(({ name }) => name);
  return equal.length === sampled.length ? equal : equal.filter((name) => measured.has(name));
}

function warningsOf(
  checks: readonly Check[],
  baselines: JudgeInput['baselines'],
  result: RunResult,
  measured: ReadonlyMap<string, Measured>,
): readonly Finding[] {
  const warnings: Finding[] = [];
  const warn = (name: string, detail: string) => {
    if (!warnings.some((known) => known.name === name && known.detail === detail))
      warnings.push({ name, severity: 'warn', detail });
  };
  for (const metric of withoutEffect(result, measured)) warn('seeds-without-effect', metric);
  for (const { metric, outcome, requirement, bound, problem, sample } of checks) {
    if (outcome === 'undecided' && requirement.undecided === 'warn') warn('undecided', `${metric}: ${bound}`);
    if (sample === undefined && measured.get(metric)?.sample?.length === 1) warn('one-seed', metric);
    if (outcome === 'no-baseline-warn')
      warn('no-baseline', `${metric} against ${requirement.baseline ?? 'its baseline'}`);
    const margin = bound === 'max_drop' ? requirement.maxDrop : bound === 'max_rise' ? requirement.maxRise : undefined;
    const zero = own(baselines, metric)?.metrics[metric] === 0;
    if (margin?.kind === 'percent' && zero && problem === undefined) warn('baseline-zero', metric);
  }
  if (result.job === undefined)
    warn('end-unconfirmed', 'the scheduler has forgotten the job; its own last word is all there is');
  for (const step of result.steps) {
    if (step.tests !== undefined && step.tests.passed + step.tests.failed === 0) warn('no-tests', step.name);
  }
  return warnings;
}
