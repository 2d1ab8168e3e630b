import type { HashTreeError } from '../../gate/hash-tree.ts';
import type { RenderError } from '../../job/render.ts';
import type { PlanError } from '../../job/types.ts';
import { blobTrouble } from './git-trouble.ts';
import { said, word } from './layout.ts';
import { placeOf, type Setting } from './setting.ts';
import { type Trouble, troubleOf, type Words } from './trouble.ts';

const config = '.mlops/config.yaml';
const inStep = ({ step }: { readonly step: number }, { locate }: Setting): string => {
  const place = placeOf(locate?.(`steps[${step - 1}]`));
  return `step ${step}${place === '' ? '' : `, ${place}`}`;
};
const names = (list: readonly string[]): string => list.map((name) => said(name, 40)).join(', ');

const planWords: Words<PlanError> = {
  'notebook-missing': (error, setting) => ({
    failed: `the notebook ${said(error.notebook, 80)} is not in the commit`,
    where: inStep(error, setting),
    next: [
      { command: `git add ${word(error.notebook)} && git commit`, what: 'if it is only not added' },
      { command: setting.again },
    ],
  }),
  'notebook-not-json': (error, setting) => ({
    failed: `the notebook ${said(error.notebook, 80)} is not JSON`,
    where: inStep(error, setting),
    raw: error.detail,
    means: 'A merge may have left its marks in it.',
    next: [
      { command: `git log -p -- ${word(error.notebook)}`, what: 'finds the commit that broke it' },
      { command: setting.again, what: 'once it opens in Jupyter again and is committed' },
    ],
  }),
  'notebook-format': (error, setting) => ({
    failed: `the notebook ${said(error.notebook, 80)} has a form that is not known here`,
    where: inStep(error, setting),
    raw: error.detail,
    next: [
      { command: `jupyter nbconvert --to notebook --inplace ${word(error.notebook)}`, what: 'writes it in format 4' },
      { command: setting.again },
    ],
  }),
  'no-parameters-cell': (error, setting) => ({
    failed: `the notebook ${said(error.notebook, 60)} has no cell tagged \`parameters\`, and the config gives some`,
    where: `${inStep(error, setting)}: ${names(error.parameters)}`,
    means:
      "Tag the cell that sets their defaults (Jupyter: Property Inspector, Cell Tags). Without it the notebook's own values would win.",
    next: [{ command: setting.again, what: 'once it is tagged and committed' }],
  }),
  'parameters-cells': (error, setting) => ({
    failed: `the notebook ${said(error.notebook, 60)} has ${error.cells.length} cells tagged \`parameters\`, and the config gives some`,
    where: `${inStep(error, setting)}: cells ${error.cells.join(', ')}`,
    means: "papermill puts the values behind the first of them, and the others would set the notebook's own again.",
    next: [{ command: setting.again, what: 'once one of them is tagged, and that is committed' }],
  }),
  'expressions-need-python': (error, setting) => ({
    failed: `metrics as expressions need a Python notebook, and ${said(error.notebook, 60)} is in ${said(error.language, 30)}`,
    where: `${inStep(error, setting)}: ${names(error.metrics)}`,
    next: [
      {
        command: 'metrics: { file: $MLOPS_OUT/metrics.json }',
        what: `in ${config}, and let the notebook write that file`,
      },
    ],
  }),
  'no-kernel-name': (error, setting) => ({
    failed: `the notebook ${said(error.notebook, 60)} (${said(error.language, 30)}) does not say which kernel runs it`,
    where: inStep(error, setting),
    means: 'Choose a kernel in Jupyter, which writes it into the notebook.',
    next: [{ command: setting.again, what: 'once it is saved and committed' }],
  }),
  'cwd-missing': ({ step, cwd, near }, setting) => {
    const path = `steps[${step - 1}].cwd`;
    const range = setting.locate?.(path);
    const message = `the commit has no folder \`${said(cwd, 80)}\` for step ${step} to start in`;
    const hint = near === undefined ? undefined : `did you mean \`${said(near, 80)}\`?`;
    return {
      ...(range === undefined
        ? { failed: [message, hint].filter((text) => text !== undefined).join('; ') }
        : {
            failed: '',
            diagnostics: [
              {
                severity: 'error',
                reason: 'wrong-value',
                path,
                range,
                message,
                ...(hint === undefined ? {} : { hint }),
              },
            ],
          }),
      means: 'Paths begin at the top of the repository, and git keeps no folder without a file in it.',
      next: [{ command: setting.again, what: 'once it is corrected and committed' }],
    };
  },
  'run-empty': (error, setting) => ({
    failed: 'a step has an empty `run`: there is nothing to do',
    where: inStep(error, setting),
    next: [{ command: 'run: COMMAND', what: `in ${config}, or take the step away` }],
  }),
  'data-in-the-way': ({ entry, path }, setting) => ({
    failed: `the commit has ${said(path, 80)} where the data ${said(entry, 60)} of the cluster is to be seen`,
    where: placeOf(setting.locate?.('data')) || config,
    next: [
      { command: `git rm -r --cached ${word(path)}`, what: 'takes it out of the commit; or change `as:`' },
      { command: setting.again, what: 'once that is committed' },
    ],
  }),
  'environment-file-missing': ({ file }, setting) => ({
    failed: `the environment's file ${said(file, 80)} is not in the commit`,
    where: placeOf(setting.locate?.('environment')) || config,
    next: [
      { command: `git add ${word(file)} && git commit`, what: 'if it is only not added' },
      { command: setting.again },
    ],
  }),
  'secret-missing': ({ name }, setting) => ({
    failed: `the secret ${said(name, 40)} is not set in your environment`,
    where: placeOf(setting.locate?.('secrets')) || config,
    next: [
      { command: `export ${said(name, 40)}=…`, what: 'its value never gets into a script, a log or a report' },
      { command: setting.again },
    ],
  }),
  'unsafe-value': ({ key, detail }, setting) => ({
    failed: `the value of ${said(key, 60)} cannot be in a job script: it ${said(detail, 60)}`,
    where: placeOf(setting.locate?.(key)) || config,
    next: [{ command: setting.again, what: 'once it is corrected and committed' }],
  }),
  unsupported: ({ key, range }, setting) => ({
    failed: `\`${said(key, 60)}\` cannot be done by this version yet`,
    where: placeOf(range ?? setting.locate?.(key)) || config,
    means: 'It is refused instead of ignored: the run would not be what the config says. Nothing was started.',
    next: [{ command: setting.again, what: 'without it, once that is committed' }],
  }),
};
export const planTrouble = (error: PlanError, setting: Setting): Trouble => troubleOf(planWords, error, setting);

const contentWords: Words<HashTreeError> = {
  git: ({ cause }, setting) => blobTrouble(cause, setting),
  'lfs-missing': ({ path, looked }, setting) => ({
    failed: `the Git LFS content of ${said(path, 80)} is not on this machine`,
    tried: said(looked, 160),
    next: [{ command: `git lfs fetch --include=${word(path)}`, what: 'brings it' }, { command: setting.again }],
  }),
};
export const contentTrouble = (error: HashTreeError, setting: Setting): Trouble =>
  troubleOf(contentWords, error, setting);

const renderWords: Words<RenderError> = {
  template: ({ detail }, setting) => ({
    failed: 'the template of the job script is wrong',
    where: 'one of .mlops/templates/, if the repository has some',
    raw: detail,
    next: [{ command: 'mlops script', what: 'prints what would be submitted' }, { command: setting.again }],
  }),
  'unsafe-value': ({ detail }, setting) => ({
    failed: 'a value of the config cannot be in a job script',
    raw: detail,
    next: [{ command: setting.again, what: 'once it is corrected and committed' }],
  }),
};
export const renderTrouble = (error: RenderError, setting: Setting): Trouble => troubleOf(renderWords, error, setting);
