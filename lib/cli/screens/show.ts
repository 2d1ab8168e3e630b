import { short } from '../../base/ids.ts';
import type { Shown } from '../../commands/show.ts';
import { curveTexts } from '../../report/curve-text.ts';
import { gpuHours } from '../../report/gpu-hours.ts';
import { formatLocalTime } from '../../report/local-time.ts';
import { formatBytes, formatDuration, plural } from '../../report/numbers.ts';
import { reportTime } from '../../report/report-path.ts';
import type { Changes, Report } from '../../report/types.ts';
import { notedTexts } from '../../report/warnings.ts';
import type { AddedSeeds, KeptFile, RunResult, StepResult } from '../../verdict/types.ts';
import { columns, joined, labelled, paragraph, said, saidLines, under, word } from './layout.ts';
import { metricLines } from './metric-lines.ts';
import type { Setting } from './setting.ts';
import { type Next, nextLines } from './trouble.ts';
import { changesLines, headLines, reasonLines } from './verdict.ts';

/** `mlops show`: what report.md tells, for a terminal. */
export function showLines(shown: Shown, changes: Changes | undefined, setting: Setting): readonly string[] {
  const { report, others } = shown;
  const { style } = setting;
  return [
    ...headLines(report, 'trained', setting),
    ...foundLines(shown),
    ...metricLines(report, style).map((line) => under(line)),
    ...reasonLines(report, setting),
    ...paragraph(
      'noted',
      notedTexts(report).map((text) => said(text, 240)),
    ),
    ...changesLines(changes),
    ...details(report, setting).flatMap(([label, texts]) => paragraph(label, texts)),
    ...logLines(report, style.dim),
    ...paragraph(
      'others',
      others.slice(0, mostOthers).map((other) => otherText(other, setting)),
    ),
    ...(others.length > mostOthers ? [labelled('', `and ${others.length - mostOthers} more`)] : []),
    ...nextLines(ways(report), style),
  ];
}

const mostOthers = 5;

function foundLines({ found, report }: Shown): readonly string[] {
  if (found.by !== 'ancestor') return [];
  const back = plural(found.distance, 'commit');
  return paragraph('commit', [`${short(report.commit)}, ${back} back: ${short(found.head)} has no report itself`]);
}

/** `6 seeds: 4, 5, 6, 7, 8, 9 · run 1a2b3c4 · job 17 · c118`. */
function addedText({ seeds, fingerprint, job, place }: AddedSeeds): string {
  return joined([
    `${plural(seeds.length, 'seed')}: ${said(seeds.join(', '), 60)}`,
    `run ${short(fingerprint)}`,
    job !== undefined && `job ${said(job, 40)}`,
    place.node !== undefined && said(place.node, 40),
  ]);
}

type Detail = readonly [label: string, texts: readonly string[]];

function details(report: Report, { clock }: Setting): readonly Detail[] {
  const { commit, branch, author, by, run, inputs, fingerprint, judged, from, tool, id, store } = report;
  const when = (at: string | undefined): string => {
    const time = at === undefined ? undefined : reportTime(at);
    return time === undefined ? '' : formatLocalTime(time, clock.now, clock.timeZone);
  };
  const who = by === undefined || by === author ? '' : `for ${said(by, 60)}`;
  const known =
    judged === 'known' ? `known metrics${from === undefined ? '' : ` of ${when(from)}`}, nothing trained` : '';
  return [
    ['commit', [joined([commit.slice(0, 12), branch && `on ${said(branch, 40)}`, author && `by ${said(author, 60)}`])]],
    ['judged', [joined([when(id), who, known, said(tool, 40)])]],
    ['run', [joined([fingerprint.slice(0, 16), run && `attempt ${run.attempt}`, run?.job && jobText(run.job)])]],
    ['machine', run === undefined ? [] : [whereText(run)]],
    ['curves', curveTexts(run)],
    ['added', run?.added === undefined ? [] : [addedText(run.added)]],
    ['took', run === undefined ? [] : [tookWords(run)]],
    ['steps', run?.steps.map(stepText) ?? []],
    [
      'inputs',
      [
        `code: ${plural(inputs.code, 'file')}`,
        ...Object.entries(inputs.data).map(
          ([entry, { files, bytes, hash }]) =>
            `${said(entry, 60)}: ${plural(files, 'file')}, ${formatBytes(bytes)}, ${hash.slice(0, 12)}`,
        ),
        inputs.environment === '' ? '' : `environment: ${said(inputs.environment, 80)}`,
      ],
    ],
    ['kept', keptTexts(run?.artifacts ?? [])],
    ['in', store === undefined ? [] : [said(store, 160)]],
  ];
}

