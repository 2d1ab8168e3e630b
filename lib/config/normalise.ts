import { environmentKinds } from './environment-schema.ts';
import type { Path } from './path.ts';
import { parseLimit } from './quantity.ts';
import { tidyPath } from './repository-path.ts';
import type { Written } from './schema.ts';
import type {
  BuildJob,
  Cluster,
  Config,
  DataEntry,
  Environment,
  Limits,
  Metrics,
  Requirement,
  Resources,
  Seeds,
  Step,
} from './types.ts';
import { parseMargin, parseMem, parseSignal, parseTime } from './units.ts';
import { wholeFloats } from './whole-numbers.ts';

/** A scalar as it was typed: `1.10` in `env` is the text 1.10. */
type Typed = (path: Path) => string | undefined;
type Optional<T> = { readonly [Key in keyof T]?: T[Key] | undefined };

const oneHour = 3600;

/** Fills in every default. The document has passed the schema and the rules. */
export function normalise(written: Written, typed: Typed): Config {
  const resources = readResources(written.resources, { seconds: oneHour }, ['resources'], typed);
  const requirements = Object.entries(written.require ?? {}).map(([metric, bounds]) => [
    metric,
    readRequirement(metric, bounds),
  ]);
  const push = Object.entries(written.push ?? { '*': 'gate' as const }).map(([pattern, policy]) => ({
    pattern,
    policy,
  }));
  return defined<Config>({
    version: 1,
    cluster: written.cluster === undefined ? undefined : readCluster(written.cluster, typed),
    resources,
    code: written.code ?? ['**'],
    data: (written.data ?? []).map(readData),
    environment: readEnvironment(written.environment, typed),
    steps: written.steps.map((step, index) => readStep(step, index, resources, typed)),
    require: Object.fromEntries(requirements) as Config['require'],
    artifacts: written.artifacts ?? [],
    retry: { infrastructure: written.retry?.infrastructure ?? 1 },
    env: texts(written.env, ['env'], typed),
    secrets: written.secrets ?? [],
    setup: written.setup,
    push,
    onCommit: written.on_commit ?? 'record',
    supersede: written.supersede,
    publish: written.publish ?? 'full',
    reports: written.reports === undefined || written.reports === '.mlops' ? 'mlops' : written.reports,
  });
}

/** JSON has no undefined, and the config is cached as JSON. */
function defined<T extends object>(value: Optional<T>): T {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as T;
}

function texts(values: Readonly<Record<string, string | number | boolean>> | undefined, at: Path, typed: Typed) {
  return Object.fromEntries(
    Object.entries(values ?? {}).map(([key, value]) => [
      key,
      typeof value === 'string' ? value : (typed([...at, key]) ?? String(value)),
    ]),
  );
}

function readCluster(written: NonNullable<Written['cluster']>, typed: Typed): Cluster {
  return defined<Cluster>({
    host: written.host,
    workdir: written.workdir ?? '',
    modules: written.modules ?? [],
    slurm: readSlurm(written.slurm, ['cluster', 'slurm'], typed),
    transport: written.transport ?? 'auto',
    group: written.group,
    requireMaster: written.require_master ?? false,
  });
}

function readSlurm(written: NonNullable<Written['cluster']>['slurm'], at: Path, typed: Typed): Cluster['slurm'] {
  const options = Object.entries(written ?? {}).map(([option, value]) => [
    option,
    value === true ? true : typeof value === 'string' ? value : (typed([...at, option]) ?? String(value)),
  ]);
  return Object.fromEntries(options) as Cluster['slurm'];
}

function readResources(written: Written['resources'], base: Resources, at: Path, typed: Typed): Resources {
  // Under %YAML 1.1 an unquoted 01:00:00 is the number 3600: what was typed says what was meant.
  const time = written?.time === undefined ? undefined : (typedTime(typed([...at, 'time'])) ?? String(written.time));
  return defined<Resources>({
    seconds: (time === undefined ? undefined : parseTime(time)) ?? base.seconds,
    mem: (written?.mem === undefined ? undefined : parseMem(String(written.mem))) ?? base.mem,
    cpus: written?.cpus ?? base.cpus,
    gpus: written?.gpus ?? base.gpus,
    signal: (written?.signal === undefined ? undefined : parseSignal(written.signal)) ?? base.signal,
  });
}
const typedTime = (text: string | undefined): string | undefined => (text?.includes(':') === true ? text : undefined);

function readData(entry: NonNullable<Written['data']>[number]): DataEntry {
  if (typeof entry === 'string') return { kind: 'path', path: tidyPath(entry), writable: false };
  if (entry.cluster !== undefined)
    return {
      kind: 'cluster',
      cluster: entry.cluster,
      as: tidyPath(entry.as ?? ''),
      fingerprint: entry.fingerprint ?? 'stat',
    };
  return { kind: 'path', path: tidyPath(entry.path ?? ''), writable: entry.writable ?? false };
}

