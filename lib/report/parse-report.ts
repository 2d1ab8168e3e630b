import type { Fingerprint } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { blocks } from '../verdict/judge.ts';
import { reportPath } from './report-path.ts';
import {
  count,
  finite,
  flag,
  list,
  matching,
  members,
  oneOf,
  optional,
  record,
  type Shape,
  scalar,
  text,
  tuple,
  variants,
} from './shape.ts';
import type { Report } from './types.ts';

export type ReportProblem =
  | { readonly reason: 'not-json'; readonly detail: string }
  /** Written by a version that knows more than this one. */
  | { readonly reason: 'newer-version'; readonly version: number }
  | { readonly reason: 'malformed'; readonly at: string }
  /** It stands at the path of another run. */
  | { readonly reason: 'wrong-path'; readonly expected: string }
  /** Its fingerprint is not that of its own run, or not the one that was recomputed. */
  | { readonly reason: 'wrong-fingerprint' };

/** A report from the branch, which anyone who can push may have written. */
export function parseReport(
  json: string,
): Result<Report, Extract<ReportProblem, { reason: 'not-json' | 'newer-version' | 'malformed' }>> {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (error) {
    return err({ reason: 'not-json', detail: error instanceof Error ? error.message : String(error) });
  }
  const version =
    members({ version: finite })(value, '') === undefined ? (value as { version: number }).version : undefined;
  if (version === undefined) return err({ reason: 'malformed', at: 'version' });
  if (version > 1) return err({ reason: 'newer-version', version });
  const at = shape(value, '');
  if (at !== undefined) return err({ reason: 'malformed', at });
  const report = value as Report;
  const lie = contradiction(report);
  return lie === undefined ? ok(report) : err({ reason: 'malformed', at: lie });
}

/**
 * A report counts only at its own path, for its own run, and for the fingerprint that was recomputed from the commit
 * (`expected`, where the caller has it).
 */
export function checkReport(report: Report, path: string, expected?: Fingerprint): Result<Report, ReportProblem> {
  const { json } = reportPath(report);
  if (path !== json) return err({ reason: 'wrong-path', expected: json });
  if (report.run !== undefined && report.run.fingerprint !== report.fingerprint)
    return err({ reason: 'wrong-fingerprint' });
  if (expected !== undefined && report.fingerprint !== expected) return err({ reason: 'wrong-fingerprint' });
  return ok(report);
}

/** What says one thing and means another never counts as a pass. */
function contradiction({ outcome, verdict, decision, run }: Report): string | undefined {
  if (outcome === 'skipped' || outcome === 'accepted') return decision === undefined ? 'decision' : undefined;
  if (verdict === undefined || verdict.kind !== outcome) return 'verdict.kind';
  if (run === undefined) return 'run';
  if (outcome === 'pass' && (verdict.reasons.length > 0 || verdict.checks.some(blocks))) return 'verdict.reasons';
  return outcome === 'error' && verdict.checks.length > 0 ? 'verdict.checks' : undefined;
}

