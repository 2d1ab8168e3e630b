import { canonicalJson } from '../base/canonical-json.ts';
import type { Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Config } from '../config/types.ts';
import type { FingerprintError } from '../fingerprint/errors.ts';
import { fingerprintCommit } from '../fingerprint/fingerprint-commit.ts';
import { readRecord } from '../fingerprint/records.ts';
import type { DataSet, Fingerprinted } from '../fingerprint/types.ts';
import type { GitError } from '../git/errors.ts';
import { ancestors } from '../git/history.ts';
import { readNotes } from '../git/notes.ts';
import type { Report } from '../report/types.ts';
import { dataOfReport, type ReportsContext, reportsOf, reportsOnCommits } from './known.ts';
import { type PipelineError, readPipeline } from './pipeline.ts';
import { isOfSameDvcData } from './recorded-data.ts';

/** What a commit may be, and what was reported for exactly that. */
export interface Recognised {
  readonly config: Config;
  readonly candidates: readonly { readonly fingerprinted: Fingerprinted; readonly reports: readonly Report[] }[];
}

export type RecogniseError =
  | { readonly reason: 'pipeline'; readonly cause: PipelineError }
  | { readonly reason: 'fingerprint'; readonly cause: FingerprintError }
  | { readonly reason: 'git'; readonly cause: GitError };

/** How many commits back a report is looked for whose data this commit may have, and how many different data are tried. */
const looks = { commits: 200, candidates: 5 } as const;

/**
 * Knows a commit again without its data: the tree is the commit's own, and the data what was recorded or reported for it, or else
 * for the commits before it (a forge's merge commit has no report of its own). Hashes no file, and writes nothing but caches.
 */
export async function recognise(
  context: ReportsContext,
  commit: Oid,
  nowNs: () => bigint,
): Promise<Result<Recognised, RecogniseError>> {
  const { repo } = context;
  const pipeline = await readPipeline(repo, commit);
  if (!pipeline.ok) return err({ reason: 'pipeline', cause: pipeline.error });
  const config = pipeline.value;
  const sets = await possibleData(context, commit, config);
  if (!sets.ok) return err({ reason: 'git', cause: sets.error });
  const candidates: Recognised['candidates'][number][] = [];
  for (const recorded of sets.value) {
    const done = await fingerprintCommit({ repository: repo, commit, config, data: { recorded }, nowNs });
    if (!done.ok) return err({ reason: 'fingerprint', cause: done.error });
    candidates.push({ fingerprinted: done.value, reports: await reportsOf(context, done.value.fingerprint) });
  }
  return ok({ config, candidates });
}

type Sets = Readonly<Record<string, DataSet>>;

async function possibleData(
  context: ReportsContext,
  commit: Oid,
  config: Config,
): Promise<Result<readonly Sets[], GitError>> {
  // What is on the cluster is in the commit's own lock.
  const entries = config.data.filter(({ kind }) => kind === 'path');
  if (entries.length === 0) return ok([{}]);
  const record = readRecord(context.repo, commit);
  const own = [
    ...(record.ok ? [record.value.data] : []),
    ...(await reportsOnCommits(context, [commit])).map((report) => dataOfReport(report, config)),
  ];
  const found = distinct(own, config);
  if (found.length > 0) return ok(found);
  const line = await ancestors(context.repo, commit, looks.commits);
  if (!line.ok) return line;
  const notes = await readNotes(context.repo, line.value);
  if (!notes.ok) return notes;
  const inherited: Sets[] = [];
  for (const ancestor of line.value.filter((one) => notes.value.has(one))) {
    if (!(await isOfSameDvcData(context.repo, ancestor, commit))) continue;
    inherited.push(...(await reportsOnCommits(context, [ancestor])).map((report) => dataOfReport(report, config)));
    if (distinct(inherited, config).length >= looks.candidates) break;
  }
  return ok(distinct(inherited, config).slice(0, looks.candidates));
}

/** Each once, with what the commit's own config says of it; without those that lack an entry. */
function distinct(all: readonly Sets[], config: Config): readonly Sets[] {
  const found = new Map<string, Sets>();
  for (const sets of all) {
    const known = config.data.flatMap((entry) => {
      if (entry.kind === 'cluster') return [];
      const { path: name, writable } = entry;
      const set = Object.hasOwn(sets, name) ? sets[name] : undefined;
      return set === undefined ? [] : [[name, { ...set, writable }] as const];
    });
    const asked = config.data.filter(({ kind }) => kind === 'path').length;
    if (known.length < asked) continue;
    const complete: Sets = Object.fromEntries(known);
    const key = canonicalJson(Object.fromEntries(known.map(([name, { hash }]) => [name, hash])));
    if (!found.has(key)) found.set(key, complete);
  }
  return [...found.values()];
}