const jobText = ({ id, word }: NonNullable<RunResult['job']>): string => `job ${said(id, 40)} (${said(word, 30)})`;

const whereText = ({ place: { cluster, node, cpu, gpu } }: RunResult): string =>
  joined([said(cluster, 60), node && said(node, 40), cpu && said(cpu, 60), gpu && said(gpu, 60)]);

function tookWords(run: RunResult): string {
  const { seconds, peakMemory } = run;
  const hours = gpuHours(run);
  return joined([
    seconds !== undefined && formatDuration(seconds),
    peakMemory !== undefined && `${formatBytes(peakMemory)} of memory`,
    hours !== undefined && `${hours.toFixed(2)} GPU-h`,
  ]);
}

function stepText({ name, outcome, seconds, exitCode, tests }: StepResult): string {
  return joined([
    `${said(name, 60)} ${outcome}`,
    exitCode !== undefined && exitCode !== 0 && `exit status ${exitCode}`,
    seconds !== undefined && formatDuration(seconds),
    tests && `tests: ${tests.passed} passed, ${tests.failed} failed, ${tests.skipped} skipped`,
  ]);
}

const mostKept = 12;

function keptTexts(files: readonly KeptFile[]): readonly string[] {
  const rows = files
    .slice(0, mostKept)
    .map(({ role, path, size, sha256 }) => [role, said(path, 50), formatBytes(size), sha256.slice(0, 12)]);
  const more = files.length - rows.length;
  return [...columns(rows, [{}, {}, { right: true }, {}]), ...(more > 0 ? [`and ${plural(more, 'file')} more`] : [])];
}

/** Where the verdict's own evidence is the log, it stands above. */
function logLines({ verdict, run, logTail }: Report, dim: (text: string) => string): readonly string[] {
  const failures = verdict?.reasons.some(({ reason }) => reason === 'failure') ?? false;
  const traceback = [run?.preparation, ...(run?.steps ?? []).map(({ failure }) => failure)].some(
    (failure) => failure?.traceback !== undefined,
  );
  return failures && !traceback ? [] : paragraph('log', saidLines(logTail), dim);
}

function otherText(other: Report, { clock }: Setting): string {
  const time = reportTime(other.id);
  return joined([
    other.outcome,
    time !== undefined && formatLocalTime(time, clock.now, clock.timeZone),
    `${short(other.commit)}${other.branch === undefined ? '' : ` on ${said(other.branch, 40)}`}`,
    `run ${short(other.fingerprint)}`,
  ]);
}

function ways({ commit, run }: Report): readonly Next[] {
  const has = (role: KeptFile['role']): boolean => run?.artifacts.some((file) => file.role === role) ?? false;
  const artifact = run?.artifacts.find(({ role }) => role === 'artifact');
  return [
    ...(has('notebook')
      ? [{ command: `mlops show --notebook ${short(commit)}`, what: 'brings the executed notebook' }]
      : []),
    ...(has('log') ? [{ command: `mlops show --log ${short(commit)}`, what: 'brings the whole log' }] : []),
    ...(artifact === undefined
      ? []
      : [{ command: `mlops show --artifact ${word(artifact.path)} ${short(commit)}`, what: 'brings what it left' }]),
    { command: `mlops why ${short(commit)}^ ${short(commit)}`, what: 'what changed' },
  ];
}
