import { readFile, stat } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { ok, type Result } from '../base/result.ts';
import type { NotebookFacts, ProposalFacts, ProposedEnvironment } from '../config/propose.ts';
import { assignedMetrics, parameterDefaults, possiblePaths } from '../config/python-code.ts';
import { importedModules, packagesOf } from '../config/python-modules.ts';
import { parseNotebook } from '../fingerprint/notebook.ts';
import type { GitError } from '../git/errors.ts';
import type { Repository } from '../git/repository.ts';
import { git, gitText } from '../git/spawn.ts';

/** The environment file that init writes where there is none. */
export const requirementsFile = '.mlops/requirements.txt';

/** What `mlops init` finds in the worktree. Notebooks that cannot be read are named. */
export interface Scan {
  readonly facts: ProposalFacts;
  readonly unreadable: readonly string[];
  /** Notebooks of other languages: found, and not proposed. */
  readonly otherLanguages: readonly string[];
}

export async function scan(
  repository: Repository & { readonly top: string },
  hasConda: boolean,
): Promise<Result<Scan, GitError>> {
  const { top } = repository;
  const tracked = await list(repository, ['--cached']);
  if (!tracked.ok) return tracked;
  // Folders that are ignored or new as a whole are one entry each: data below them is not listed file by file.
  const fresh = await list(repository, ['--others', '--exclude-standard', '--directory', '--no-empty-directory']);
  if (!fresh.ok) return fresh;
  const ignored = await list(repository, ['--others', '--ignored', '--exclude-standard', '--directory']);
  if (!ignored.ok) return ignored;
  const below = await codeBelow(
    repository,
    fresh.value.filter((path) => path.endsWith('/')),
  );
  if (!below.ok) return below;
  const files = [...tracked.value, ...fresh.value, ...below.value];
  const notebooks = await readNotebooks(top, files.filter(isNotebook).sort(byPlace));
  const readable = notebooks.flatMap((notebook) =>
    notebook.code === undefined ? [] : [{ ...notebook, code: notebook.code }],
  );
  const python = readable.filter(({ language }) => language === 'python');
  const script = files
    .filter((path) => /^(?:src\/|scripts\/)?(?:train|main|run|model)\.py$/.test(path))
    .sort(byPlace)[0];
  const tests = files.some((path) => /(?:^|\/)(?:test_[^/]*|[^/]*_test)\.py$/.test(path));
  const named = new Map<string, Named>();
  for (const { path, code } of python) named.set(path, await namedFiles(top, path, code));
  const branch = await defaultBranch(repository);
  if (!branch.ok) return branch;
  const modules = python.flatMap(({ code }) => importedModules(code));
  const scripts =
    python.length > 0 || script === undefined
      ? []
      : importedModules(await readFile(join(top, script), 'utf8').catch(() => ''));
  const packages = packagesOf(
    [...modules, ...scripts, ...(python.length === 0 && tests ? ['pytest'] : [])],
    localModules(files),
  );
  return ok({
    facts: {
      notebooks: python.map(
        ({ path, parameters, metrics }): NotebookFacts => ({
          path,
          metrics,
          ...startOf(path, named.get(path)),
          ...(parameters === undefined ? {} : { parameters }),
        }),
      ),
      data: findData(files, [...fresh.value, ...ignored.value], [...named.values()].flatMap(pathsOf)),
      environment: environmentOf(files, packages, hasConda),
      tests,
      ...(script === undefined ? {} : { script }),
      defaultBranch: branch.value,
    },
    unreadable: notebooks.filter(({ code }) => code === undefined).map(({ path }) => path),
    otherLanguages: readable.filter(({ language }) => language !== 'python').map(({ path }) => path),
  });
}

async function list(repository: Repository, options: readonly string[]): Promise<Result<readonly string[], GitError>> {
  const output = await git(repository, ['ls-files', '-z', ...options]);
  if (!output.ok) return output;
  return ok([
    ...new Set(
      output.value.stdout
        .toString()
        .split('\0')
        .filter((path) => path !== ''),
    ),
  ]);
}