const finiteOrNull: Shape = (value, path) => (value === null ? undefined : finite(value, path));
const hex64 = matching(/^[0-9a-f]{64}$/);
const oid = matching(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);
const failure = members({
  side: oneOf('code', 'infrastructure'),
  reason: text,
  detail: text,
  step: optional(text),
  cell: optional(count),
  cells: optional(count),
  exception: optional(text),
  traceback: optional(text),
});
const finding = members({ name: text, severity: oneOf('fail', 'warn', 'info'), detail: text });
const shown = members({ shown: text, source: text });
const sourced = members({ source: text });
const reading = variants('kind', {
  number: members({ value: finite, source: text }),
  nan: sourced,
  infinity: sourced,
  'minus-infinity': sourced,
  missing: sourced,
  text: shown,
  boolean: shown,
  null: shown,
  list: shown,
  object: shown,
  raised: shown,
});
const margin = members({ kind: oneOf('absolute', 'percent'), amount: finite });
const checkMembers = {
  metric: text,
  bound: oneOf('number', 'min', 'max', 'equals', 'max_drop', 'max_rise'),
  limit: optional(finite),
  outcome: oneOf('met', 'not-met', 'undecided', 'no-baseline-warn', 'no-baseline-fail', 'no-baseline-ignore'),
  problem: optional(text),
  sample: optional(
    members({
      n: count,
      mean: finite,
      sd: finite,
      rule: oneOf('mean', 'paired', 'welch'),
      bound: finite,
      confidence: optional(finite),
      more: optional(count),
    }),
  ),
  requirement: members({
    min: optional(finite),
    max: optional(finite),
    equals: optional(finite),
    baseline: optional(text),
    maxDrop: optional(margin),
    maxRise: optional(margin),
    withoutBaseline: oneOf('fail', 'warn', 'ignore'),
    undecided: optional(oneOf('fail', 'warn', 'more')),
  }),
};
const check = members(checkMembers);
const step = members({
  name: text,
  outcome: oneOf('passed', 'failed', 'not-run', 'reused'),
  exitCode: optional(finite),
  seconds: optional(finite),
  failure: optional(failure),
  tests: optional(members({ passed: count, failed: count, skipped: count, failures: list(text) })),
});
const place = members({
  cluster: text,
  node: optional(text),
  cpu: optional(text),
  gpu: optional(text),
  gpus: count,
  environment: optional(members({ key: text, installed: optional(hex64) })),
});
const run = members({
  version: oneOf(1),
  fingerprint: hex64,
  attempt: count,
  job: optional(members({ id: text, how: text, word: text, exitCode: optional(finite), signal: optional(finite) })),
  jobForgotten: optional(flag),
  finished: flag,
  preparation: optional(failure),
  steps: list(step),
  metrics: record(reading),
  curves: optional(
    record(members({ rule: oneOf('last', 'min', 'max'), n: count, at: optional(count), values: list(finiteOrNull) })),
  ),
  tasks: optional(
    list(
      members({
        parameters: record(scalar),
        seed: optional(finite),
        combination: text,
        outcome: oneOf('passed', 'failed', 'not-run'),
        lost: optional(flag),
        metrics: record(reading),
      }),
    ),
  ),
  outputs: optional(record(list(tuple(count, text)))),
  added: optional(members({ fingerprint: hex64, attempt: count, job: optional(text), seeds: list(finite), place })),
  place,
  seconds: optional(finite),
  taskSeconds: optional(finite),
  peakMemory: optional(finite),
  artifacts: list(members({ path: text, sha256: hex64, size: count, role: oneOf('log', 'notebook', 'artifact') })),
  findings: list(finding),
});
const shape: Shape = members({
  version: oneOf(1),
  id: matching(/^\d{8}T\d{6}Z-[0-9a-f]{6}$/),
  tool: text,
  commit: oid,
  branch: optional(text),
  subject: text,
  author: optional(text),
  by: optional(text),
  fingerprint: hex64,
  inputs: members({
    code: count,
    data: record(members({ hash: hex64, files: count, bytes: count, writable: flag })),
    environment: text,
    steps: list(members({ name: text, fingerprint: hex64 })),
  }),
  judged: oneOf('trained', 'known'),
  from: optional(text),
  outcome: oneOf('pass', 'fail', 'error', 'skipped', 'accepted'),
  decision: optional(members({ reason: text, by: optional(text) })),
  verdict: optional(
    members({
      kind: oneOf('pass', 'fail', 'error'),
      checks: list(check),
      advisory: optional(list(members({ ...checkMembers, level: oneOf('warn', 'goal') }))),
      derived: optional(record(reading)),
      reasons: list(
        variants('reason', {
          check: members({ check, reading }),
          failure: members({ failure }),
          finding: members({ finding }),
        }),
      ),
      warnings: list(finding),
      noted: optional(list(finding)),
    }),
  ),
  baselines: list(
    members({
      name: text,
      commit: oid,
      distance: count,
      run: hex64,
      metrics: record(finite),
      samples: optional(record(list(members({ seed: finite, value: finite })))),
    }),
  ),
  run: optional(run),
  logTail: text,
  store: optional(text),
  publish: oneOf('full', 'metrics'),
});
