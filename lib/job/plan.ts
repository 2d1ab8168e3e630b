import { createHash } from 'node:crypto';
import { err, ok, type Result } from '../base/result.ts';
import { shellQuote } from '../base/shell-quote.ts';
import { checkPinsScript } from '../cluster/file-listing.ts';
import { arrayOption } from '../cluster/slurm-submit.ts';
import type { Fingerprinted } from '../fingerprint/types.ts';
import { environmentSpecification } from './environment-specification.ts';
import { environmentView, isBuilt, needsOf } from './environment-view.ts';
import { planSteps } from './plan-steps.ts';
import { taskErrors } from './plan-tasks.ts';
import { jobResources, sbatchOptions } from './resources.ts';
import type { DataPlacement, InputFile, JobPlan, PlanError, PlanRequest, Repeated, TreeFile } from './types.ts';
import type { SbatchOption } from './view.ts';

/** From config and fingerprint to what is sent and run. Every reason that speaks against it is named, not the first alone. */
export function planJob(request: PlanRequest): Result<JobPlan, readonly PlanError[]> {
  const { config, fingerprinted, tree } = request;
  const steps = planSteps(request);
  const errors = [...unsupported(request), ...steps.errors, ...missing(request), ...inTheWay(request)];
  if (errors.length > 0) return err(errors);

  const { fingerprint } = fingerprinted;
  const name = `mlops-${fingerprint.slice(0, 16)}`;
  const repeated = steps.repeated === undefined ? undefined : asArray(steps.repeated, request);
  const resources = jobResources(config);
  const needs = needsOf(config);
  const specification = environmentSpecification(request, needs);
  const key = createHash('sha256').update(specification).digest('hex').slice(0, 24);
  const data = placements(fingerprinted);
  const inputs = new Map<string, InputFile>(steps.inputs);
  const add = (path: string, content: string, mode: InputFile['mode'] = 0o644) => inputs.set(path, { content, mode });
  if (steps.steps.some((step) => step.kind === 'notebook')) add('notebook.py', request.driver);
  // Kept beside what is built of it, for people.
  if (isBuilt(config)) add('environment.json', specification);
  if (config.setup !== undefined) add('setup.sh', `${config.setup}\n`);
  const links = data.filter(({ how }) => how === 'link');
  const pins = Object.values(fingerprinted.pins ?? {});
  if (pins.length > 0) add('pinned.sh', checkPinsScript(pins));
  if (links.length > 0) add('data', links.map(({ sha256, path }) => `${sha256} ${path}\n`).join(''));
  if (config.secrets.length > 0) {
    const lines = config.secrets.map((secret) => `export ${secret}=${shellQuote(request.secrets[secret] ?? '')}\n`);
    add('secrets', lines.join(''), 0o600);
  }
  return ok({
    fingerprint,
    name,
    inputs,
    data,
    // Data that is tracked is placed as data: the store's read-only content, not a second copy.
    tree: withoutPaths(tree, data),
    steps: steps.planned,
    ...(repeated === undefined ? {} : { repeated }),
    seconds: resources.seconds,
    gpus: resources.gpus ?? 0,
    ...(resources.signal === undefined ? {} : { signalSeconds: resources.signal.seconds }),
    ...(resources.mem === undefined ? {} : { mem: resources.mem }),
    ...(isBuilt(config) ? { environmentKey: key } : {}),
    view: {
      fingerprint,
      short: fingerprint.slice(0, 16),
      group: config.cluster?.group !== undefined,
      umask: config.cluster?.group === undefined ? '077' : '007',
      sbatch: [...sbatchOptions(config, resources, name), ...arrayLine(repeated)],
      setup: config.setup !== undefined,
      modules: config.cluster?.modules ?? [],
      needs: needs.join(' '),
      gpus: resources.gpus ?? 0,
      signals: resources.signal !== undefined,
      environment: environmentView(config, key),
      pinned: pins.map(({ cluster }) => cluster),
      env: Object.entries(config.env).map(([variable, value]) => ({ name: variable, value })),
      stepCount: steps.steps.length,
      steps: steps.steps.map((step) => step.view),
      tasks: (repeated?.tasks ?? []).map(({ index, title }) => ({ index, title })),
      taskCount: repeated?.tasks.length ?? 0,
      array: repeated?.array !== undefined,
      throttle: config.steps[(repeated?.from ?? 1) - 1]?.throttle ?? 1,
      repeatedFrom: repeated?.from ?? 0,
      // The script names what is in `$MLOPS_OUT`, and what is in the tree, alike: relative to it.
      artifacts: config.artifacts.map((path) => path.replace(/^(?:\$MLOPS_OUT|\$\{MLOPS_OUT\})\/+/, '')),
    },
  });
}