/** Before the first `git add` a project's own folder is new as a whole: its notebooks and modules are looked for in it. */
async function codeBelow(
  repository: Repository,
  folders: readonly string[],
): Promise<Result<readonly string[], GitError>> {
  const places = folders.filter((folder) => !notCode.test(folder) && !dataName.test(folder.slice(0, -1)));
  if (places.length === 0) return ok([]);
  const found = await list(repository, ['--others', '--exclude-standard', '--', ...places.slice(0, 200)]);
  return found.ok ? ok(found.value.filter((path) => /\.(?:ipynb|py)$/.test(path) && !notCode.test(path))) : found;
}
const notCode = /(?:^|\/)(?:\.[^/]+|node_modules|__pycache__|venv|env|site-packages)\//i;

const isNotebook = (path: string): boolean =>
  path.endsWith('.ipynb') && !/(?:^|\/)(?:\.ipynb_checkpoints|\.mlops)\//.test(path);
const depth = (path: string): number => path.split('/').length;
/** The top first, then by name with numbers as people count them: 2_train after 1_prepare and before 10_report. */
const byPlace = (a: string, b: string): number => depth(a) - depth(b) || a.localeCompare(b, 'en', { numeric: true });

interface ReadNotebook extends NotebookFacts {
  readonly language: string;
  /** All code cells; undefined: it could not be read. */
  readonly code: string | undefined;
}

async function readNotebooks(top: string, paths: readonly string[]): Promise<readonly ReadNotebook[]> {
  return Promise.all(
    // A collection of hundreds is not a pipeline: what is proposed comes from the first ones.
    paths.slice(0, 50).map(async (path): Promise<ReadNotebook> => {
      const text = await readFile(join(top, path), 'utf8').catch(() => undefined);
      const parsed = text === undefined ? undefined : parseNotebook(text);
      if (parsed?.ok !== true) return { path, metrics: [], language: '', code: undefined };
      const cells = parsed.value.cells.filter(({ type }) => type === 'code');
      const parameters = cells.find(({ tags }) => tags.includes('parameters'));
      return {
        path,
        language: parsed.value.language,
        metrics: assignedMetrics(cells.map(({ source }) => source)),
        code: cells.map(({ source }) => source).join('\n'),
        ...(parameters === undefined ? {} : { parameters: parameterDefaults(parameters.source) }),
      };
    }),
  );
}

/** Files and folders that code cells name and that are there. */
interface Named {
  readonly fromOwnFolder: ReadonlySet<string>;
  readonly fromTop: ReadonlySet<string>;
}

async function namedFiles(top: string, path: string, code: string): Promise<Named> {
  const texts = possiblePaths(code).slice(0, 200);
  const there = async (folder: string): Promise<ReadonlySet<string>> => {
    const found = new Set<string>();
    for (const text of texts) {
      const clean = posix.join(folder, text).replace(/\/$/, '');
      if (clean === '.' || clean.startsWith('..') || clean.startsWith('/')) continue;
      if (await isThere(join(top, clean))) found.add(clean);
    }
    return found;
  };
  return { fromOwnFolder: await there(dirname(path)), fromTop: await there('') };
}

const isThere = (path: string): Promise<boolean> =>
  stat(path).then(
    () => true,
    () => false,
  );

const pathsOf = ({ fromOwnFolder, fromTop }: Named): readonly string[] => [...fromOwnFolder, ...fromTop];

/** A notebook was written where Jupyter starts it, in its own folder, unless what it names is found from the top alone. */
function startOf(path: string, named: Named | undefined): Pick<NotebookFacts, 'cwd'> {
  const folder = dirname(path);
  const fromTopAlone = named !== undefined && named.fromOwnFolder.size === 0 && named.fromTop.size > 0;
  return folder === '.' || fromTopAlone ? {} : { cwd: folder };
}

