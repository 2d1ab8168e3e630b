import type { InitReport, Proposal } from '../../commands/init.ts';
import type { UninstallReport } from '../../commands/uninstall.ts';
import { plural } from '../../report/numbers.ts';
import { hookLines, hookPlaceText, relativeTo } from './hook-lines.ts';
import { failureTrouble } from './init-trouble.ts';
import { labelled, lead, paragraph, said, under, word } from './layout.ts';
import type { Setting } from './setting.ts';
import { diagnosticLines, type Next, nextLines, troubleLines } from './trouble.ts';

/** What `mlops init` found, wrote and set, what it could not do, what to do now, and how to undo it. `top` shortens paths. */
export function initLines(report: InitReport, top: string, setting: Setting): readonly string[] {
  const { files, proposal, diagnostics, place, hooks, settings, remote, failures, changed } = report;
  const { style } = setting;
  const filesOf = (outcome: 'written' | 'updated' | 'kept') =>
    files.filter((file) => file.outcome === outcome).map(({ path }) => said(path, 80));
  const set = settings.filter(({ outcome }) => outcome === 'set');
  const mistakes = diagnostics.filter(({ severity }) => severity === 'error').length;
  return [
    lead(headline(report)),
    ...(proposal === undefined ? [] : foundLines(proposal)),
    ...paragraph('wrote', filesOf('written')),
    ...paragraph('updated', filesOf('updated')),
    ...(changed ? paragraph('kept', filesOf('kept')) : []),
    ...paragraph('hooks', place === undefined ? [] : [hookPlaceText(place, top)]),
    ...hookLines(hooks, top),
    ...paragraph(
      'git',
      set.map(({ key, value }) => `${said(key, 60)} = ${said(value, 100)}`),
    ),
    ...(remote === undefined && failures.length === 0
      ? paragraph('', ["no remote yet: run init again when there is one, so that fetches bring colleagues' verdicts"])
      : []),
    ...diagnostics.flatMap((diagnostic) => diagnosticLines(diagnostic, style).map((line) => under(line))),
    ...failures.flatMap((failure) => ['', ...troubleLines(failureTrouble(failure, setting), style)]),
    ...(failures.length > 0 ? [] : nextLines(nextSteps(report, mistakes, top), style)),
    ...(changed ? [labelled('undo', `${style.cyan('mlops uninstall')}   the config, reports and notes stay`)] : []),
  ];
}

function headline({ changed, failures, proposal }: InitReport): string {
  if (failures.length > 0) return `not everything could be set up: ${plural(failures.length, 'part')} failed`;
  if (!changed) return 'this repository is set up already: nothing has changed';
  return proposal === undefined
    ? 'this repository is set up with the config that is there'
    : 'this repository is set up';
}

const most = 6;
const some = (names: readonly string[]): string => {
  const more = names.length - most;
  return [...names.slice(0, most).map((name) => said(name, 50)), ...(more > 0 ? [`and ${more} more`] : [])].join(', ');
};

function foundLines({ facts, steps, unreadable, otherLanguages }: Proposal): readonly string[] {
  const { notebooks, data, environment, tests, script } = facts;
  const metrics = [...new Set(notebooks.flatMap((notebook) => notebook.metrics))];
  const packages = environment.kind === 'imports' ? `: ${some(environment.packages)}` : '';
  return paragraph('found', [
    ...(notebooks.length === 0
      ? []
      : [`${plural(notebooks.length, 'notebook')}: ${some(notebooks.map(({ path }) => path))}`]),
    ...(metrics.length === 0 ? [] : [`what looks like metrics: ${some(metrics)}`]),
    ...(data.length === 0 ? [] : [`data: ${some(data)}`]),
    environment.kind === 'none'
      ? 'no file that names an environment: the Python that is there is used'
      : `environment: ${said(environment.file, 60)}${environment.kind === 'imports' ? `, from the imports${packages}` : ''}`,
    ...(script === undefined ? [] : [`script: ${said(script, 60)}`]),
    ...(tests ? ['tests for pytest'] : []),
    ...(steps === 'none' ? ['nothing to train: put your own step into .mlops/config.yaml'] : []),
    ...(unreadable.length === 0 ? [] : [`not readable, and left out: ${some(unreadable)}`]),
    ...(otherLanguages.length === 0 ? [] : [`not in Python, and left out: ${some(otherLanguages)}`]),
  ]);
}

function nextSteps({ files, hooks, place, proposal }: InitReport, mistakes: number, top: string): readonly Next[] {
  if (mistakes > 0) return [{ command: 'mlops init', what: 'again, once .mlops/config.yaml is corrected' }];
  const tracked =
    place === undefined || place.kind === 'git' || (place.kind === 'hooks-path' && place.of === 'user') ? [] : hooks;
  const changed = files.some(({ outcome }) => outcome !== 'kept');
  const touched = tracked
    .filter(({ action }) => action !== 'unchanged')
    .map(({ file }) => relativeTo(top, file))
    // What an earlier init had put there is gone from this clone alone.
    .filter((file) => !file.startsWith('.git/'));
  const add = [...(changed ? ['.mlops'] : []), ...new Set(touched.map(word))];
  return [
    ...(proposal === undefined
      ? []
      : [{ command: '.mlops/config.yaml', what: 'look through it: steps, metrics, require' }]),
    ...(place?.kind === 'lefthook' && touched.length > 0
      ? [{ command: 'lefthook install', what: 'puts its hooks into place' }]
      : []),
    ...(add.length === 0 ? [] : [{ command: `git add ${add.join(' ')} && git commit` }]),
    { command: 'git push', what: 'trains and judges; a fail blocks it' },
  ];
}

/** What `mlops uninstall` took away. */
export function uninstallLines(report: UninstallReport, top: string, setting: Setting): readonly string[] {
  const { hooks, settings, state, failures, changed } = report;
  const head =
    failures.length > 0
      ? 'not everything could be taken away'
      : changed
        ? 'taken away'
        : 'nothing of mlops is set up here';
  return [
    lead(head),
    ...hookLines(hooks, top, 'hooks'),
    ...paragraph(
      'git',
      settings.map(({ key, value }) => `${said(key, 60)} = ${said(value, 100)} is gone`),
    ),
    ...paragraph(
      'state',
      state === undefined
        ? []
        : [`${said(relativeTo(top, state), 100)} is gone: caches, and what was recorded for commits`],
    ),
    ...failures.flatMap((failure) => ['', ...troubleLines(failureTrouble(failure, setting), setting.style)]),
    ...(changed
      ? [
          under('.mlops/, the reports branch and the notes stay'),
          ...nextLines([{ command: 'mlops init', what: 'sets it up again' }], setting.style),
        ]
      : []),
  ];
}