/**
 * The tasks become an array where each of them can be a job from its first line to its last: on Slurm, where the repeated step is the first.
 * What comes before it is done once, for all of them in one job.
 */
function asArray(repeated: Repeated, { config, arrays = true }: PlanRequest): Repeated {
  if (config.cluster === undefined || !arrays || repeated.from > 1 || repeated.tasks.length < 2) return repeated;
  const throttle = config.steps[0]?.throttle;
  return { ...repeated, array: throttle === undefined ? {} : { throttle } };
}

/** For people: what is submitted may be some of the tasks, and says so on the command line. */
function arrayLine(repeated: Repeated | undefined): readonly SbatchOption[] {
  if (repeated?.array === undefined) return [];
  const tasks = repeated.tasks.map(({ index }) => index);
  return [{ option: 'array', value: arrayOption({ tasks, ...repeated.array }) }];
}

/** Each path once: entries may overlap, and what one of them calls writable is copied. */
function placements({ inputs, data }: Fingerprinted): DataPlacement[] {
  const byPath = new Map<string, DataPlacement>();
  for (const [entry, files] of Object.entries(data)) {
    for (const { path, sha256, size } of files) {
      // The job's list of linked files has a line for each.
      const copied = inputs.data[entry]?.writable === true || path.includes('\n') || byPath.get(path)?.how === 'copy';
      byPath.set(path, { path, sha256, size, how: copied ? 'copy' : 'link' });
    }
  }
  return [...byPath.values()];
}

function withoutPaths(tree: readonly TreeFile[], data: readonly DataPlacement[]): readonly TreeFile[] {
  const paths = new Set(data.map(({ path }) => path));
  return tree.filter(({ path }) => !paths.has(path));
}

function unsupported({ config, locate }: PlanRequest): PlanError[] {
  const keys = [
    // Jupyter would have to start the container itself.
    ...(config.environment.kind === 'container' && config.environment.kernel !== undefined
      ? ['environment.kernel']
      : []),
  ];
  const refused = (key: string): PlanError => {
    const range = locate?.(key);
    return { reason: 'unsupported', key, ...(range === undefined ? {} : { range }) };
  };
  return [...taskErrors(config.steps, refused), ...keys.map(refused)];
}

/** Where the link to the cluster's data is to be, the commit must not have files. */
function inTheWay({ fingerprinted, tree }: PlanRequest): PlanError[] {
  return Object.keys(fingerprinted.pins ?? {}).flatMap((entry) => {
    const file = tree.find(
      ({ path }) => path === entry || path.startsWith(`${entry}/`) || entry.startsWith(`${path}/`),
    );
    return file === undefined ? [] : [{ reason: 'data-in-the-way' as const, entry, path: file.path }];
  });
}

function missing({ config, tree, secrets }: PlanRequest): PlanError[] {
  const { environment } = config;
  const file = 'file' in environment ? environment.file : undefined;
  return [
    ...(file === undefined || tree.some(({ path }) => path === file)
      ? []
      : [{ reason: 'environment-file-missing' as const, file }]),
    ...config.secrets
      .filter((name) => secrets[name] === undefined)
      .map((name) => ({ reason: 'secret-missing' as const, name })),
    ...Object.entries(secrets).flatMap(([name, value]): PlanError[] =>
      value?.includes('\0') ? [{ reason: 'unsafe-value', key: `secrets.${name}`, detail: 'holds NUL' }] : [],
    ),
    ...[...config.secrets, ...Object.keys(config.env)]
      .filter((name) => !/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      .map((name): PlanError => ({ reason: 'unsafe-value', key: name, detail: 'is no name of a variable' })),
  ];
}
