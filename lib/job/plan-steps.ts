import { nearest } from '../config/nearest.ts';
import type { Path } from '../config/path.ts';
import type { NotebookStep, RunStep } from '../config/types.ts';
import { floatPaths } from '../config/whole-numbers.ts';
import { hasSentinel, instrumentNotebook, kernelOf, parametersCells } from './instrument.ts';
import { readNotebook } from './notebook.ts';
import { exportLines, taskKey, tasksOf } from './plan-tasks.ts';
import type { InputFile, PlanError, PlannedStep, PlannedTask, PlanRequest, Repeated } from './types.ts';
import type { StepView } from './view.ts';

export interface StepsPlan {
  readonly steps: readonly { readonly kind: 'notebook' | 'run'; readonly view: StepView }[];
  readonly planned: readonly PlannedStep[];
  readonly repeated?: Repeated;
  readonly inputs: ReadonlyMap<string, InputFile>;
  readonly errors: readonly PlanError[];
}

export function planSteps(request: PlanRequest): StepsPlan {
  const { config, fingerprinted } = request;
  const inputs = new Map<string, InputFile>();
  const errors: PlanError[] = [];
  const outputs = new Set<string>();
  const first = config.steps.findIndex((step) => tasksOf(step).length > 0);
  const repeating = config.steps[first];
  const tasks = repeating === undefined ? [] : tasksOf(repeating);
  for (const task of tasks) {
    inputs.set(`task-${task.index}.sh`, { content: exportLines(task), mode: 0o644 });
    inputs.set(`task-${task.index}.key`, { content: taskKey(task), mode: 0o644 });
  }
  const views = config.steps.map((step, position) => {
    const index = position + 1;
    const metrics = step.metrics?.kind === 'file' ? resultPath(step.metrics.file, 'tree') : '';
    const chain = fingerprinted.inputs.steps[position]?.fingerprint ?? '';
    const cwd = step.cwd === undefined ? {} : { cwd: step.cwd };
    if (step.cwd !== undefined && !hasFolder(request, step.cwd))
      errors.push({ reason: 'cwd-missing', step: index, cwd: step.cwd, ...nearFolder(request, step.cwd) });
    const signal = (step.resources ?? config.resources).signal?.name ?? '';
    const common = { index, chain, metrics, signal, ...cwd, inTask: tasks.length > 0 && position >= first };
    if (step.kind === 'run') {
      if (step.run.trim() === '') errors.push({ reason: 'run-empty', step: index });
      if (step.run.includes('\0'))
        errors.push({ reason: 'unsafe-value', key: `steps[${position}].run`, detail: 'holds NUL' });
      const junit = step.junit === undefined ? '' : resultPath(step.junit, 'out');
      return { kind: step.kind, view: { ...common, notebook: false, line: step.run, junit } };
    }
    errors.push(...notebookInputs(request, step, index, outputs, inputs, position === first ? tasks : []));
    return { kind: step.kind, view: { ...common, notebook: true, line: '', junit: '' } };
  });
  const planned = config.steps.map((step, position) => plannedStep(step, position + 1));
  return {
    steps: views,
    planned,
    inputs,
    errors,
    ...(tasks.length === 0 ? {} : { repeated: { from: first + 1, tasks } }),
  };
}

function plannedStep(step: NotebookStep | RunStep, index: number): PlannedStep {
  return {
    index,
    kind: step.kind,
    name: step.kind === 'notebook' ? step.notebook : step.run,
    expressions: step.metrics?.kind === 'expressions' ? step.metrics.expressions : {},
    ...(step.metrics?.kind === 'file' ? { metricsFile: step.metrics.file } : {}),
    ...(step.metrics?.kind === 'scrapbook' ? { scraps: true } : {}),
    ...(step.curves === undefined ? {} : { curves: step.curves }),
    ...(step.kind === 'run' && step.junit !== undefined ? { junit: step.junit } : {}),
  };
}

