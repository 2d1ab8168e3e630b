import { short } from '../../base/ids.ts';
import { unreachable } from '../../base/unreachable.ts';
import type { Fix, JudgedOutcome, Recorded } from '../../gate/outcome.ts';
import { gpuHours } from '../../report/gpu-hours.ts';
import { formatLocalTime } from '../../report/local-time.ts';
import { formatBytes, formatDuration, plural } from '../../report/numbers.ts';
import { reportTime } from '../../report/report-path.ts';
import type { Changes, Report } from '../../report/types.ts';
import { warningTexts } from '../../report/warnings.ts';
import { baselineText, headline, reasonText } from '../../report/words.ts';
import { wantsMoreSeeds } from '../../verdict/judge.ts';
import type { Failure, RunResult } from '../../verdict/types.ts';
import { joined, labelled, lead, paragraph, said, saidLines, spread, under, widest, width, wrap } from './layout.ts';
import { metricLines } from './metric-lines.ts';
import { recordTrouble } from './record-trouble.ts';
import { placeOf, type Setting } from './setting.ts';
import { nextLines } from './trouble.ts';

const room = 82;

/** The end of a push or a run that was judged: the verdict first, then the table, then where to read more and what to type. */
export function verdictLines(outcome: JudgedOutcome, setting: Setting): readonly string[] {
  const { report, how, changes, recorded, fix } = outcome;
  const { style } = setting;
  const next = ends(report, fix, setting).map(([label, command, what = '']) =>
    labelled(label, `${style.cyan(command)}${what === '' ? '' : `   ${what}`}`),
  );
  return [
    ...headLines(report, how, setting),
    ...whatIsKnown(report, how, setting),
    ...metricLines(report, style).map((line) => under(line)),
    ...reasonLines(report, setting),
    ...changesLines(changes),
    ...recordedLines(recorded, setting),
    ...next,
  ];
}

/** A person's decision: nothing was judged. */
export function skippedLines(report: Report, recorded: Recorded, setting: Setting): readonly string[] {
  return [...headLines(report, 'trained', setting), ...recordedLines(recorded, setting)];
}

export const colours = { pass: 'green', fail: 'red', error: 'red', skipped: 'yellow', accepted: 'yellow' } as const;

/** `mlops  PASS  main  Cosine similarity …      1:08 · 0.02 GPU-h`. */
export function headLines(report: Report, how: JudgedOutcome['how'], { style }: Setting): readonly string[] {
  const { outcome, run } = report;
  const word = outcome.toUpperCase();
  const trained = how === 'trained' ? (run === undefined ? '' : tookText(run)) : 'nothing trained';
  const took = report.decision === undefined ? trained : '';
  const [first = '', ...more] = wrap(summary(report), widest - width(`mlops  ${word}  `) - width(took) - 2);
  const begin = lead(`${style[colours[outcome]](style.bold(word))}  ${first}`);
  return [spread(begin, style.dim(took)), ...more.map((line) => under(`${' '.repeat(word.length + 2)}${line}`))];
}

function summary({ outcome, verdict, baselines, decision, branch, commit, subject }: Report): string {
  const what = joined([branch === undefined ? short(commit) : said(branch, 40), said(subject, 60)]);
  const who = decision?.by === undefined ? '' : ` by ${said(decision.by, 60)}`;
  const because = `“${said(decision?.reason ?? '', 160)}”`;
  switch (outcome) {
    case 'pass':
      return what;
    case 'fail':
    case 'error':
      return verdict === undefined ? what : headline(verdict, baselines);
    case 'skipped':
      return `let go without a verdict${who}: ${because}. This is not a pass`;
    case 'accepted':
      return `${who.trim()}${who === '' ? '' : ': '}${because}. This is not a pass`;
    default:
      return unreachable(outcome);
  }
}

/** `1:08 · 0.02 GPU-h`. Without GPUs only the time: hours of a CPU say little. */
export function tookText(run: RunResult): string {
  if (run.seconds === undefined) return '';
  const hours = gpuHours(run);
  return joined([
    formatDuration(run.seconds),
    hours !== undefined && `${hours < 10 ? hours.toFixed(2) : hours.toFixed(0)} GPU-h`,
  ]);
}

function whatIsKnown(report: Report, how: JudgedOutcome['how'], { clock }: Setting): readonly string[] {
  const { fingerprint, commit, branch, from, id, outcome, verdict } = report;
  const run = `run ${short(fingerprint)}`;
  const moment = (at: string): string => {
    const time = reportTime(at);
    return time === undefined ? 'earlier' : formatLocalTime(time, clock.now, clock.timeZone);
  };
  const of =
    how === 'trained' || outcome === 'pass'
      ? ''
      : ` (${short(commit)}${branch === undefined ? '' : ` on ${said(branch, 30)}`})`;
  const since = from === undefined ? '' : ` since ${moment(from)}`;
  const lines = {
    trained: [],
    known: paragraph('known', [`the metrics of ${run} are known${since}, and were judged again${of}`]),
    unchanged: [labelled('known', `the verdict of ${moment(id)} on this commit stands: ${run}${of}`)],
  }[how];
  // A decision does not change what was found.
  const found = outcome === 'accepted' && verdict !== undefined ? headline(verdict, report.baselines) : '';
  return [...lines, ...(found === '' ? [] : paragraph('verdict', [found]))];
}

const mostReasons = 6;

