import type { Json } from '../base/canonical-json.ts';
import type { CellOutput, Failure, MetricReading } from '../verdict/types.ts';
import { infrastructureRule } from './infrastructure.ts';
import { isObject, type JsonObject } from './json-object.ts';
import type { ReadMetrics } from './readings.ts';
import type { StepFiles } from './result-files.ts';
import { type Facts, numberOf } from './state-files.ts';

/** What templates/notebook.py writes into result/step-K.json. */
export interface NotebookResult {
  readonly run: string;
  readonly attempt: string;
  readonly nonce: string;
  readonly outcome: string;
  readonly exception: string;
  readonly message: string;
  readonly traceback: string;
  readonly cell?: number;
  readonly cells?: number;
  readonly sentinel: boolean;
  readonly skipped: readonly number[];
  readonly notRun: readonly number[];
  readonly raisedAllowed: readonly number[];
  /** Absent: it did not come to its end, or was run before this was noted. */
  readonly outputs?: readonly CellOutput[];
  /** Cells whose last shell line (`!python train.py`) ended with a status other than 0: Jupyter goes on after it. */
  readonly shellFailed: readonly { readonly cell: number; readonly status: number }[];
  /** What it has glued: JSON as Python writes it, cut off where it was too much. */
  readonly scraps: string;
}

export function readNotebookResult({ step, read }: StepFiles): NotebookResult | undefined {
  const value = parse(read(`result/step-${step.index}.json`));
  if (value === undefined || value.version !== 1) return undefined;
  const text = (key: string) => (typeof value[key] === 'string' ? value[key] : '');
  const count = (key: string) => (typeof value[key] === 'number' ? { [key]: value[key] } : {});
  const list = (key: string) => {
    const member = value[key];
    return Array.isArray(member) ? member.filter((item) => typeof item === 'number') : [];
  };
  return {
    run: text('run'),
    attempt: text('attempt'),
    nonce: text('nonce'),
    outcome: text('outcome'),
    exception: text('exception'),
    message: text('message'),
    traceback: text('traceback'),
    ...count('cell'),
    ...count('cells'),
    sentinel: value.sentinel === true,
    skipped: list('skipped'),
    notRun: list('notRun'),
    raisedAllowed: list('raisedAllowed'),
    shellFailed: pairsOf(value.shellFailed),
    scraps: text('scraps'),
    ...(Array.isArray(value.outputs) ? { outputs: value.outputs.flatMap(outputOf) } : {}),
  };
}

function outputOf(value: Json): readonly CellOutput[] {
  const [cell, hash] = Array.isArray(value) ? value : [];
  return typeof cell === 'number' && typeof hash === 'string' ? [[cell, hash]] : [];
}

const pairsOf = (value: Json | undefined) =>
  (Array.isArray(value) ? value : []).flatMap((pair) => {
    const [cell, status] = Array.isArray(pair) ? pair : [];
    return typeof cell === 'number' && typeof status === 'number' ? [{ cell, status }] : [];
  });

/** Passing needs all of it: exit 0, a result of this very run that says so, and (Python) the last cell's own word. */
export function notebookFailure(files: StepFiles, facts: Facts): Failure | undefined {
  const { step, run, attempt, read } = files;
  const result = readNotebookResult(files);
  const code = numberOf(facts.get('exit'));
  const reused = facts.get('outcome') === 'reused';
  if (result === undefined) {
    const signal = facts.get('signal');
    const tail = (read(`result/step-${step.index}.tail`) ?? '').trim();
    const words = [
      signal === undefined || signal === '' ? `exit status ${code}` : `SIG${signal.replace(/^SIG/, '')}`,
      tail,
    ];
    return { side: 'infrastructure', reason: 'no-result', detail: words.filter(Boolean).join('\n') };
  }
  const at = {
    ...(result.cell === undefined ? {} : { cell: result.cell }),
    ...(result.cells === undefined ? {} : { cells: result.cells }),
  };
  if (!reused && (result.run !== run || result.attempt !== String(attempt))) {
    return { side: 'infrastructure', reason: 'result-foreign', detail: `run=${result.run} attempt=${result.attempt}` };
  }
  const { exception, message, traceback } = result;
  const words = {
    ...at,
    ...(exception === '' ? {} : { exception }),
    ...(traceback === '' ? {} : { traceback }),
    detail: message,
  };
  const rule = exception === '' ? undefined : infrastructureRule({ exception, message });
  switch (result.outcome) {
    case 'completed':
      if (result.sentinel && !hasSentinelFile(files, result))
        return { side: 'code', reason: 'metrics-unreadable', ...words };
      if (code !== 0) return { side: 'infrastructure', reason: 'no-result', detail: `exit status ${code}`, ...at };
      return interruptedReading(files);
    case 'raised':
      if (rule !== undefined) return { side: 'infrastructure', reason: rule.reason, ...words };
      return { side: 'code', reason: 'exception', ...words };
    case 'metrics-unreadable':
      if (rule !== undefined) return { side: 'infrastructure', reason: rule.reason, ...words };
      return { side: 'code', reason: 'metrics-unreadable', ...words };
    case 'ended-early':
      return { side: 'code', reason: 'ended-early', ...words };
    case 'cells-not-run':
      return { side: 'code', reason: 'cells-not-run', ...words, detail: result.notRun.join(', ') };
    case 'kernel-died':
      return { side: 'infrastructure', reason: 'kernel-died', ...words };
    case 'no-kernel':
      return { side: 'infrastructure', reason: rule?.reason ?? 'environment', ...words };
    default:
      return { side: 'infrastructure', reason: rule?.reason ?? 'no-result', ...words };
  }
}

