import { short } from '../../base/ids.ts';
import type { Reproduced, ReproduceError, TrainedReport } from '../../commands/reproduce.ts';
import { machineParts } from '../../report/changes.ts';
import { formatLocalTime } from '../../report/local-time.ts';
import { metricDifferenceText } from '../../report/metric-differences.ts';
import { formatMetric, plural, precisionFor } from '../../report/numbers.ts';
import { reportTime } from '../../report/report-path.ts';
import type { Repeat, RepeatedMetric } from '../../verdict/repeats.ts';
import { ranLines } from './diff.ts';
import { diffTrouble } from './diff-trouble.ts';
import { gateTroubles, stoppedLines } from './gate-trouble.ts';
import { columns, joined, lead, paragraph, said, under } from './layout.ts';
import { outcomeLines } from './outcome.ts';
import type { Setting } from './setting.ts';
import { showTrouble } from './show-trouble.ts';
import { nextLines, type Trouble, troubleLines, troubleOf, type Words } from './trouble.ts';
import { waitingLines } from './waiting.ts';

/** The worst of all metrics; without any the two verdicts tell. */
function worst({ metrics, before, after }: Reproduced): Repeat {
  if (metrics.length === 0) return before.verdict?.kind === after.verdict?.kind ? 'same' : 'different';
  const order: readonly Repeat[] = ['different', 'unknown', 'within', 'same'];
  return order.find((repeat) => metrics.some((one) => one.repeat === repeat)) ?? 'same';
}

export const isReproduced = (found: Reproduced): boolean => ['same', 'within'].includes(worst(found));

const heads = {
  same: { word: 'SAME', colour: 'green', what: 'every metric came out the same, to the last digit' },
  within: {
    word: 'WITHIN',
    colour: 'green',
    what: 'not to the last digit, and as near as runs of it are to each other',
  },
  unknown: { word: 'DIFFERENT', colour: 'yellow', what: 'how much it wobbles by itself is not known yet' },
  different: { word: 'DIFFERENT', colour: 'red', what: 'it did not come out the same' },
} as const satisfies Record<Repeat, { word: string; colour: keyof Setting['style']; what: string }>;

/** `mlops reproduce`: whether it comes to the same; each metric of both runs, and what was not the same where they ran. */
export function reproducedLines(found: Reproduced, setting: Setting): readonly string[] {
  const { before, after, metrics } = found;
  const { style } = setting;
  const repeat = worst(found);
  const { word, colour } = heads[repeat];
  const what = metrics.length > 0 ? heads[repeat].what : 'without metrics, going by the verdict';
  const rows = metrics.map((one) => {
    const text = metricDifferenceText(changeOf(one), { before, after });
    return [said(one.metric, 24), text.before, text.after, text.change, repeatText(one)];
  });
  const right = { right: true } as const;
  const [head = '', ...lines] = columns(
    [['metric', 'before', 'now', 'change'], ...rows],
    [{ most: 24 }, right, right, right, {}],
  );
  const ran = ranLines(found);
  const same = sameTexts(found);
  return [
    lead(`${style[colour](style.bold(word))}  run ${short(after.fingerprint)}: ${what}`),
    ...(rows.length === 0 ? [] : [style.dim(head), ...lines].map(under)),
    ...paragraph('before', [runText(before, setting)]),
    ...paragraph('now', [runText(after, setting)]),
    ...ran,
    ...paragraph('same', [same.join(', ')]),
    ...(repeat === 'same' || repeat === 'within' || ran.length > 0
      ? []
      : paragraph('perhaps', [
          'a seed that is not fixed, the number of threads, or the order of files: nothing that is recorded differs',
        ])),
    ...nextLines(
      repeat === 'unknown'
        ? [
            {
              command: `mlops reproduce ${short(after.commit)}`,
              what: 'once more: three runs show how much it wobbles',
            },
          ]
        : [{ command: `mlops show ${short(after.commit)}`, what: 'the report on the new run' }],
      style,
    ),
  ];
}

