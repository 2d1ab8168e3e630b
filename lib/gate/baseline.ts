import type { Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import type { Config } from '../config/types.ts';
import type { GitError } from '../git/errors.ts';
import { firstParents, mergeBase, remoteDefaultBranch, resolveCommit } from '../git/history.ts';
import { readNotes } from '../git/notes.ts';
import type { Repository } from '../git/repository.ts';
import type { Report } from '../report/types.ts';
import { measure } from '../verdict/measure.ts';
import type { Baseline } from '../verdict/types.ts';
import { knownVerdict, type ReportsContext, reportsOnCommits } from './known.ts';
import { recognise } from './recognise.ts';

interface BaselineQuestion {
  readonly commit: Oid;
  /** As the requirement names it: a branch, a tag or a commit. */
  readonly name: string;
  /** The remote that is pushed to; its branch counts before a local one of the same name. */
  readonly remote: string | undefined;
  /** Everything that is required, by the keys of `require`. */
  readonly keys: readonly string[];
}

/** How far back a verdict is looked for, in first parents. */
const farthest = 100;

/**
 * The baseline by docs/verdicts.md: the verdict of the merge base's own content, else of its nearest first-parent ancestor that has one.
 * Forges' merge and squash commits run no hook, so the merge base itself often has no note, but its content has a verdict.
 */
async function findBaseline(
  context: ReportsContext,
  question: BaselineQuestion,
  nowNs: () => bigint,
): Promise<Result<Baseline | undefined, GitError>> {
  const { repo } = context;
  const { commit, name, remote, keys } = question;
  const start = await startingPoint(repo, commit, name, remote);
  if (!start.ok) return start;
  if (start.value === undefined) return ok(undefined);
  const line = await firstParents(repo, start.value, farthest + 1);
  if (!line.ok) return line;
  // A commit is never compared with itself.
  const candidates = line.value.filter((ancestor) => ancestor !== commit);
  const noted = await readNotes(repo, candidates);
  if (!noted.ok) return noted;
  for (const ancestor of candidates) {
    const byContent = ancestor === candidates[0] ? await knownByContent(context, ancestor, nowNs) : undefined;
    const report =
      byContent ?? (noted.value.has(ancestor) ? knownVerdict(await reportsOnCommits(context, [ancestor])) : undefined);
    const baseline = report === undefined ? undefined : baselineFrom(report, name, ancestor, keys);
    if (baseline === undefined || Object.keys(baseline.metrics).length === 0) continue;
    return ok({ ...baseline, distance: line.value.indexOf(ancestor) });
  }
  return ok(undefined);
}

async function knownByContent(context: ReportsContext, commit: Oid, nowNs: () => bigint): Promise<Report | undefined> {
  const recognised = await recognise(context, commit, nowNs);
  if (!recognised.ok) return undefined;
  return recognised.value.candidates.map(({ reports }) => knownVerdict(reports)).find((report) => report !== undefined);
}

/** What a report's run measured, as something to compare with; `keys`: what is required, which need not be in a list of metrics. */
export function baselineFrom(report: Report, name: string, commit: Oid, keys: readonly string[]): Baseline {
  const { run } = report;
  const found =
    run === undefined ? [] : [...new Set([...Object.keys(run.metrics), ...keys])].flatMap((key) => measure(run, key));
  const metrics = found.flatMap(({ name, reading }) => (reading.kind === 'number' ? [[name, reading.value]] : []));
  const samples = found.flatMap(({ name, reading, sample = [] }) =>
    reading.kind === 'number' && sample.length > 1 ? [[name, sample]] : [],
  );
  return {
    name,
    commit,
    distance: 0,
    run: report.fingerprint,
    metrics: Object.fromEntries(metrics),
    ...(samples.length === 0 ? {} : { samples: Object.fromEntries(samples) }),
  };
}

/** For each metric that is compared with something: what with. Each name is looked for once. */
export async function findBaselines(
  context: ReportsContext,
  commit: Oid,
  require: Config['require'],
  remote: string | undefined,
  nowNs: () => bigint,
): Promise<Result<Readonly<Record<string, Baseline | undefined>>, GitError>> {
  const byName = new Map<string, Baseline | undefined>();
  const byMetric: [string, Baseline | undefined][] = [];
  for (const [metric, { baseline: name }] of Object.entries(require)) {
    if (name === undefined) continue;
    if (!byName.has(name)) {
      const found = await findBaseline(context, { commit, name, remote, keys: Object.keys(require) }, nowNs);
      if (!found.ok) return found;
      byName.set(name, found.value);
    }
    byMetric.push([metric, byName.get(name)]);
  }
  return ok(Object.fromEntries(byMetric));
}

async function startingPoint(
  repo: Repository,
  commit: Oid,
  name: string,
  remote: string | undefined,
): Promise<Result<Oid | undefined, GitError>> {
  const tip = await resolveName(repo, name, remote);
  if (tip !== undefined) return mergeBase(repo, tip, commit);
  // A clone that does not know the named one: the remote's default branch is the next best line.
  const fallback = remote === undefined ? ok(undefined) : await remoteDefaultBranch(repo, remote);
  if (!fallback.ok) return fallback;
  const other = fallback.value === undefined ? undefined : await resolveName(repo, fallback.value, remote);
  return other === undefined ? ok(commit) : mergeBase(repo, other, commit);
}

async function resolveName(repo: Repository, name: string, remote: string | undefined): Promise<Oid | undefined> {
  const candidates = [
    ...(remote === undefined ? [] : [`refs/remotes/${remote}/${name}`]),
    `refs/heads/${name}`,
    `refs/tags/${name}`,
    `refs/remotes/origin/${name}`,
    name,
  ];
  for (const candidate of candidates) {
    const found = await resolveCommit(repo, candidate);
    if (found.ok) return found.value;
  }
  return undefined;
}
