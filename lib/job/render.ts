import type { HelperOptions } from 'handlebars';
import { err, ok, type Result } from '../base/result.ts';
import { shellExpanded, shellQuote } from '../base/shell-quote.ts';
import type { Templates } from './templates.ts';
import type { EnvironmentView, JobView, SbatchOption } from './view.ts';

/** A template (one of ours is tested; one of the repository's may be wrong) or a value that cannot be in a script. */
export interface RenderError {
  readonly reason: 'template' | 'unsafe-value';
  readonly detail: string;
}

class UnsafeValue extends Error {}

/** The job script. Handlebars' own escaping is for HTML and is off: a value gets into a script through a helper that suits its place. */
export const renderJob = (view: JobView, templates: Templates) => render(view, templates, 'run');

/**
 * For what builds the environment before the run's job: that part of the job script alone. It runs in an attempt's filled folder,
 * writes below `build/` there what a job writes (docs/job.md), and ends with 0 if the environment is ready, with 3 if it could not be
 * made. With options of sbatch it is a job of its own, that the run's waits for.
 */
export const renderBuild = (view: JobView, templates: Templates, sbatch: readonly SbatchOption[] = []) =>
  render({ ...view, sbatch, environment: builtHere(view.environment) }, templates, 'build');

/** A shell in the folder and the environment of an attempt that has ended: started there, with a terminal. An argument is a task. */
export const renderShell = (view: JobView, templates: Templates) =>
  render({ ...view, sbatch: [], environment: builtHere(view.environment) }, templates, 'shell');

const builtHere = (environment: EnvironmentView): EnvironmentView =>
  'builtBefore' in environment ? { ...environment, builtBefore: false } : environment;

async function render(
  view: JobView,
  templates: Templates,
  what: 'run' | 'build' | 'shell',
): Promise<Result<string, RenderError>> {
  const { default: handlebars } = await import('handlebars');
  const instance = handlebars.create();
  instance.registerHelper(helpers);
  const compile = { noEscape: true, strict: true, preventIndent: true };
  // Conditions look at members that only some views have, which `strict` takes for misspelt names.
  const { template, ...environment } = view.environment;
  const members = {
    file: '',
    channels: [],
    packages: [],
    locked: false,
    project: false,
    folder: '',
    name: '',
    prefix: '',
    seenKey: '',
    reference: '',
    image: '',
    inTree: false,
    kind: '',
    environmentKey: '',
    title: '',
    builtBefore: false,
    packed: false,
    manager: '',
    python: '',
    kernel: '',
    kernelTitle: '',
  };
  try {
    const part = (name: keyof Templates) => instance.compile(templates[name], compile);
    instance.registerPartial('env-python', part('env-python.sh.hbs'));
    instance.registerPartial('env-packed', part('env-packed.sh.hbs'));
    instance.registerPartial('env-lock', part('env-lock.sh.hbs'));
    instance.registerPartial('task-files', part('task-files.sh.hbs'));
    instance.registerPartial('steps', part('steps.sh.hbs'));
    instance.registerPartial('environment', part(`${template}.sh.hbs`));
    const doing = {
      ahead: what === 'build' && view.sbatch.length > 0,
      building: what === 'build',
      shell: what === 'shell',
      runsSteps: what === 'run',
      array: view.array && what === 'run',
      parted: view.array && what !== 'shell',
    };
    return ok(part('job.sh.hbs')({ ...members, ...view, ...environment, ...doing }));
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return err({ reason: error instanceof UnsafeValue ? 'unsafe-value' : 'template', detail });
  }
}

/** The options as the script's first lines have them, one `#SBATCH` each. */
export function sbatchLines(options: readonly SbatchOption[]): Result<readonly string[], RenderError> {
  try {
    return ok(options.map((option) => `#SBATCH ${sbatchLine(option)}`));
  } catch (error) {
    if (!(error instanceof UnsafeValue)) throw error;
    return err({ reason: 'unsafe-value', detail: error.message });
  }
}

/** A template of another text (the report's), ready to be filled in: what goes in is already fit for its place. */
export async function textTemplate(template: string): Promise<(view: object) => Result<string, RenderError>> {
  const { default: handlebars } = await import('handlebars');
  const fill = handlebars.create().compile(template, { noEscape: true });
  return (view) => {
    try {
      return ok(fill(view));
    } catch (error) {
      return err({ reason: 'template', detail: error instanceof Error ? error.message : String(error) });
    }
  };
}

const helpers = {
  /** One word of a shell command, whatever it holds. */
  sh: (value: unknown) => shellQuote(textOf(value)),
  /** A path that may begin with a variable, which is the job's to know; all else is one word as it is. */
  expanded: (value: unknown) => shellExpanded(textOf(value)),
  /** A whole number. */
  num: (value: unknown) => {
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0) return refuse('a number', value);
    return String(value);
  },
  /** Our own words: digits, letters, dots and dashes, fit for any place. */
  word: (value: unknown) => matching(/^[A-Za-z0-9._-]+$/, 'a word', value),
  /** Words for a line of progress within double quotes. */
  words: (value: unknown) => textOf(value).replace(/[^\p{L}\p{N} .,:/_=<>+-]/gu, '?'),
  /** A variable's name. */
  name: (value: unknown) => matching(/^[A-Za-z_][A-Za-z0-9_]*$/, 'a variable name', value),
  glob: (value: unknown) => casePattern(textOf(value)),
  sbatch: (value: unknown, _options: HelperOptions) => sbatchLine(value as SbatchOption),
};

function sbatchLine({ option, value }: SbatchOption): string {
  const name = matching(/^[a-z][a-z0-9-]*$/, 'an option of sbatch', option);
  if (value === true) return `--${name}`;
  const text = String(value);
  if (/[\0-\x1f\x7f]/.test(text)) return refuse('on one line', text);
  // sbatch reads these lines itself, with double quotes and backslashes (and `#` begins a comment).
  return `--${name}=${/^[A-Za-z0-9_@%+=:,./[\]-]+$/.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`}`;
}

/** A glob as a pattern of `case`: wildcards stay, all else is quoted. There `*` takes slashes too, so `**` is the same. */
function casePattern(glob: string): string {
  return expandBraces(glob)
    .map((one) => one.replace(/\*\*\//g, '*').replace(/\*+/g, '*'))
    .map((one) =>
      one
        .split(/([*?])/)
        .map((part) => (part === '*' || part === '?' || part === '' ? part : shellQuote(part)))
        .join(''),
    )
    .join(' | ');
}

function expandBraces(glob: string): string[] {
  const [whole, inner] = /\{([^{}]*,[^{}]*)\}/.exec(glob) ?? [];
  if (whole === undefined || inner === undefined) return [glob];
  return inner.split(',').flatMap((choice) => expandBraces(glob.replace(whole, () => choice)));
}

function textOf(value: unknown): string {
  if (value === undefined) throw new Error('a helper without a value: the name is misspelt');
  if (typeof value !== 'string') return refuse('a text', value);
  return value.includes('\0') ? refuse('without NUL', value) : value;
}

function matching(pattern: RegExp, what: string, value: unknown): string {
  return typeof value === 'string' && pattern.test(value) ? value : refuse(what, value);
}

function refuse(what: string, value: unknown): never {
  throw new UnsafeValue(`not ${what}: ${JSON.stringify(value)}`);
}
