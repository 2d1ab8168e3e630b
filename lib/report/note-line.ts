import { printableLine } from '../base/printable.ts';
import { unitOf } from '../config/quantity.ts';
import type { AdvisoryCheck, Check } from '../verdict/types.ts';
import { spreadIn } from './metric-table.ts';
import { formatBound, formatMetric, precisionFor } from './numbers.ts';
import { allChecks, readingIn, requiredMetrics, spreadOfChecks } from './required.ts';
import { cut } from './trim.ts';
import type { Outcome, Report } from './types.ts';
import { baselineOf, readingText, spreadText } from './words.ts';

/** What a note's line tells, read back. */
export interface Note {
  readonly outcome: Outcome;
  /** The fingerprint's first digits. */
  readonly run?: string;
  readonly metrics: readonly { readonly name: string; readonly value: string }[];
  readonly reason?: string;
  readonly by?: string;
}

/**
 * One line, complete by itself, since notes of two clones are merged by sorting their lines:
 *
 *     pass  rprec 0.395  main 0.391  min 0.25  run 5b7e90d
 *     pass  rprec 0.395 ± 0.004 (5 seeds)  main 0.391  run 5b7e90d
 *     pass  rprec 0.28  min 0.25  warn-min 0.3  goal 0.5  run 5b7e90d
 *     fail  rprec 0.088  min 0.25  |  loss 0.21  max 1  run 5b7e90d
 *     skipped  reason="the cluster is down"  by="Ann <ann@example.org>"  run 5b7e90d
 */
export function noteLine(report: Report): string {
  const { outcome, decision, verdict, fingerprint } = report;
  const parts: string[] = [];
  if (decision !== undefined) parts.push(`reason=${JSON.stringify(plain(decision.reason, 120))}`);
  if (decision?.by !== undefined) parts.push(`by=${JSON.stringify(plain(decision.by, 80))}`);
  const [first] = verdict?.reasons ?? [];
  if (decision === undefined && first?.reason === 'failure') parts.push(`reason=${first.failure.reason}`);
  if (decision === undefined && first?.reason === 'failure' && first.failure.cell !== undefined)
    parts.push(`cell=${first.failure.cell}`);
  if (decision === undefined && first?.reason === 'finding') parts.push(`reason=${word(first.finding.name)}`);
  parts.push(metricsOf(report).join('  |  '));
  return [outcome, ...parts.filter((part) => part !== ''), `run ${fingerprint.slice(0, 7)}`].join('  ');
}

const most = 4;

function metricsOf({ verdict, run, baselines }: Report): readonly string[] {
  if (run === undefined || verdict === undefined || verdict.kind === 'error') return [];
  const required = [...requiredMetrics(verdict)].sort();
  const names = required.length > 0 ? required : Object.keys(run.metrics).sort();
  return names.slice(0, most).map((metric) => {
    const reading = readingIn(run, verdict, metric);
    const checks = allChecks(verdict).filter((check) => check.metric === metric);
    if (reading.kind !== 'number')
      return [`${word(metric)} ${ascii(readingText(reading))}`, ...bounds(checks)].join('  ');
    const base = checks
      .map((check) => ({ check, value: baselineOf(check, baselines) }))
      .find(({ value }) => value !== undefined);
    const numbers = base?.value === undefined ? [reading.value] : [reading.value, base.value];
    const limits = checks.flatMap(({ limit }) => (limit === undefined ? [] : [[reading.value, limit] as const]));
    const precision = precisionFor(numbers, limits, unitOf(metric));
    const compared =
      base?.value === undefined
        ? []
        : [`${word(base.check.requirement.baseline ?? 'baseline')} ${ascii(formatMetric(base.value, precision))}`];
    const spread = spreadIn(run, metric) ?? spreadOfChecks(checks);
    const value = ascii(formatMetric(reading.value, precision));
    const shown = spread === undefined ? value : `${value} ${ascii(spreadText(spread.n, spread.sd, precision))}`;
    return [`${word(metric)} ${shown}`, ...compared, ...bounds(checks)].join('  ');
  });
}

const bounds = (checks: readonly (Check | AdvisoryCheck)[]): readonly string[] =>
  checks.flatMap((check) => {
    const { requirement, bound, outcome } = check;
    const number = bound === 'min' || bound === 'max' || bound === 'equals' ? requirement[bound] : undefined;
    if (number === undefined) return [];
    const unit = unitOf(check.metric);
    const limit = unit === undefined ? String(number) : ascii(formatBound(number, unit));
    if (!('level' in check)) return [`${bound} ${limit}`];
    if (check.level === 'goal') return [`goal ${limit}`];
    // A line is short: a warning is in it where it came.
    return outcome === 'met' ? [] : [`warn-${bound} ${limit}`];
  });

/** A note is read by its words: `8 GB` would be two. */
const ascii = (number: string): string =>
  number
    .replace('−', '-')
    .replace('∞', 'inf')
    .replace(/ (?=[KMGTP]?B$)/, '');
const plain = (text: string, length: number): string => cut(printableLine(text).replaceAll('\t', ' '), length);
/** A name that could be read as something else is quoted. */
const word = (name: string): string => {
  const text = plain(name, 40);
  return /^[^\s"|=]+$/.test(text) && text !== 'run' ? text : JSON.stringify(text);
};

const outcomes: readonly string[] = ['pass', 'fail', 'error', 'skipped', 'accepted'] satisfies readonly Outcome[];
const isOutcome = (text: string): text is Outcome => outcomes.includes(text);

/** Undefined for a line that is not ours: a note is anyone's to edit. */
export function parseNoteLine(line: string): Note | undefined {
  const [outcome = '', ...tokens] = tokensOf(line);
  if (!isOutcome(outcome)) return undefined;
  const metrics: { name: string; value: string }[] = [];
  const keyed = new Map<string, string>();
  let run: string | undefined;
  let wanted = true; // the next pair is a metric, not what it is compared with
  for (let index = 0; index < tokens.length; index += 1) {
    const token = tokens[index] ?? '';
    const pair = /^(\w+)=(.*)$/s.exec(token);
    if (token === '|') wanted = true;
    else if (pair !== null) keyed.set(pair[1] ?? '', unquote(pair[2] ?? ''));
    else {
      const value = tokens[index + 1] ?? '';
      index += 1;
      if (token === 'run') run = /^[0-9a-f]{7,64}$/.test(value) ? value : undefined;
      else if (wanted) {
        const spread = tokens[index + 1] === '±' ? tokens.slice(index + 1, index + 5).join(' ') : '';
        if (spread !== '') index += 4;
        metrics.push({ name: unquote(token), value: spread === '' ? value : `${value} ${spread}` });
        wanted = false;
      }
    }
  }
  const reason = keyed.get('reason');
  const by = keyed.get('by');
  return {
    outcome,
    metrics,
    ...(run === undefined ? {} : { run }),
    ...(reason === undefined ? {} : { reason }),
    ...(by === undefined ? {} : { by }),
  };
}

const tokensOf = (line: string): readonly string[] => line.match(/(?:\w+=)?"(?:[^"\\]|\\.)*"|\S+/g) ?? [];

function unquote(text: string): string {
  if (!text.startsWith('"')) return printableLine(text);
  try {
    return printableLine(String(JSON.parse(text)));
  } catch {
    return printableLine(text); // half a quotation, by someone's hand: as it stands
  }
}
