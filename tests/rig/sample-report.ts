import { asFingerprint, asOid, asSha256 } from '../../lib/base/ids.ts';
import type { Requirement } from '../../lib/config/types.ts';
import { buildReport } from '../../lib/report/build-report.ts';
import type { Report, ReportFacts } from '../../lib/report/types.ts';
import { judge } from '../../lib/verdict/judge.ts';
import type { Baseline, Failure, MetricReading, RunResult } from '../../lib/verdict/types.ts';

export const fingerprint = asFingerprint(`5b7e90d${'0'.repeat(56)}1`);
export const commit = asOid('3f2a91c'.padEnd(40, '0'));
export const main: Baseline = {
  name: 'main',
  commit: '91ab3c0'.padEnd(40, '0'),
  distance: 2,
  run: asFingerprint('a'.repeat(64)),
  metrics: { rprec: 0.391, mrr: 0.6 },
};
export const requirement: Requirement = {
  min: 0.25,
  baseline: 'main',
  maxDrop: { kind: 'percent', amount: 1 },
  withoutBaseline: 'warn',
};
export const numberOf = (value: number): MetricReading => ({ kind: 'number', value, source: 'movie-recs.ipynb' });

export const run: RunResult = {
  version: 1,
  fingerprint,
  attempt: 1,
  job: { id: '481516', how: 'completed', word: 'COMPLETED', exitCode: 0 },
  finished: true,
  steps: [{ name: 'movie-recs.ipynb', outcome: 'passed', exitCode: 0, seconds: 61 }],
  metrics: { rprec: numberOf(0.395) },
  place: {
    cluster: 'login.hpc.example.edu',
    node: 'c117',
    cpu: 'AMD EPYC 7763',
    gpu: 'NVIDIA A100-SXM4-40GB',
    gpus: 1,
    environment: { key: 'c'.repeat(64), packages: Array.from({ length: 400 }, (_, index) => `package-${index}=1.0`) },
  },
  seconds: 68,
  peakMemory: 3_221_225_472,
  artifacts: [
    { path: 'model.pkl', sha256: 'd'.repeat(64), size: 18_000_000, role: 'artifact' },
    { path: 'log', sha256: 'e'.repeat(64), size: 18_000, role: 'log' },
    { path: 'movie-recs.ipynb', sha256: 'f'.repeat(64), size: 480_000, role: 'notebook' },
  ],
  findings: [],
};

const log = Array.from({ length: 200 }, (_, index) => `epoch ${index + 1}: loss ${(1 / (index + 1)).toFixed(4)}`).join(
  '\n',
);
const data = { hash: asSha256('b'.repeat(64)), files: 1, bytes: 2_480_000, writable: false };

export interface SampleOptions {
  readonly run?: Partial<RunResult>;
  readonly require?: Readonly<Record<string, Requirement>>;
  readonly baseline?: Baseline | null;
  readonly facts?: Partial<ReportFacts>;
}

/** A report as an ordinary run leaves it, and variations of it. */
export function sampleReport(options: SampleOptions = {}): Report {
  const result = { ...run, ...options.run };
  const require = options.require ?? { rprec: requirement };
  const baseline = options.baseline === null ? undefined : (options.baseline ?? main);
  const baselines = Object.fromEntries(Object.keys(require).map((metric) => [metric, baseline]));
  return buildReport({
    id: '20261124T035000Z-a1b2c3',
    tool: 'mlops-hpc 0.1.0',
    commit,
    branch: 'cosine',
    subject: 'Cosine similarity on centred ratings',
    author: 'Ann Example <ann@example.org>',
    by: 'Ann Example <ann@example.org>',
    fingerprint,
    inputs: {
      code: 12,
      data: { 'data/ratings.csv': data },
      environment: 'conda environment.yml',
      steps: [{ name: 'movie-recs.ipynb', fingerprint }],
    },
    judged: 'trained',
    verdict: judge({ result, require, baselines }),
    baselines,
    run: result,
    log,
    store: 'login.hpc.example.edu:/scratch/ann/mlops',
    ...options.facts,
  });
}

export const raised: Failure = {
  side: 'code',
  reason: 'exception',
  detail: "KeyError: 'rating'",
  exception: "KeyError: 'rating'",
  step: 'movie-recs.ipynb',
  cell: 42,
  cells: 69,
  traceback: `Traceback (most recent call last)\n${Array.from({ length: 60 }, (_, index) => `  File "/x/frame${index}.py", line ${index}`).join('\n')}\nKeyError: 'rating'`,
};
export const failedRun: Partial<RunResult> = {
  job: { id: '481516', how: 'failed', word: 'FAILED', exitCode: 1 },
  metrics: {},
  steps: [{ name: 'movie-recs.ipynb', outcome: 'failed', exitCode: 1, seconds: 40, failure: raised }],
};
export const outOfMemory: Partial<RunResult> = {
  job: { id: '481516', how: 'out-of-memory', word: 'OUT_OF_MEMORY' },
  peakMemory: 17_179_869_184,
  metrics: {},
  steps: [
    {
      name: 'movie-recs.ipynb',
      outcome: 'failed',
      failure: {
        side: 'infrastructure',
        reason: 'kernel-died',
        detail: 'Kernel died',
        step: 'movie-recs.ipynb',
        cell: 31,
        cells: 69,
      },
    },
  ],
};
/** Text that would like to be something else, wherever it is shown. */
export const hostile = 'a|b\u001b[31m<script>`x`\u202e**@all** [y](http://z) ```\n# no';