const hasSentinelFile = (files: StepFiles, { nonce }: NotebookResult): boolean => {
  const value = parse(files.read(`result/metrics-step-${files.step.index}.json`));
  return value !== undefined && value.nonce === nonce;
};

/** A metric may be an evaluation of an hour: where the machine ended it, nothing is known about the model. */
function interruptedReading({ step, read }: StepFiles): Failure | undefined {
  const metrics = parse(read(`result/metrics-step-${step.index}.json`))?.metrics;
  for (const [name, found] of Object.entries(isObject(metrics) ? metrics : {})) {
    if (!isObject(found) || typeof found.exception !== 'string' || typeof found.message !== 'string') continue;
    const { exception, message } = found;
    const rule = infrastructureRule({ exception, message });
    if (rule !== undefined)
      return { side: 'infrastructure', reason: rule.reason, exception, detail: `${message} (metric ${name})` };
  }
  return undefined;
}

/** The last cell's readings; none if they are of another run, attempt or start. */
export function writtenMetrics(files: StepFiles, reused: boolean): ReadMetrics {
  const { step, read, run, attempt } = files;
  const value = parse(read(`result/metrics-step-${step.index}.json`));
  const none = { readings: {}, lists: {} };
  if (value === undefined || !isObject(value.metrics)) return none;
  const ours = value.run === run && value.attempt === String(attempt);
  if ((!ours && !reused) || value.nonce !== readNotebookResult(files)?.nonce) return none;
  const written = Object.entries(value.metrics);
  const readings = written.flatMap(([name, found]) => {
    const reading = isObject(found) ? readingOf(found) : undefined;
    return reading === undefined ? [] : [[name, reading]];
  });
  const lists = written.flatMap(([name, found]) =>
    isObject(found) && Array.isArray(found.values) ? [[name, found.values.map(numberIn)]] : [],
  );
  return { readings: Object.fromEntries(readings), lists: Object.fromEntries(lists) };
}

/** What is not finite is written by its name. */
const notFinite = new Map<Json, number>([
  ['infinity', Number.POSITIVE_INFINITY],
  ['minus-infinity', Number.NEGATIVE_INFINITY],
]);
const numberIn = (value: Json): number => (typeof value === 'number' ? value : (notFinite.get(value) ?? Number.NaN));

function readingOf(found: JsonObject): MetricReading | undefined {
  const { kind } = found;
  const source = typeof found.source === 'string' ? found.source : '';
  const shown = typeof found.shown === 'string' ? found.shown : '';
  switch (kind) {
    case 'number':
      return typeof found.value === 'number' ? { kind, value: found.value, source } : undefined;
    case 'nan':
    case 'infinity':
    case 'minus-infinity':
      return { kind, source };
    case 'text':
    case 'boolean':
    case 'null':
    case 'list':
    case 'object':
    case 'raised':
      return { kind, shown, source };
    default:
      return undefined;
  }
}

function parse(text: string | undefined): JsonObject | undefined {
  try {
    const value: Json = text === undefined ? null : JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch {
    // Files come by tmp + rename: one that is not JSON was not written by us, and counts as none.
    return undefined;
  }
}
