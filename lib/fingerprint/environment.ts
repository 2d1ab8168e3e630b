import type { Json } from '../base/canonical-json.ts';
import { err, ok, type Result } from '../base/result.ts';
import { unreachable } from '../base/unreachable.ts';
import type { Config } from '../config/types.ts';
import { lockDrift } from './environment-lock.ts';
import type { EnvironmentError } from './errors.ts';
import { hashText } from './meaning.ts';
import { type ReadText, readRequirements } from './requirements.ts';

export interface EnvironmentInputs {
  readonly specification: Json;
  /** Files that count here, and therefore not as code. */
  readonly files: readonly string[];
}

/** The environment by what it asks for: docs/fingerprint.md, "Environment". With a lock, by what that says. */
export async function environmentInputs(
  config: Config,
  readText: ReadText,
): Promise<Result<EnvironmentInputs, EnvironmentError>> {
  const { environment } = config;
  if (!('locks' in environment) || environment.locks === undefined) return ownInputs(config, readText);
  const { locks: source } = environment;
  const [asked, text] = [
    await ownInputs({ ...config, environment: source }, readText),
    await readText(environment.file),
  ];
  if (!asked.ok) return asked;
  if (text === undefined) return err({ reason: 'lock-missing', path: environment.file });
  const changes = lockDrift(text, asked.value.specification);
  if (changes.length > 0) return err({ reason: 'lock-drift', path: environment.file, changes });
  const locked = await ownInputs(config, readText);
  return locked.ok
    ? ok({ ...locked.value, files: [...new Set([...locked.value.files, ...asked.value.files])] })
    : locked;
}

async function ownInputs(config: Config, readText: ReadText): Promise<Result<EnvironmentInputs, EnvironmentError>> {
  const { environment } = config;
  const modules = config.cluster?.modules ?? [];
  const done = (specification: { readonly [key: string]: Json }, files: readonly string[] = []) =>
    ok({
      specification: { kind: environment.kind, ...specification, ...(modules.length === 0 ? {} : { modules }) },
      files,
    });
  switch (environment.kind) {
    case 'none':
      return done({});
    case 'packages':
      return done({ packages: environment.packages, channels: environment.channels });
    case 'container':
      return done({ image: environment.image });
    case 'prefix':
      return done({ prefix: environment.prefix });
    case 'conda': {
      const read = await readConda(environment.file, readText);
      return read.ok ? done({ conda: read.value.specification }, read.value.files) : read;
    }
    case 'venv': {
      const read = await readRequirements(environment.file, readText);
      const python = environment.python === undefined ? {} : { python: environment.python };
      return read.ok ? done({ requirements: read.value.items, ...python }, read.value.files) : read;
    }
    case 'uv': {
      const lock = await readText(environment.file);
      if (lock === undefined) return err({ reason: 'environment-missing', path: environment.file });
      const project = siblingOf(environment.file, 'pyproject.toml');
      const text = await readText(project);
      return done(
        { lock: hashText(unix(lock)), ...(text === undefined ? {} : { project: hashText(unix(text)) }) },
        text === undefined ? [environment.file] : [environment.file, project],
      );
    }
    default:
      return unreachable(environment);
  }
}

const unix = (text: string) => text.replaceAll('\r\n', '\n');
const siblingOf = (path: string, name: string) => path.slice(0, path.lastIndexOf('/') + 1) + name;

async function readConda(path: string, readText: ReadText): Promise<Result<EnvironmentInputs, EnvironmentError>> {
  const text = await readText(path);
  if (text === undefined) return err({ reason: 'environment-missing', path });
  const lines = text.split(/\r?\n/);
  if (lines.some((line) => line.trim() === '@EXPLICIT')) {
    return ok({ specification: { explicit: explicitLines(lines) }, files: [path] });
  }
  const { parseYaml } = await import('./yaml-text.ts');
  const parsed = parseYaml(text);
  if (!parsed.ok) return err({ reason: 'environment-unreadable', path, detail: parsed.error });
  const value = toJson(parsed.value);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return err({ reason: 'environment-unreadable', path, detail: 'not a mapping' });
  }
  // Where the environment is put does not change what is in it.
  const { name: _name, prefix: _prefix, ...rest } = value as { readonly [key: string]: Json };
  const included = await withIncludes(rest.dependencies ?? [], path, readText);
  if (!included.ok) return included;
  const { dependencies, files } = included.value;
  return ok({ specification: { ...rest, dependencies }, files: [path, ...files] });
}

/** What `conda list --explicit` prints. Of its comments count those of our own lock.txt, which name what pip had installed. */
const explicitLines = (lines: readonly string[]): readonly string[] =>
  lines
    .map((line) => line.trim())
    .filter((line) => line !== '' && (!line.startsWith('#') || line.startsWith('# pip: ')));

/** `- pip: ["-r requirements.txt"]` brings another file in. */
async function withIncludes(
  dependencies: Json,
  path: string,
  readText: ReadText,
): Promise<Result<{ readonly dependencies: Json; readonly files: readonly string[] }, EnvironmentError>> {
  if (!Array.isArray(dependencies)) return ok({ dependencies, files: [] });
  const out: Json[] = [];
  const files: string[] = [];
  for (const dependency of dependencies as readonly Json[]) {
    const pip =
      typeof dependency === 'object' && dependency !== null && 'pip' in dependency ? dependency.pip : undefined;
    if (!Array.isArray(pip)) {
      out.push(dependency);
      continue;
    }
    const lines = (pip as readonly Json[]).filter((line) => typeof line === 'string');
    const read = await readRequirements(path, readText, lines.join('\n'));
    if (!read.ok) return read;
    out.push({ pip: read.value.items });
    files.push(...read.value.files.filter((file) => file !== path));
  }
  return ok({ dependencies: out, files });
}

/** YAML knows values that JSON does not: .nan, .inf, timestamps. Their text is as good. */
function toJson(value: unknown): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, toJson(member)]));
  }
  return String(value);
}
