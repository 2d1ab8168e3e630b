import type { EnvironmentEntry } from '../../cluster/environments.ts';
import type { BuiltEnvironment } from '../../commands/env-build.ts';
import type { EnvironmentList, ListedEnvironment } from '../../commands/env-list.ts';
import type { ShownEnvironment } from '../../commands/env-show.ts';
import { formatLocalTime } from '../../report/local-time.ts';
import { formatBytes, formatDuration, plural } from '../../report/numbers.ts';
import { askedFor } from './env-specification.ts';
import { columns, joined, lead, paragraph, said, saidLines, under } from './layout.ts';
import type { Setting } from './setting.ts';
import { nextLines } from './trouble.ts';

/** Digits of a key that people see and type; the rest is completed. */
export const shortKey = (key: string): string => `${key.slice(0, 12)}${key.slice(24)}`;

const states = {
  ready: 'ready',
  building: 'building',
  failed: 'failed',
  interrupted: 'interrupted',
} satisfies Record<EnvironmentEntry['state'], string>;

/** `12 min`, `5 h`, `3 d`: for comparing, not for appointments. */
export function ageText(seconds: number): string {
  const minutes = Math.max(0, Math.round(seconds / 60));
  if (minutes < 120) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} d`;
}

const withoutValue = '–';
export const numberOf = (count: number): string => String(count).replace(/\B(?=(?:\d{3})+$)/g, ',');

/** `mlops env list`: one a line; the one that HEAD asks for has a star. */
export function envListLines(
  { environments, now, workdir, unsure }: EnvironmentList,
  place: string,
  mine: string | undefined,
  setting: Setting,
): readonly string[] {
  const { style } = setting;
  const age = (at: number | undefined) => (at === undefined ? withoutValue : ageText(now - at));
  const bytes = environments.reduce((sum, entry) => sum + (entry.bytes ?? 0), 0);
  const files = environments.reduce((sum, entry) => sum + (entry.files ?? 0), 0);
  const rows = environments.map((entry) => [
    `${isMine(entry, mine) ? '*' : ' '} ${shortKey(entry.key)}`,
    said(entry.kind ?? kindOf(entry) ?? '', 10),
    states[entry.state],
    age(entry.builtAt ?? entry.changedAt),
    age(entry.usedAt),
    entry.bytes === undefined ? withoutValue : formatBytes(entry.bytes),
    entry.files === undefined ? withoutValue : numberOf(entry.files),
    entry.runs === 0 ? '' : plural(entry.runs, 'run'),
  ]);
  const head = [
    '  key',
    'kind',
    'state',
    'age',
    'unused',
    'size',
    'files',
    rows.some((row) => row[7] !== '') ? 'used by' : '',
  ];
  const absent = mine !== undefined && !environments.some((entry) => isMine(entry, mine));
  return [
    lead(
      environments.length === 0
        ? `no environment on ${said(place, 60)} (${said(workdir, 60)}/envs)`
        : joined([
            `${plural(environments.length, 'environment')} on ${said(place, 60)}`,
            bytes > 0 && formatBytes(bytes),
            files > 0 && `${numberOf(files)} files`,
          ]),
    ),
    ...(rows.length === 0
      ? []
      : columns([head, ...rows], [{}, {}, {}, {}, {}, { right: true }, { right: true }]).map(under)),
    ...(absent ? paragraph('HEAD', [`its environment ${shortKey(mine)} is not there yet`]) : []),
    ...(unsure === undefined
      ? []
      : paragraph('warning', ['the scheduler did not answer: runs without a last word count as alive'], style.yellow)),
    ...nextLines(
      [
        ...(absent ? [{ command: 'mlops env build', what: 'makes it now' }] : []),
        ...(rows.length === 0 ? [] : [{ command: 'mlops env show KEY', what: 'what is in one, or why it failed' }]),
      ],
      style,
    ),
  ];
}

const isMine = ({ key }: Pick<ListedEnvironment, 'key'>, mine: string | undefined): boolean =>
  mine !== undefined && key.startsWith(mine);

function kindOf({ specification }: EnvironmentEntry): string | undefined {
  return specification === undefined ? undefined : askedFor(specification).kind;
}

/** `mlops env show`. */
export function envShowLines(
  { entry, files, folder, now }: ShownEnvironment,
  place: string,
  setting: Setting,
): readonly string[] {
  const { style, clock } = setting;
  const time = (at: number | undefined) =>
    at === undefined ? undefined : formatLocalTime(clock.now - now + at, clock.now, clock.timeZone);
  const asked = entry.specification === undefined ? undefined : askedFor(entry.specification);
  const list = (name: string) => (files.get(name) ?? '').split('\n').filter((line) => line !== '');
  const packages = list('packages.txt');
  const paint = entry.state === 'ready' ? style.green : entry.state === 'building' ? style.bold : style.red;
  const { managerVersion = '', manager = '', buildSeconds, builtAt, usedAt, changedAt, bytes, files: count } = entry;
  const log = files.get('failed.log');
  return [
    lead(`environment ${shortKey(entry.key)} on ${said(place, 60)}: ${paint(states[entry.state])}`),
    ...paragraph(
      'asks for',
      (asked?.asks ?? []).map((text) => said(text, 2000)),
    ),
    ...paragraph('made', [
      entry.state !== 'ready'
        ? ''
        : joined([
            `by ${said(madeBy(manager, managerVersion), 60)}`,
            time(builtAt),
            buildSeconds !== undefined && `in ${formatDuration(buildSeconds)}`,
            entry.platform !== undefined && `for ${said(entry.platform, 20)}`,
          ]),
    ]),
    ...paragraph('size', [
      joined([bytes !== undefined && formatBytes(bytes), count !== undefined && `${numberOf(count)} files`]),
    ]),
    ...paragraph('used', [joined([time(usedAt), entry.runs > 0 && `${plural(entry.runs, 'run')} not ended`])]),
    ...paragraph('now', [
      entry.state === 'building' ? joined([said(entry.progress ?? '', 200), said(entry.builder?.owner ?? '', 80)]) : '',
    ]),
    ...paragraph('stopped', [
      entry.state === 'failed' || entry.state === 'interrupted'
        ? joined([time(changedAt), said(entry.progress ?? '', 200)])
        : '',
    ]),
    ...paragraph('added', [
      joined([said(list('added').join(' '), 200), list('added').length > 0 && 'because notebooks need them']),
    ]),
    ...paragraph('packages', packages.length === 0 ? [] : [said(packages.join(' '), 20_000)]),
    ...paragraph('folder', [said(folder, 200)]),
    ...paragraph('said', log === undefined || entry.state === 'ready' ? [] : saidLines(log)),
    ...nextLines(
      entry.state === 'ready'
        ? [
            { command: 'mlops env lock', what: 'the same next year: these very packages, by the commit' },
            { command: 'mlops env shell', what: 'a shell in it, where the run ran' },
          ]
        : [{ command: 'mlops env build', what: entry.state === 'building' ? 'waits for it' : 'tries it again' }],
      style,
    ),
  ];
}

/** `conda 26.7.1`, whether or not its own answer begins with its name. */
function madeBy(manager: string, version: string): string {
  const name = manager.slice(manager.lastIndexOf('/') + 1);
  return version.toLowerCase().startsWith(name.toLowerCase()) || version.startsWith('Python ')
    ? version
    : joined([`${name} ${version}`.trim()]);
}

/** `mlops env build`, at its end. */
export const envBuiltLines = (
  { key, wasThere, job }: BuiltEnvironment,
  place: string,
  seconds: number,
  { style }: Setting,
): readonly string[] => [
  lead(
    joined([
      `environment ${shortKey(key)} on ${said(place, 60)} is ${wasThere ? 'there already' : 'ready'}`,
      !wasThere && formatDuration(seconds),
      job !== undefined && `job ${said(job, 20)}`,
    ]),
  ),
  ...nextLines([{ command: 'mlops env show', what: 'what is in it' }], style),
];

/** `mlops env rm KEY`, before it goes. */
export const envRmQuestion = (entry: ListedEnvironment, place: string): string =>
  `       remove environment ${shortKey(entry.key)} (${joined([
    entry.kind,
    entry.bytes !== undefined && formatBytes(entry.bytes),
    entry.files !== undefined && `${numberOf(entry.files)} files`,
  ])}) from ${said(place, 60)}? [y/N] `;
export const envRemovedLines = (entry: ListedEnvironment, place: string): readonly string[] => [
  lead(
    joined([
      `environment ${shortKey(entry.key)} is gone from ${said(place, 60)}`,
      entry.bytes !== undefined && `${formatBytes(entry.bytes)} freed`,
    ]),
  ),
];