function changeOf({ metric, before, after }: RepeatedMetric) {
  return {
    metric,
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
    ...(before?.kind === 'number' && after?.kind === 'number' ? { change: after.value - before.value } : {}),
  };
}

function repeatText({ repeat, expected }: RepeatedMetric): string {
  if (expected === undefined) return repeat === 'same' ? 'the same' : '';
  const precision = precisionFor([expected.low, expected.high], [[expected.low, expected.high]]);
  const range = `${formatMetric(expected.low, precision)} … ${formatMetric(expected.high, precision)}`;
  return `${repeat === 'within' ? 'within' : 'not within'} ${range}, by ${plural(expected.runs, 'run')}`;
}

function runText({ id, run, outcome }: TrainedReport, { clock }: Setting): string {
  const time = reportTime(id);
  return joined([
    outcome,
    time !== undefined && formatLocalTime(time, clock.now, clock.timeZone),
    `attempt ${run.attempt}`,
    run.place.node !== undefined && `on ${said(run.place.node, 40)}`,
  ]);
}

function sameTexts({ places, installed }: Reproduced): readonly string[] {
  const machines =
    places === undefined ? [] : machineParts(places).flatMap(({ name, text }) => (text === undefined ? [name] : []));
  return [...machines, ...(installed?.length === 0 ? ['installed packages'] : [])];
}

type Plain = Exclude<ReproduceError, { readonly reason: 'error' | 'waiting' | 'stopped' }>;
const words: Words<Plain> = {
  'unknown-target': (error, setting) => showTrouble(error, setting),
  'ambiguous-run': (error, setting) => showTrouble(error, setting),
  'commit-absent': (error, setting) => diffTrouble(error, setting),
  'never-run': ({ commit }) => ({
    failed: `${short(commit)} was not run yet, as far as is known here: there is nothing to repeat`,
    next: [
      { command: `mlops run ${short(commit)}`, what: 'runs it' },
      { command: 'git fetch', what: "brings colleagues' verdicts" },
    ],
  }),
  'run-once': ({ commit }) => ({
    failed: `${short(commit)} was run once: there is nothing to compare it with`,
    next: [{ command: `mlops reproduce ${short(commit)}`, what: 'runs it again' }],
  }),
  'another-run': ({ commit, was, is }) => ({
    failed: `${short(commit)} is run ${short(is)} in this clone, and its report is of run ${short(was)}`,
    means: 'Its data was recorded anew here, or a personal setting (mlops.cluster.*) makes it another run.',
    next: [
      { command: `mlops show ${short(was)}`, what: 'what it was' },
      { command: `mlops run ${short(commit)}`, what: 'judges what it is here' },
    ],
  }),
  identify: ({ commit, cause }, setting) => {
    const what = `${short(commit)} cannot be run again`;
    const [trouble = { failed: '', next: [] }] = gateTroubles(cause, setting);
    return { ...trouble, failed: trouble.failed === '' ? what : `${what}: ${trouble.failed}` };
  },
  git: ({ cause }, setting) => showTrouble({ reason: 'git', cause }, setting),
};

export const reproduceTrouble = (error: Plain, setting: Setting): Trouble => troubleOf(words, error, setting);

export function reproduceTroubleLines(error: ReproduceError, setting: Setting): readonly string[] {
  switch (error.reason) {
    case 'error':
      return outcomeLines(error.outcome, setting);
    case 'stopped':
      return stoppedLines(error.cause, setting);
    case 'waiting':
      return [
        ...waitingLines(error.waiting, { ...setting, again: 'mlops sync' }),
        ...paragraph('then', [`mlops reproduce --known ${short(error.waiting.commit)}   compares the two`]),
      ];
    default:
      return troubleLines(reproduceTrouble(error, setting), setting.style);
  }
}
