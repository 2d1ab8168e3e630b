import type { Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Config } from '../config/types.ts';
import { baselineFrom } from '../gate/baseline.ts';
import type { Identified } from '../gate/identify.ts';
import { knownVerdict, reportsOf, reportsOnCommits } from '../gate/known.ts';
import type { GateError, GateOutcome } from '../gate/outcome.ts';
import { commitsOnLine } from '../git/history.ts';
import type { Report } from '../report/types.ts';
import { judge } from '../verdict/judge.ts';
import { endsOf } from './bisect-ends.ts';
import { looksLeft, type Search, search } from './bisect-search.ts';
import type { BisectError, Bisected, BisectOptions, BisectPoint } from './bisect-types.ts';

/**
 * `mlops bisect [GOOD BAD]`: the first commit on BAD's line of first parents, after GOOD, that does not meet what BAD requires. Each is
 * judged by the same: BAD's requirements, and GOOD's metrics as the baseline; so a slow decline is found where it goes too far.
 */
export async function bisect(options: BisectOptions): Promise<Result<Bisected, BisectError>> {
  const ends = await endsOf(options);
  if (!ends.ok) return ends;
  const { good, bad } = ends.value;
  const after = await commitsOnLine(options.reports.repo, good, bad);
  if (!after.ok) return err({ reason: 'git', cause: after.error });
  const line = [good, ...after.value];
  const identified = await options.identify(bad);
  if (!identified.ok) return err({ reason: 'identify', commit: bad, cause: identified.error });
  const bisection = new Bisection(options, line, identified.value);
  const first = await bisection.judgeEnds();
  return first.ok ? bisection.toTheEnd() : first;
}

/** What is about the commit alone; all else would be the same with the next one. */
const ofTheCommit: ReadonlySet<GateError['reason']> = new Set([
  'pipeline',
  'fingerprint',
  'tree',
  'contents',
  'render',
  'plan',
  'build',
  'data-unlisted',
  'data-changed',
  'data-absent',
]);

class Bisection {
  readonly #options: BisectOptions;
  readonly #line: readonly Oid[];
  readonly #bad: Identified;
  readonly #points: BisectPoint[];
  #baseline: Report | undefined;
  #judged = 0;

  constructor(options: BisectOptions, line: readonly Oid[], bad: Identified) {
    this.#options = options;
    this.#line = line;
    this.#bad = bad;
    this.#points = line.map((commit) => ({ commit, standing: undefined }));
  }

