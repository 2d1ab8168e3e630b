import { nameOf } from '../verdict/bounds.ts';
import { isFileOf } from '../verdict/measure-resource.ts';
import type { Failure, KeptFile, MetricReading, Place, RunResult, Verdict, VerdictReason } from '../verdict/types.ts';

/** A run on the branch should take about 5 KB, Markdown included, because every clone pays for it. */
const limits = {
  logTail: 320,
  traceback: 600,
  detail: 300,
  shown: 80,
  files: 12,
  list: 10,
  curves: 8,
  outputs: 60,
} as const;

/** Keeps the beginning and the end, where what matters is. */
export function cut(text: string, length: number): string {
  const characters = [...text];
  if (characters.length <= length) return text;
  const head = Math.floor((length - 3) / 3);
  return `${characters.slice(0, head).join('')} … ${characters.slice(characters.length - (length - 3 - head)).join('')}`;
}

/** The same by whole lines. */
export function cutLines(text: string, length: number): string {
  if (text.length <= length) return text;
  const end = tail(text, Math.floor((length * 2) / 3));
  const head: string[] = [];
  let size = 0;
  for (const line of text.slice(0, text.length - end.length).split('\n')) {
    size += line.length + 1;
    if (size > length / 3) break;
    head.push(line);
  }
  return [...head, '…', end].join('\n');
}

/** The last lines of a log: whole lines, unless one alone is too long. */
export function tail(log: string, length: number = limits.logTail): string {
  const lines = log.trimEnd().split('\n');
  const kept: string[] = [];
  let size = 0;
  for (const line of lines.reverse()) {
    const short = cut(line, 200);
    size += short.length + 1;
    if (kept.length > 0 && size > length) break;
    kept.unshift(short);
  }
  return kept.join('\n');
}

export function trimFailure(failure: Failure, withTraceback: boolean): Failure {
  const { traceback, ...rest } = failure;
  return {
    ...rest,
    detail: cut(failure.detail, limits.detail),
    ...(withTraceback && traceback !== undefined ? { traceback: cutLines(traceback, limits.traceback) } : {}),
  };
}

/** `sized`: files whose size was asked for. */
export function trimRun(run: RunResult, sized: readonly string[] = []): RunResult {
  return {
    ...run,
    ...(run.preparation === undefined ? {} : { preparation: trimFailure(run.preparation, true) }),
    steps: run.steps.map((step) => ({
      ...step,
      ...(step.failure === undefined ? {} : { failure: trimFailure(step.failure, true) }),
      ...(step.tests === undefined
        ? {}
        : {
            tests: { ...step.tests, failures: step.tests.failures.slice(0, limits.list).map((name) => cut(name, 120)) },
          }),
    })),
    metrics: trimReadings(run.metrics),
    ...(run.curves === undefined
      ? {}
      : { curves: Object.fromEntries(Object.entries(run.curves).slice(0, limits.curves)) }),
    ...(run.tasks === undefined
      ? {}
      : {
          tasks: run.tasks.map((task) => ({
            ...task,
            metrics: trimReadings(task.metrics),
          })),
        }),
    // What was installed is kept by content with the run; its key says which it was.
    ...(run.outputs === undefined ? {} : { outputs: trimOutputs(run.outputs) }),
    place: trimPlace(run.place),
    ...(run.added === undefined ? {} : { added: { ...run.added, place: trimPlace(run.added.place) } }),
    artifacts: mostWanted(run.artifacts, sized),
    findings: run.findings
      .slice(0, limits.list)
      .map((finding) => ({ ...finding, detail: cut(finding.detail, limits.detail) })),
  };
}

/** Of a notebook with very many cells it is not worth the bytes. */
const trimOutputs = (outputs: NonNullable<RunResult['outputs']>): NonNullable<RunResult['outputs']> =>
  Object.fromEntries(Object.entries(outputs).filter(([, cells]) => cells.length <= limits.outputs));

function trimPlace(place: Place): Place {
  const { packages: _packages, ...environment } = place.environment ?? { key: '' };
  return { ...place, ...(place.environment === undefined ? {} : { environment }) };
}

const trimReadings = (readings: RunResult['metrics']): RunResult['metrics'] =>
  Object.fromEntries(Object.entries(readings).map(([name, reading]) => [name, trimReading(reading)]));

function trimReading(reading: MetricReading): MetricReading {
  if ('shown' in reading) return { ...reading, shown: cut(reading.shown, limits.shown) };
  // JSON has no NaN: it would be read back as null.
  if (reading.kind === 'number' && !Number.isFinite(reading.value))
    return { kind: nameOf(reading.value), source: reading.source };
  return reading;
}

/** The log, the notebooks and the pictures first: a glob of artifacts may have matched thousands. */
function mostWanted(files: readonly KeptFile[], sized: readonly string[]): readonly KeptFile[] {
  const order = { log: 0, notebook: 1, artifact: 3 } as const;
  const rank = ({ role, path }: KeptFile): number => (role === 'artifact' && isPicture(path) ? 2 : order[role]);
  // Of several tasks' the largest is what was judged.
  const kept = sized.flatMap(
    (path) => files.filter((file) => isFileOf(file, path)).sort((a, b) => b.size - a.size)[0] ?? [],
  );
  const others = files.filter((file) => !kept.includes(file)).sort((a, b) => rank(a) - rank(b));
  return [...others.slice(0, limits.files), ...kept];
}

const isPicture = (path: string): boolean => /\.(?:png|svg|jpe?g|webp|pdf)$/i.test(path);

/** The traceback stays with the step that has it. */
export function trimVerdict(verdict: Verdict): Verdict {
  const reasons = verdict.reasons.slice(0, limits.list).map((found): VerdictReason => {
    if (found.reason === 'failure') return { reason: 'failure', failure: trimFailure(found.failure, false) };
    if (found.reason === 'check') return { ...found, reading: trimReading(found.reading) };
    return { ...found, finding: { ...found.finding, detail: cut(found.finding.detail, limits.detail) } };
  });
  const warnings = verdict.warnings.slice(0, limits.list);
  const derived = verdict.derived === undefined ? {} : { derived: trimReadings(verdict.derived) };
  return { ...verdict, ...derived, reasons, warnings };
}