/** With a lock that is what the environment is made from; what it was resolved from is kept beside it, to be compared. */
function readEnvironment(written: Written['environment'], typed: Typed): Environment {
  const environment = readSource(written, typed);
  if (written === undefined || written === 'none' || written.lock === undefined) return environment;
  const file = tidyPath(written.lock);
  switch (environment.kind) {
    case 'conda':
      return { ...environment, file, locks: environment };
    case 'packages': {
      const { packages: _packages, channels: _channels, ...common } = environment;
      return { ...common, kind: 'conda', file, locks: environment };
    }
    case 'venv':
      return { ...environment, file, locks: environment };
    default:
      return environment; // the rules have refused it
  }
}

function readSource(written: Written['environment'], typed: Typed): Environment {
  if (written === undefined || written === 'none') return { kind: 'none' };
  const common = defined<Pick<BuiltEnvironment, 'name' | 'kernel' | 'manager' | 'packed' | 'buildOn'>>({
    name: written.name,
    kernel: written.kernel,
    manager: written.manager,
    packed: written.packed === true ? true : undefined,
    buildOn: readBuildOn(written.build_on, typed),
  });
  const kind = environmentKinds.find((candidate) => written[candidate] !== undefined);
  switch (kind) {
    case 'venv':
      return {
        kind,
        file: tidyPath(written.venv ?? ''),
        ...common,
        ...(written.python === undefined ? {} : { python: written.python }),
      };
    case 'conda':
    case 'uv':
      return { kind, file: tidyPath(written[kind] ?? ''), ...common };
    case 'packages':
      return { kind, packages: written.packages ?? [], channels: written.channels ?? [], ...common };
    case 'container':
      return { kind, image: written.container ?? '', ...common };
    case 'prefix':
      return { kind, prefix: written.prefix ?? '', ...common };
    case undefined:
      return { kind: 'none' };
  }
}

type BuiltEnvironment = Exclude<Environment, { readonly kind: 'none' }>;
type WrittenEnvironment = Exclude<NonNullable<Written['environment']>, string>;
function readBuildOn(written: WrittenEnvironment['build_on'], typed: Typed): 'job' | 'login' | BuildJob {
  if (typeof written !== 'object') return written ?? 'job';
  const { slurm, ...resources } = written;
  const at = ['environment', 'build_on'];
  return {
    ...readResources(resources, { seconds: oneHour }, at, typed),
    slurm: readSlurm(slurm, [...at, 'slurm'], typed),
  };
}

function readStep(written: Written['steps'][number], index: number, base: Resources, typed: Typed): Step {
  const floats = wholeFloats(written, ['steps', index], typed);
  const common = {
    floats: floats.length === 0 ? undefined : floats,
    resources:
      written.resources === undefined
        ? undefined
        : readResources(written.resources, base, ['steps', index, 'resources'], typed),
    seeds: written.seeds === undefined ? undefined : defined<Seeds>(written.seeds),
    matrix: written.matrix,
    throttle: written.throttle,
    cwd: written.cwd === undefined || tidyPath(written.cwd) === '.' ? undefined : tidyPath(written.cwd),
    metrics: written.metrics === undefined ? undefined : readMetrics(written.metrics),
    curves: written.curves,
  };
  if (written.notebook !== undefined)
    return defined<Step>({
      kind: 'notebook',
      notebook: tidyPath(written.notebook),
      parameters: written.parameters ?? {},
      ...common,
    });
  return defined<Step>({ kind: 'run', run: written.run ?? '', junit: written.junit, ...common });
}

function readMetrics(written: 'scrapbook' | Readonly<Record<string, string>>): Metrics {
  if (written === 'scrapbook') return { kind: 'scrapbook' };
  const { file } = written;
  return file === undefined ? { kind: 'expressions', expressions: written } : { kind: 'file', file };
}

function readRequirement(key: string, written: NonNullable<Written['require']>[string]): Requirement {
  return defined<Requirement>({
    ...readLimits(key, written),
    equals: parseLimit(key, written.equals),
    baseline: written.baseline,
    warn: written.warn === undefined ? undefined : readLimits(key, written.warn),
    goal: written.goal === undefined ? undefined : readLimits(key, written.goal),
    withoutBaseline: written.without_baseline ?? 'warn',
    undecided: written.undecided,
  });
}

type WrittenLimits = Pick<NonNullable<Written['require']>[string], 'min' | 'max' | 'max_drop' | 'max_rise'>;

const readLimits = (key: string, written: WrittenLimits): Limits =>
  defined<Limits>({
    min: parseLimit(key, written.min),
    max: parseLimit(key, written.max),
    maxDrop: written.max_drop === undefined ? undefined : parseMargin(written.max_drop),
    maxRise: written.max_rise === undefined ? undefined : parseMargin(written.max_rise),
  });