  /** GOOD first, because it is what the others are compared with. Whoever names them is believed where nothing is known. */
  async judgeEnds(): Promise<Result<void, BisectError>> {
    const [good, last] = [0, this.#line.length - 1];
    const compares = Object.values(this.#require).some(({ baseline }) => baseline !== undefined);
    const first = await this.#lookAt(good, compares);
    if (!first.ok) return first;
    const { commit, report, verdict } = first.value;
    if (verdict?.kind === 'fail' && report !== undefined) return err({ reason: 'good-fails', commit, report, verdict });
    if (report === undefined && compares) return err({ reason: 'good-unknown', commit });
    this.#baseline = report;
    this.#points[good] = { ...first.value, standing: 'good' };
    const bad = await this.#lookAt(last, true);
    if (!bad.ok) return bad;
    if (bad.value.standing === 'good') return err({ reason: 'bad-passes', commit: bad.value.commit });
    if (bad.value.standing !== 'bad' && this.#options.bad === undefined)
      return err({ reason: 'bad-unknown', commit: bad.value.commit });
    this.#points[last] = { ...bad.value, standing: 'bad' };
    return ok(undefined);
  }

  async toTheEnd(): Promise<Result<Bisected, BisectError>> {
    await this.#takeWhatIsNoted();
    const known = this.#points.filter(({ standing }) => standing !== undefined).length - 2;
    const begin = this.#search();
    const looks = looksLeft(begin.open);
    this.#options.tell({ step: 'line', commits: this.#line.length - 1, known, looks });
    for (;;) {
      const { next, good, bad } = this.#search();
      if (next === undefined) return ok(this.#found(good, bad));
      const point = await this.#lookAt(next, true);
      if (!point.ok) return point;
      // Where nothing may be found out, what is not known cannot be told.
      this.#points[next] = point.value.standing === undefined ? { ...point.value, standing: 'skip' } : point.value;
    }
  }

  #search(): Search {
    return search(this.#points.map(({ standing }) => standing));
  }

  /** All notes at once: most of a search may be over without looking at a single commit's contents. */
  async #takeWhatIsNoted(): Promise<void> {
    const open = this.#points.filter(({ standing }) => standing === undefined).map(({ commit }) => commit);
    const byCommit = new Map<Oid, Report[]>();
    for (const report of await reportsOnCommits(this.#options.reports, open))
      byCommit.set(report.commit, [...(byCommit.get(report.commit) ?? []), report]);
    for (const [index, { commit, standing }] of this.#points.entries()) {
      const report = knownVerdict(byCommit.get(commit) ?? []);
      if (standing === undefined && report !== undefined) this.#points[index] = this.#pointOf(commit, report);
    }
  }

  async #lookAt(index: number, mayJudge: boolean): Promise<Result<BisectPoint, BisectError>> {
    const commit = this.#line[index] as Oid;
    const { reports, identify, judge: find } = this.#options;
    const identified = commit === this.#bad.commit ? ok(this.#bad) : await identify(commit);
    if (!identified.ok) return ok({ commit, standing: 'skip', error: identified.error });
    const all = await reportsOf(reports, identified.value.fingerprint);
    const report = knownVerdict(all.filter((one) => one.commit === commit)) ?? knownVerdict(all);
    if (report !== undefined) return ok(this.#pointOf(commit, report));
    if (!mayJudge || find === undefined) return ok({ commit, standing: undefined });
    this.#options.tell({ step: 'judging', commit, looks: looksLeft(this.#search().open) });
    const outcome = await find(identified.value);
    const point = this.#pointAfter(commit, outcome);
    if (point.ok) {
      if (point.value.report !== undefined) this.#judged += 1;
      this.#options.tell({ step: 'found-out', point: point.value });
    }
    return point;
  }

  #pointAfter(commit: Oid, outcome: GateOutcome): Result<BisectPoint, BisectError> {
    switch (outcome.outcome) {
      case 'judged':
      case 'skipped':
        return ok(this.#pointOf(commit, outcome.report));
      case 'waiting':
        return err({ reason: 'waiting', waiting: outcome });
      case 'stopped':
        return ofTheCommit.has(outcome.error.reason)
          ? ok({ commit, standing: 'skip', error: outcome.error })
          : err({ reason: 'stopped', commit, cause: outcome.error });
    }
  }

  #pointOf(commit: Oid, report: Report): BisectPoint {
    if (report.run === undefined) return { commit, standing: 'skip', report };
    const require = this.#require;
    const good = this.#baseline;
    const against =
      good === undefined ? undefined : baselineFrom(good, 'GOOD', this.#line[0] as Oid, Object.keys(require));
    const baselines = Object.fromEntries(Object.keys(require).map((metric) => [metric, against]));
    const verdict = judge({ result: report.run, require, baselines });
    const standing = { pass: 'good', fail: 'bad', error: 'skip' } as const;
    return {
      commit,
      standing: standing[verdict.kind],
      report,
      verdict,
      ...(against === undefined ? {} : { against }),
    };
  }

  /** GOOD is what all are compared with, whatever BAD is compared with in a push. */
  get #require(): Config['require'] {
    return Object.fromEntries(
      Object.entries(this.#bad.config.require).map(([metric, one]) => [
        metric,
        one.baseline === undefined ? one : { ...one, baseline: 'GOOD', withoutBaseline: 'ignore' as const },
      ]),
    );
  }

  #found(good: number, bad: number): Bisected {
    const at = (index: number) => this.#points[index] as BisectPoint;
    return {
      good: at(good),
      bad: at(bad),
      untold: this.#points.slice(good + 1, bad),
      commits: this.#line.length - 1,
      judged: this.#judged,
    };
  }
}