function notebookInputs(
  { notebooks }: PlanRequest,
  step: NotebookStep,
  index: number,
  outputs: Set<string>,
  inputs: Map<string, InputFile>,
  tasks: readonly PlannedTask[],
): PlanError[] {
  const at = { step: index, notebook: step.notebook };
  const text = notebooks.get(step.notebook);
  if (text === undefined) return [{ reason: 'notebook-missing', ...at }];
  const read = readNotebook(text);
  if (!read.ok) return [{ reason: `notebook-${read.error.problem}`, ...at, detail: read.error.detail }];
  const notebook = read.value;
  const { language } = notebook;
  const expressions = step.metrics?.kind === 'expressions' ? step.metrics.expressions : {};
  const parameters = [...Object.keys(step.parameters), ...Object.keys(tasks[0]?.parameters ?? {})];
  const errors: PlanError[] = [];
  const cells = parametersCells(notebook);
  // papermill warns of the first at most, and the notebook's own values win: the run would not be what was asked for.
  if (parameters.length > 0 && cells.length === 0) errors.push({ reason: 'no-parameters-cell', ...at, parameters });
  if (parameters.length > 0 && cells.length > 1) errors.push({ reason: 'parameters-cells', ...at, cells });
  if (Object.keys(expressions).length > 0 && !hasSentinel(notebook)) {
    errors.push({ reason: 'expressions-need-python', ...at, language, metrics: Object.keys(expressions) });
  }
  if (kernelOf(notebook) === '') errors.push({ reason: 'no-kernel-name', ...at, language });
  if (errors.length > 0) return errors;
  const output = outputs.has(step.notebook)
    ? step.notebook.replace(/(\.ipynb)?$/, `.step-${index}.ipynb`)
    : step.notebook;
  outputs.add(step.notebook);
  const floats = floatPaths(step, 'parameters');
  const driver = {
    version: 1,
    output,
    ...(step.cwd === undefined ? {} : { cwd: step.cwd }),
    kernel: kernelOf(notebook),
    language,
    parameters: step.parameters,
    ...floatsIn(floats),
    cells: notebook.cells.length,
    sentinel: hasSentinel(notebook),
    ...(step.metrics?.kind === 'scrapbook' ? { scraps: true } : {}),
  };
  inputs.set(`step-${index}.json`, { content: JSON.stringify(driver), mode: 0o644 });
  for (const task of tasks) {
    const parameters = { ...step.parameters, ...task.parameters };
    const own = { ...driver, parameters, ...floatsIn([...floats, ...(task.floats ?? []).map((name) => [name])]) };
    inputs.set(`task-${task.index}.json`, { content: JSON.stringify(own), mode: 0o644 });
  }
  inputs.set(`step-${index}.ipynb`, {
    content: instrumentNotebook(notebook, expressions, Object.keys(step.curves ?? {})),
    mode: 0o644,
  });
  return [];
}

/** Left out where there are none, as most often. */
const floatsIn = (floats: readonly Path[]) => (floats.length === 0 ? {} : { floats });

/** Git knows no folder without a file in it. */
function hasFolder({ tree, fingerprinted }: PlanRequest, folder: string): boolean {
  const below = ({ path }: { readonly path: string }) => path.startsWith(`${folder}/`);
  // Of data that is not here only its entry's path is known.
  const entries = Object.keys(fingerprinted.inputs.data).map((path) => ({ path: `${path}/` }));
  return (
    tree.some(below) || entries.some(below) || Object.values(fingerprinted.data).some((files) => files.some(below))
  );
}

/** The folder that was probably meant. */
function nearFolder({ tree, fingerprinted }: PlanRequest, cwd: string): { readonly near?: string } {
  const parts = [...tree, ...Object.values(fingerprinted.data).flat()].map(({ path }) => path.split('/').slice(0, -1));
  const folders = new Set(parts.flatMap((names) => names.map((_, depth) => names.slice(0, depth + 1).join('/'))));
  const near = nearest(cwd, [...folders]);
  return near === undefined ? {} : { near };
}

/** Relative to the attempt's folder. `$MLOPS_OUT` is its `out/`; a path without it is relative to `otherwise`. */
function resultPath(written: string, otherwise: 'out' | 'tree'): string {
  const inOut = /^(?:\$MLOPS_OUT|\$\{MLOPS_OUT\})\/+(.*)$/s.exec(written);
  return inOut === null ? `${otherwise}/${written}` : `out/${inOut[1]}`;
}