const dataName = /(?:^|\/)(?:data|dataset|datasets)$/i;
const dataFile =
  /\.(?:csv|tsv|parquet|feather|arrow|npz|npy|h5|hdf5|mat|jsonl|tfrecord|zarr)(?:\.(?:gz|bz2|xz|zst))?$/i;
const notData = /(?:^|\/)(?:\.[^/]+|node_modules|__pycache__|venv|env|site-packages|tests?|docs?|build|dist)(?:\/|$)/i;
const code = /\.(?:py|ipynb|r|jl|sh|md|rst|txt|toml|ya?ml|cfg|ini|lock)$/i;

/** Folders called data, files with the endings of data, and what notebooks name; a file within a folder of the list is in it already. */
function findData(files: readonly string[], untracked: readonly string[], named: readonly string[]): readonly string[] {
  const found = new Set<string>();
  const consider = (path: string): void => {
    if (notData.test(path)) return;
    const folders = path.split('/').slice(0, -1);
    const folder = folders.findIndex((name, index) => index < 2 && dataName.test(name));
    if (folder >= 0 && !code.test(path)) found.add(folders.slice(0, folder + 1).join('/'));
    else if (dataFile.test(path)) found.add(path);
  };
  for (const path of [...files, ...untracked]) {
    // Git names folders with a slash at the end.
    if (path.endsWith('/')) consider(dataName.test(path.slice(0, -1)) ? `${path}file` : path.slice(0, -1));
    // x.dvc stands for x.
    else consider(path.replace(/\.dvc$/, ''));
  }
  for (const path of named) if (!notData.test(path) && !code.test(path) && !isCodeFolder(path, files)) found.add(path);
  const all = [...found].sort(byPlace);
  const outer = all.filter((path) => !all.some((other) => other !== path && path.startsWith(`${other}/`)));
  return outer.length > 20 ? outer.slice(0, 20) : outer;
}

/** `sys.path.append("../src")` names a folder too. */
function isCodeFolder(path: string, files: readonly string[]): boolean {
  const below = files.filter((file) => file.startsWith(`${path}/`));
  return below.length > 0 && below.every((file) => code.test(file));
}

function environmentOf(files: readonly string[], packages: readonly string[], hasConda: boolean): ProposedEnvironment {
  const first = (pattern: RegExp): string | undefined => files.filter((path) => pattern.test(path)).sort(byPlace)[0];
  const conda = first(/^(?:environment|conda|env)\.ya?ml$/);
  const uv = first(/^uv\.lock$/);
  const requirements = first(/^(?:requirements\/)?requirements\.txt$/);
  if (conda !== undefined && (hasConda || (uv === undefined && requirements === undefined)))
    return { kind: 'conda', file: conda };
  if (uv !== undefined) return { kind: 'uv', file: uv };
  if (requirements !== undefined) return { kind: 'venv', file: requirements };
  return packages.length === 0 ? { kind: 'none' } : { kind: 'imports', file: requirementsFile, packages };
}

/** What `import x` finds in the repository itself: files and folders beside a notebook or under src. */
function localModules(files: readonly string[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const path of files) {
    if (!path.endsWith('.py')) continue;
    for (const part of path.split('/')) found.add(part.replace(/\.py$/, ''));
  }
  return found;
}

/** As the remote says, else the branch that is checked out. */
async function defaultBranch(repository: Repository): Promise<Result<string, GitError>> {
  const remote = await gitText(repository, ['symbolic-ref', '--quiet', '--short', 'refs/remotes/origin/HEAD'], {
    okCodes: [1, 128],
  });
  if (!remote.ok) return remote;
  if (remote.value !== '') return ok(remote.value.replace(/^origin\//, ''));
  const local = await gitText(repository, ['symbolic-ref', '--quiet', '--short', 'HEAD'], { okCodes: [1] });
  return local.ok ? ok(local.value === '' ? 'main' : local.value) : local;
}
