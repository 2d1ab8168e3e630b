import type { z } from 'zod';
import { buildJob, environmentKeys } from './environment-schema.ts';
import { isMap } from './loose.ts';
import { nearest } from './nearest.ts';
import type { Path } from './path.ts';
import type { Reporter } from './reporter.ts';
import { requirementKeys, softKeys } from './requirement-schema.ts';
import { resources } from './resources-schema.ts';
import { cluster, configSchema, dataKeys } from './schema.ts';
import { stepKeys } from './step-schema.ts';

type Issue = z.core.$ZodIssue;

/** Says each of the schema's findings in the words of someone who edits the file. */
export function reportIssues(issues: readonly Issue[], document: unknown, report: Reporter): void {
  for (const issue of issues.flatMap(branch)) reportIssue(issue, document, report);
}

/** Of a union, the one branch whose shape the value has: its findings say more than "none of these". */
function branch(issue: Issue): readonly Issue[] {
  if (issue.code !== 'invalid_union') return [issue];
  const fitting = issue.errors.filter((errors) =>
    errors.every((error) => error.path.length > 0 || error.code === 'unrecognized_keys'),
  );
  const [only] = fitting;
  if (only === undefined || fitting.length > 1) return [issue];
  return only.flatMap((error) => branch({ ...error, path: [...issue.path, ...error.path] }));
}

function reportIssue(issue: Issue, document: unknown, report: Reporter): void {
  const path = issue.path.map((part) => (typeof part === 'symbol' ? String(part) : part));
  if (issue.code === 'unrecognized_keys') {
    for (const key of issue.keys) reportUnknownKey([...path, key], valueAt(document, path), report);
    return;
  }
  const last = path.at(-1);
  const name =
    last === undefined ? 'the file' : typeof last === 'number' ? `\`${String(path.at(-2))}[${last}]\`` : `\`${last}\``;
  if (issue.code === 'invalid_key') {
    const expected = issue.issues[0]?.message ?? 'is not a valid key';
    report.error('wrong-value', path, 'key', `${name} ${expected}`);
    return;
  }
  const value = valueAt(document, path);
  if (value === undefined && typeof last === 'string') {
    report.error(
      'missing-key',
      path.slice(0, -1),
      'key',
      `missing key ${name}${placeOf(path.slice(0, -1), document)}`,
      `${name} ${issue.message}`,
    );
    return;
  }
  const shape = issue.code === 'invalid_type' || typeof value === 'object' || value === null;
  const hint = typeof value === 'string' ? nearestValue(value, issue) : undefined;
  report.error(
    shape ? 'wrong-type' : 'wrong-value',
    path,
    'value',
    `${name} ${issue.message}, not ${report.shown(path, value)}`,
    hint,
  );
}

function nearestValue(value: string, issue: Issue): string | undefined {
  if (issue.code !== 'invalid_value') return undefined;
  const near = nearest(value, issue.values.map(String));
  return near === undefined ? undefined : `did you mean \`${near}\`?`;
}

function reportUnknownKey(path: Path, parent: unknown, report: Reporter): void {
  const key = String(path.at(-1));
  const container = path.slice(0, -1);
  const hint = keyHint(key, container, parent);
  report.error('unknown-key', path, 'key', `unknown key \`${key}\`${placeIn(container, parent)}`, hint);
}

/** Also for a key that is known, only not in a step or an entry of this kind. */
export function keyHint(key: string, container: Path, parent: unknown): string {
  const candidates = keysOf(container, parent);
  if (key === '<<') return 'merge keys are YAML 1.1; repeat the lines';
  // A job that builds has options of sbatch of its own.
  const elsewhere = container.at(-1) === 'build_on' && homes[key] === inSlurm ? 'in its `slurm: { … }`' : homes[key];
  if (elsewhere !== undefined && !candidates.includes(key)) return `\`${key}\` belongs ${elsewhere}`;
  const near = synonym(key, candidates) ?? nearest(key, candidates);
  return near === undefined
    ? `known here: ${candidates.map((item) => `\`${item}\``).join(', ')}`
    : `did you mean \`${near}\`?`;
}

