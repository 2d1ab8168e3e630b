import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { err, ok, type Result } from '../base/result.ts';
import {
  type ProposalFacts,
  type ProposedSteps,
  proposeConfig,
  proposedSteps,
  proposeRequirements,
} from '../config/propose.ts';
import type { Diagnostic } from '../config/types.ts';
import type { GitError } from '../git/errors.ts';
import type { HookAction, HookError } from '../git/hooks-file.ts';
import { type HookOptions, installHooks } from '../git/hooks-install.ts';
import type { HookPlace } from '../git/hooks-place.ts';
import { addSetting, displayRef, fetchNotes, mainRemote, type Setting, setSetting } from '../git/local-settings.ts';
import type { Repository } from '../git/repository.ts';
import { scan } from './init-scan.ts';

export const configFile = '.mlops/config.yaml';
const schemaFile = '.mlops/schema.json';

export interface InitOptions extends HookOptions {
  /** Whether a conda environment could be built on this machine. */
  readonly hasConda: boolean;
}

/** Everything that was done, in order, and what could not be done. Doing it again changes nothing. */
export interface InitReport {
  readonly files: readonly WrittenFile[];
  /** Undefined: a config was there. */
  readonly proposal?: Proposal;
  /** What is wrong with the config that is there now. */
  readonly diagnostics: readonly Diagnostic[];
  readonly place?: HookPlace;
  readonly hooks: readonly HookAction[];
  readonly settings: readonly Setting[];
  /** Whose fetch brings the notes; undefined: there is no remote yet. */
  readonly remote?: string;
  readonly failures: readonly InitFailure[];
  readonly changed: boolean;
}
export interface WrittenFile {
  /** Relative to the top. */
  readonly path: string;
  readonly outcome: 'written' | 'updated' | 'kept';
}
export interface Proposal {
  readonly facts: ProposalFacts;
  readonly steps: ProposedSteps;
  readonly unreadable: readonly string[];
  readonly otherLanguages: readonly string[];
}
export type InitFailure =
  | { readonly part: 'files'; readonly reason: 'not-writable'; readonly file: string; readonly detail: string }
  | { readonly part: 'hooks'; readonly error: HookError }
  | { readonly part: 'settings'; readonly error: GitError };
export type InitError = { readonly reason: 'bare-repository' } | GitError;

/**
 * Sets a repository up: config, hooks, settings. Parts that fail are named and the others are done all the same, so that a
 * read-only .git still gets its config. Called by the user's own hand, so it counts as trust.
 */
export async function init(repository: Repository, options: InitOptions): Promise<Result<InitReport, InitError>> {
  const { top } = repository;
  if (top === undefined) return err({ reason: 'bare-repository' });
  const failures: InitFailure[] = [];
  const written = await writeFiles({ ...repository, top }, options.hasConda);
  if (!written.ok) {
    if (!('file' in written.error)) return err(written.error);
    failures.push({ part: 'files', ...written.error });
  }
  const hooks = await installHooks(repository, options);
  if (!hooks.ok) failures.push({ part: 'hooks', error: hooks.error });
  const settings: Setting[] = [];
  let remote: string | undefined;
  const set = await setAll(repository, options, hooks.ok ? hooks.value.place : undefined, settings);
  if (set.ok) remote = set.value;
  else failures.push({ part: 'settings', error: set.error });
  const files = written.ok ? written.value.files : [];
  const actions = hooks.ok ? hooks.value.actions : [];
  return ok({
    files,
    ...(written.ok && written.value.proposal !== undefined ? { proposal: written.value.proposal } : {}),
    diagnostics: await diagnose(top),
    ...(hooks.ok ? { place: hooks.value.place } : {}),
    hooks: actions,
    settings,
    ...(remote === undefined ? {} : { remote }),
    failures,
    changed:
      files.some(({ outcome }) => outcome !== 'kept') ||
      actions.some(({ action }) => action !== 'unchanged') ||
      settings.some(({ outcome }) => outcome !== 'unchanged'),
  });
}

