import { lstat, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { asSha256, isSha256, type Sha256, short } from '../base/ids.ts';
import { printableLine } from '../base/printable.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Report } from '../report/types.ts';
import type { KeptFile } from '../verdict/types.ts';

export type KeptKind = 'notebook' | 'log' | 'artifact';

export interface KeptOptions {
  readonly what: KeptKind;
  /** Of an artifact: its path, or the last part of it. */
  readonly name?: string;
  /** The user's current folder. */
  readonly cwd: string;
  /** `-o`: a file, or a folder that is there. Absent: names of our own in the current folder. */
  readonly output?: string;
  /** Whether a file that is there may be replaced. */
  readonly force: boolean;
}

/** What is to be brought, and where to. Nothing has been touched yet. */
export interface KeptPlan {
  readonly files: readonly { readonly from: KeptFile; readonly sha256: Sha256; readonly to: string }[];
  readonly force: boolean;
  /** Where the report says that the content is. */
  readonly store?: string;
}

export type KeptError =
  /** A skipped push: nothing ran. */
  | { readonly reason: 'no-run' }
  /** `publish: metrics`: the report does not name the files of its run. */
  | { readonly reason: 'metrics-only' }
  /** The run left none of that kind: it ended before, or it has no notebook step. */
  | { readonly reason: 'none-kept'; readonly what: KeptKind }
  /** None of that name is among those that the report lists. */
  | { readonly reason: 'no-artifact'; readonly name: string; readonly known: readonly string[] }
  /** Several files do not go into one file; a folder takes them all. */
  | { readonly reason: 'several'; readonly paths: readonly string[]; readonly output: string }
  | { readonly reason: 'exists'; readonly path: string }
  | { readonly reason: 'no-folder'; readonly path: string };

/** `mlops show --notebook`, `--log` and `--artifact`: which of a run's large files, and under which names here. */
export async function planKept(report: Report, options: KeptOptions): Promise<Result<KeptPlan, KeptError>> {
  const { run, store } = report;
  if (run === undefined) return err({ reason: 'no-run' });
  if (report.publish === 'metrics') return err({ reason: 'metrics-only' });
  const all = run.artifacts.filter(({ role, sha256 }) => role === options.what && isSha256(sha256));
  const { name } = options;
  const kept = name === undefined ? all : all.filter(({ path }) => path === name || basename(path) === name);
  if (name !== undefined && kept.length === 0 && all.length > 0)
    return err({ reason: 'no-artifact', name, known: all.map(({ path }) => path) });
  if (kept.length === 0) return err({ reason: 'none-kept', what: options.what });
  const targets = await targetsOf(kept, report, options);
  if (!targets.ok) return targets;
  for (const to of targets.value) {
    if (!options.force && (await isThere(to))) return err({ reason: 'exists', path: to });
  }
  return ok({
    files: kept.map((from, index) => ({ from, sha256: asSha256(from.sha256), to: targets.value[index] ?? '' })),
    force: options.force,
    ...(store === undefined ? {} : { store }),
  });
}

async function targetsOf(
  kept: readonly KeptFile[],
  report: Report,
  { what, cwd, output }: KeptOptions,
): Promise<Result<readonly string[], KeptError>> {
  const names = (what === 'log' ? logNames : namesOf)(kept, report);
  if (output === undefined) return ok(names.map((name) => join(cwd, name)));
  const path = resolve(cwd, output);
  if (await isFolder(path)) return ok(names.map((name) => join(path, name)));
  // Else `-o nowhere/` would make a file called `nowhere`.
  if (output.endsWith('/')) return err({ reason: 'no-folder', path });
  if (kept.length > 1) return err({ reason: 'several', paths: kept.map((file) => file.path), output: path });
  return (await isFolder(resolve(path, '..'))) ? ok([path]) : err({ reason: 'no-folder', path: resolve(path, '..') });
}

/** `mlops.RUN7.log`, and `mlops.RUN7.added.log` of seeds that were added; each task of an array has one, `mlops.RUN7.task-3.log`. */
const logNames = (kept: readonly KeptFile[], report: Report): readonly string[] =>
  kept.map(({ path }) => {
    const task = /^tasks\/(\d+)\//.exec(path)?.[1];
    const of = task === undefined ? (path.startsWith('added/') ? '.added' : '') : `.task-${task}`;
    return `mlops.${short(report.fingerprint)}${of}.log`;
  });

/** `NAME.RUN7.ipynb`, `NAME.RUN7.png`; two of one name in different folders get those before theirs. */
function namesOf(kept: readonly KeptFile[], report: Report): readonly string[] {
  const paths = kept.map(({ path }) => path.replace(/^notebooks\//, ''));
  const bases = paths.map((path) => basename(path));
  const taken = new Set<string>();
  return paths.map((path, index) => {
    const shared = bases.filter((base) => base === bases[index]).length > 1;
    const whole = shared ? path.replaceAll('/', '-') : (bases[index] ?? '');
    const role = kept[index]?.role ?? 'artifact';
    const own = (role === 'notebook' ? /\.ipynb$/ : /(?<=[^.])\.\w{1,10}$/).exec(whole)?.[0] ?? '';
    const ending = role === 'notebook' ? '.ipynb' : own;
    const name = harmless(whole.slice(0, whole.length - own.length), role);
    const unique = taken.has(name) ? `${name}-${index + 1}` : name;
    taken.add(unique);
    return `${unique}.${short(report.fingerprint)}${ending}`;
  });
}

/** A name from a report is anyone's to write: not hidden, no option of a program, no escape sequence, no path. */
const harmless = (name: string, otherwise: string): string => {
  const text = printableLine(name)
    .replace(/[/\\\0]/g, '-')
    .replace(/^[.\-\s]+/, '');
  return Buffer.byteLength(text) > 200 ? [...text].slice(0, 50).join('') : text || otherwise;
};

/** A broken link is there too. */
export const isThere = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );
const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