/** " in a notebook step"; nothing at the top. */
export function placeIn(container: Path, value: unknown): string {
  const [top, second] = container;
  const last = container.at(-1);
  if (last === undefined) return '';
  if (top === 'steps' && container.length === 2)
    return ` in a ${stepKind(value) === undefined ? '' : `${stepKind(value)} `}step`;
  if (top === 'data' && typeof second === 'number') return ' in an entry of `data`';
  if (top === 'require' && container.length === 3) return ` in \`${last}\` of \`${String(second)}\``;
  if (top === 'require' && container.length === 2) return ` in the requirement of \`${String(second)}\``;
  return typeof last === 'string' ? ` in \`${last}\`` : '';
}
const placeOf = (container: Path, document: unknown) => placeIn(container, valueAt(document, container));

function stepKind(value: unknown): 'notebook' | 'run' | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  return 'notebook' in value ? 'notebook' : 'run' in value ? 'run' : undefined;
}

function keysOf(container: Path, value: unknown): readonly string[] {
  const [top] = container;
  const last = container.at(-1);
  if (last === undefined) return Object.keys(configSchema.shape);
  if (last === 'resources') return Object.keys(resources.shape);
  if (last === 'seeds') return ['parameter', 'values', 'more'];
  if (top === 'cluster') return Object.keys(cluster.shape);
  if (top === 'steps') return stepKeys[stepKind(value) ?? 'any'];
  if (top === 'data') return isMap(value) && 'cluster' in value ? dataKeys.cluster : dataKeys.path;
  if (last === 'build_on') return Object.keys(buildJob.shape);
  if (top === 'environment') return environmentKeys;
  if (top === 'retry') return ['infrastructure'];
  if (top === 'require' && container.length === 3 && (last === 'warn' || last === 'goal')) return softKeys[last];
  return requirementKeys;
}

const inSlurm = 'in `cluster.slurm`';
/** Keys that people put one level too high or too low. */
const homes: Readonly<Record<string, string>> = {
  ...Object.fromEntries(requirementKeys.map((key) => [key, 'in a requirement: `require: { METRIC: { … } }`'])),
  ...Object.fromEntries(environmentKeys.map((key) => [key, 'in `environment`'])),
  ...Object.fromEntries(Object.keys(cluster.shape).map((key) => [key, 'in `cluster`'])),
  ...Object.fromEntries(
    ['partition', 'account', 'qos', 'gres', 'constraint', 'reservation'].map((key) => [key, inSlurm]),
  ),
  ...Object.fromEntries(Object.keys(resources.shape).map((key) => [key, 'in `resources`'])),
  ...Object.fromEntries(
    ['notebook', 'run', 'cwd', 'parameters', 'seeds', 'matrix', 'throttle', 'metrics', 'junit'].map((key) => [
      key,
      'in a step',
    ]),
  ),
  ...Object.fromEntries(
    [
      'require',
      'artifacts',
      'retry',
      'env',
      'secrets',
      'setup',
      'push',
      'on_commit',
      'supersede',
      'publish',
      'reports',
      'code',
      'data',
      'steps',
    ].map((key) => [key, 'at the top of the file']),
  ),
  infrastructure: 'in `retry`',
  parameter: 'in `seeds`',
  values: 'in `seeds`',
  more: 'in `seeds`',
  writable: 'in an entry of `data`',
};

function valueAt(document: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, part) => {
    if (Array.isArray(value)) return value[Number(part)];
    return isMap(value) && Object.hasOwn(value, part) ? value[part] : undefined;
  }, document);
}

/** What other tools call it. */
const synonyms: Readonly<Record<string, string>> = {
  memory: 'mem',
  walltime: 'time',
  timeout: 'time',
  ncpus: 'cpus',
  pip: 'venv',
  requirements: 'venv',
  docker: 'container',
  singularity: 'container',
  apptainer: 'container',
  image: 'container',
  dependencies: 'packages',
  script: 'run',
  command: 'run',
  params: 'parameters',
  outs: 'artifacts',
  outputs: 'artifacts',
};
function synonym(key: string, candidates: readonly string[]): string | undefined {
  const word = synonyms[key.toLowerCase()];
  return word !== undefined && candidates.includes(word) ? word : undefined;
}
