import { shellQuote } from '../../base/shell-quote.ts';
import type { EnvShellError, ShellPlan } from '../../commands/env-shell.ts';
import type { NotebookStep, Step } from '../../config/types.ts';
import { plural } from '../../report/numbers.ts';
import { gateTroubles } from './gate-trouble.ts';
import { lead, paragraph, said } from './layout.ts';
import type { Setting } from './setting.ts';
import { type Trouble, troubleOf, type Words } from './trouble.ts';

/** Before the shell opens: where it is, and what the run did there. */
export function envShellLines({ attempt, folder, steps, secrets, slurm }: ShellPlan, place: string): readonly string[] {
  return [
    lead(`a shell where attempt ${attempt} ran, on ${slurm ? `a node of ${said(place, 60)}` : said(place, 60)}`),
    ...paragraph('folder', [said(`${folder}/tree`, 300)]),
    ...steps.flatMap((step, index) => paragraph(`step ${index + 1}`, [said(again(step), 1000)])),
    ...(secrets.length === 0
      ? []
      : paragraph(
          'without',
          secrets.map((name) => `$${said(name, 60)}`),
        )),
  ];
}

/** What runs a step once more, by hand. */
const again = (step: Step): string => (step.kind === 'run' ? step.run : papermill(step));

function papermill({ notebook, parameters }: NotebookStep): string {
  // As YAML, in which each keeps its type: `-p` would take the text "1" for a number.
  const given = Object.keys(parameters).length === 0 ? [] : ['-y', shellQuote(JSON.stringify(parameters))];
  return ['python -m papermill -k python3', ...given, shellQuote(notebook), '"$MLOPS_OUT/again.ipynb"'].join(' ');
}

/** Where no shell can be opened from here. */
export const envShellTypedLines = (why: string): readonly string[] => [lead(`${why}: type this in a terminal`)];

type OwnError = Extract<EnvShellError, { readonly reason: 'run-goes-on' | 'no-such-task' | 'tree-gone' }>;
const words: Words<OwnError> = {
  'run-goes-on': ({ job }, { again: command }) => ({
    failed: `the run goes on${job === '' ? '' : ` (job ${said(job, 20)})`}, and a shell in its folder would disturb it`,
    next: [
      { command: 'mlops attach', what: 'follows it' },
      { command: 'mlops cancel', what: 'ends it' },
      { command, what: 'then' },
    ],
  }),
  'no-such-task': ({ tasks }, { again: command }) => ({
    failed: tasks === 0 ? 'this run has no tasks' : `this run has ${plural(tasks, 'task')}, counted from 1`,
    next: [{ command: `${command.replace(/ --task \S+/, '')}${tasks === 0 ? '' : ' --task 1'}` }],
  }),
  'tree-gone': ({ folder }) => ({
    failed: 'the files of that attempt are not there any more',
    where: said(folder, 200),
    means: '`mlops gc` or the file system has taken them.',
    next: [{ command: 'mlops run --again', what: 'runs it once more' }],
  }),
};

export function envShellTroubles(error: EnvShellError, setting: Setting): readonly Trouble[] {
  switch (error.reason) {
    case 'run-goes-on':
    case 'no-such-task':
    case 'tree-gone':
      return [troubleOf(words, error, setting)];
    default:
      return gateTroubles(error, setting);
  }
}