export function reasonLines(report: Report, { style }: Setting): readonly string[] {
  const { verdict, run, baselines, outcome } = report;
  if (verdict === undefined) return [];
  const [first, ...others] = verdict.reasons;
  // The table says it of a number; why something is no number only these words say.
  const texts = others
    .filter((found) => found.reason !== 'check' || found.reading.kind !== 'number')
    .map((found) => reasonText(found, baselines));
  const unsaid = [...new Set(texts)].filter((text) => first === undefined || text !== reasonText(first, baselines));
  const also = unsaid.slice(0, mostReasons);
  const more = unsaid.length - also.length;
  const warnings = warningTexts(report).map((text) => said(text, 240));
  const compared = outcome === 'error' ? [] : baselines;
  const back = compared.filter(({ distance }) => distance > 0).map((baseline) => said(baselineText(baseline), 160));
  return [
    ...paragraph('also', [...also, ...(more > 0 ? [`and ${plural(more, 'reason')} more`] : [])]),
    ...(outcome === 'error' ? errorLines(run) : []),
    ...evidenceLines(report, style.dim),
    ...paragraph('warning', warnings, style.yellow),
    ...paragraph(
      'compared',
      back.map((text) => `with ${text}`),
    ),
  ];
}

function errorLines(run: RunResult | undefined): readonly string[] {
  if (run === undefined) return [];
  const { job, place, peakMemory } = run;
  const at = [place.node, place.cluster].flatMap((name) => (name === undefined ? [] : [said(name, 40)])).join(' of ');
  const where = joined([
    job === undefined ? `on ${at}` : `job ${said(job.id, 40)} (${said(job.word, 40)}) on ${at}`,
    peakMemory !== undefined && `used ${formatBytes(peakMemory)}`,
  ]);
  return paragraph('where', [where]);
}

const tracebackLines = 8;

/** The last words: of a traceback with its cell, else of the log. */
function evidenceLines({ verdict, run, logTail }: Report, dim: (text: string) => string): readonly string[] {
  const broken = verdict?.reasons.some(({ reason }) => reason === 'failure') ?? false;
  if (!broken) return [];
  const failures = [run?.preparation, ...(run?.steps ?? []).map((step) => step.failure)];
  const raised = failures.find((failure): failure is Failure => failure?.traceback !== undefined);
  const label = raised === undefined ? 'log' : raised.cell === undefined ? 'trace' : `cell ${raised.cell}`;
  const text = (raised?.traceback ?? logTail).split('\n').slice(-200).join('\n');
  return saidLines(text)
    .slice(-tracebackLines)
    .map((line, index) => labelled(index === 0 ? label.slice(0, 8) : '', dim(line)));
}

const mostChanges = 4;

export function changesLines(changes: Changes | undefined): readonly string[] {
  if (changes === undefined) return [];
  const shown = changes.changed
    .slice(0, mostChanges)
    .map(
      ({ what, code }) =>
        `${said(what, 70)}${code === undefined || code.trim() === '' ? '' : ` (\`${said(code, 50)}\`)`}`,
    );
  const more = changes.changed.length - shown.length;
  if (more > 0) shown.push(`and ${plural(more, 'change')} more`);
  if (shown.length === 0) shown.push('nothing');
  const same = changes.same.length === 0 ? '' : `${changes.same.map((text) => said(text, 40)).join(', ')}: same`;
  const last = shown.at(-1) ?? '';
  const beside = same !== '' && width(last) + 3 + width(same) <= room;
  const lines = beside ? [...shown.slice(0, -1), `${last}   ${same}`] : [...shown, ...(same === '' ? [] : [same])];
  return paragraph('changed', lines);
}

/** The verdict stands whatever became of its report; but nobody else will see it. */
export function recordedLines(recorded: Recorded, setting: Setting): readonly string[] {
  if (recorded.ok) return [];
  const { failed, where = '', raw = '', next } = recordTrouble(recorded.error, setting);
  return [
    ...paragraph(
      'warning',
      [`the verdict stands, and its report is not in this clone: ${failed}`],
      setting.style.yellow,
    ),
    ...paragraph('', where === '' ? [] : [where]),
    ...saidLines(raw).map((line) => labelled('', line)),
    ...nextLines(next, setting.style),
  ];
}

type End = readonly [label: string, command: string, what?: string];

function ends(report: Report, fix: Fix | undefined, setting: Setting): readonly End[] {
  const { outcome } = report;
  const { again, holdsPush } = setting;
  // By its name: what was pushed need not be what is checked out.
  const commit = short(report.commit);
  const show = `mlops show ${commit}`;
  switch (outcome) {
    case 'pass':
    case 'accepted':
    case 'skipped':
      return [['report', show]];
    case 'fail':
      return [
        ...(wantsMoreSeeds(report.verdict, report.run)
          ? [['settle', `mlops run --more-seeds ${commit}`, 'adds the declared seeds: a second and last look'] as const]
          : []),
        ['read', show],
        ['try it', `mlops env shell ${commit}`, 'a shell where it ran'],
        ['overrule', `mlops accept ${commit} --reason "…"`, 'recorded as accepted, never as a pass'],
      ];
    case 'error':
      return [
        ...(fix === undefined ? [] : [fixEnd(fix)]),
        ['read', show],
        ['again', again, 'not cached; the same run'],
        ...(holdsPush ? [['or', `MLOPS_SKIP="reason" ${again}`, 'lets it go, and records who and why'] as const] : []),
      ];
    default:
      return unreachable(outcome);
  }
}

function fixEnd({ key, value, range }: Fix): End {
  const place = placeOf(range);
  return ['fix', `${key}: ${value}`, place === '' ? '(not in .mlops/config.yaml yet)' : `(${place})`];
}