interface WrittenFiles {
  readonly files: readonly WrittenFile[];
  readonly proposal?: Proposal;
}
type FileFailure = Omit<Extract<InitFailure, { part: 'files' }>, 'part'>;

async function writeFiles(
  repository: Repository & { readonly top: string },
  hasConda: boolean,
): Promise<Result<WrittenFiles, FileFailure | GitError>> {
  const { top } = repository;
  try {
    const existing = await readIfThere(join(top, configFile));
    if (existing !== undefined) {
      const files: WrittenFile[] = [{ path: configFile, outcome: 'kept' }];
      if (/\$schema=\.\/schema\.json\s*$/m.test(existing)) files.push(await writeSchema(top));
      return ok({ files });
    }
    const scanned = await scan(repository, hasConda);
    if (!scanned.ok) return scanned;
    const { facts, unreadable, otherLanguages } = scanned.value;
    const files: WrittenFile[] = [await writeSchema(top)];
    if (facts.environment.kind === 'imports') {
      const { file, packages } = facts.environment;
      const kept = (await readIfThere(join(top, file))) !== undefined;
      if (!kept) await write(join(top, file), proposeRequirements(packages));
      files.push({ path: file, outcome: kept ? 'kept' : 'written' });
    }
    // Last: what is there when init is run again is complete.
    await write(join(top, configFile), proposeConfig(facts));
    files.unshift({ path: configFile, outcome: 'written' });
    return ok({ files, proposal: { facts, steps: proposedSteps(facts), unreadable, otherLanguages } });
  } catch (error) {
    if (!isErrno(error)) throw error;
    return err({ reason: 'not-writable', file: error.path ?? join(top, configFile), detail: error.message });
  }
}

/** Beside the config, so that an editor finds it without a network. */
async function writeSchema(top: string): Promise<WrittenFile> {
  const { jsonSchema } = await import('../config/schema.ts');
  const before = await readIfThere(join(top, schemaFile));
  const schema = jsonSchema();
  if (before === schema) return { path: schemaFile, outcome: 'kept' };
  await write(join(top, schemaFile), schema);
  return { path: schemaFile, outcome: before === undefined ? 'written' : 'updated' };
}

async function setAll(
  repository: Repository,
  { program }: InitOptions,
  place: HookPlace | undefined,
  settings: Setting[],
): Promise<Result<string | undefined, GitError>> {
  const remote = await mainRemote(repository);
  if (!remote.ok) return remote;
  const additions: [string, string][] = [[displayRef.key, displayRef.value]];
  if (remote.value !== undefined) additions.push([`remote.${remote.value}.fetch`, fetchNotes]);
  for (const [key, value] of additions) {
    const added = await addSetting(repository, key, value);
    if (!added.ok) return added;
    settings.push(added.value);
  }
  const single: [string, string][] = [['mlops.trusted', 'true']];
  // Files that others get too have no path of this machine in them: it is here.
  if (place !== undefined && place.kind !== 'git')
    single.push(['mlops.node', program.node], ['mlops.program', program.program]);
  for (const [key, value] of single) {
    const set = await setSetting(repository, key, value);
    if (!set.ok) return set;
    settings.push(set.value);
  }
  return ok(remote.value);
}

async function diagnose(top: string): Promise<readonly Diagnostic[]> {
  const text = await readFile(join(top, configFile)).catch(() => undefined);
  if (text === undefined) return [];
  const { loadConfig } = await import('../config/load-config.ts');
  const loaded = loadConfig(text, configFile);
  return loaded.ok ? loaded.value.warnings : loaded.error;
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isErrno(error) && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    await writeFile(temporary, text);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** By its shape: an error of another realm is no instance of our Error. */
const isErrno = (error: unknown): error is NodeJS.ErrnoException =>
  typeof error === 'object' && error !== null && 'code' in error && 'syscall' in error;
