import { createHash } from 'node:crypto';
import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalJson } from '../base/canonical-json.ts';
import type { Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { cachedConfig } from '../config/cached-config.ts';
import type { Config, Diagnostic, LoadedConfig } from '../config/types.ts';
import { ownSettings } from '../git/config-values.ts';
import type { GitError } from '../git/errors.ts';
import type { Repository } from '../git/repository.ts';
import { git } from '../git/spawn.ts';

export const configPath = '.mlops/config.yaml';

export type PipelineError =
  /** `inWorktree`: it is written, and not committed. */
  | { readonly reason: 'no-config'; readonly commit: Oid; readonly inWorktree: boolean }
  | { readonly reason: 'config-invalid'; readonly commit: Oid; readonly diagnostics: readonly Diagnostic[] }
  | { readonly reason: 'git'; readonly cause: GitError };

/** One person's values for keys under `cluster:`. */
const personal = 'mlops.cluster.';

interface ConfigSource {
  readonly oid: string;
  readonly overrides: ReadonlyMap<string, string>;
}

type Pipeline = Promise<Result<Config, PipelineError>>;
const read = new WeakMap<Repository, Map<Oid, Pipeline>>();

/**
 * The pipeline of a commit: the config as committed, with this person's `git config mlops.cluster.*` over it. Cached by content; and
 * asked once for a repository that is open, because neither the commit nor the settings change under one command.
 */
export function readPipeline(repo: Repository, commit: Oid): Pipeline {
  const ofRepository = read.get(repo) ?? new Map<Oid, Pipeline>();
  read.set(repo, ofRepository);
  const known = ofRepository.get(commit) ?? loadPipeline(repo, commit);
  ofRepository.set(commit, known);
  return known;
}

async function loadPipeline(repo: Repository, commit: Oid): Pipeline {
  const source = await findConfig(repo, commit);
  if (!source.ok) return source;
  const key = createHash('sha256')
    .update(canonicalJson([source.value.oid, [...source.value.overrides].sort()]))
    .digest('hex');
  return cachedConfig(repo.stateDir, key, async () => {
    const loaded = await parse(repo, commit, source.value);
    return loaded.ok ? ok(loaded.value.config) : loaded;
  });
}

/** The same with its warnings, and with the places of its keys, for screens that say which line to change. */
export async function readPipelineText(repo: Repository, commit: Oid): Promise<Result<LoadedConfig, PipelineError>> {
  const source = await findConfig(repo, commit);
  return source.ok ? parse(repo, commit, source.value) : source;
}

async function findConfig(repo: Repository, commit: Oid): Promise<Result<ConfigSource, PipelineError>> {
  const [found, overrides] = await Promise.all([
    git(repo, ['ls-tree', '-z', '--full-tree', commit, '--', configPath]),
    readOverrides(repo),
  ]);
  if (!found.ok) return err({ reason: 'git', cause: found.error });
  if (!overrides.ok) return err({ reason: 'git', cause: overrides.error });
  const oid = /^\d+ blob ([0-9a-f]+)\t/.exec(found.value.stdout.toString())?.[1];
  if (oid === undefined) return err({ reason: 'no-config', commit, inWorktree: await isInWorktree(repo) });
  return ok({ oid, overrides: overrides.value });
}

async function readOverrides(repo: Repository): Promise<Result<ReadonlyMap<string, string>, GitError>> {
  const values = await ownSettings(repo);
  if (!values.ok) return values;
  const mine = [...values.value].filter(([key]) => key.startsWith(personal));
  return ok(new Map(mine.map(([key, value]) => [key.slice('mlops.'.length), value])));
}

export type DraftError =
  | { readonly reason: 'no-draft' }
  | { readonly reason: 'draft-invalid'; readonly diagnostics: readonly Diagnostic[] }
  | { readonly reason: 'git'; readonly cause: GitError };

/** The config as it is in the worktree, for what is done before it is committed. */
export async function readDraft(repo: Repository): Promise<Result<Config, DraftError>> {
  const overrides = await readOverrides(repo);
  if (!overrides.ok) return err({ reason: 'git', cause: overrides.error });
  if (!(await isInWorktree(repo))) return err({ reason: 'no-draft' });
  const { loadConfig } = await import('../config/load-config.ts');
  const loaded = loadConfig(await readFile(join(repo.top ?? '', configPath)), configPath, overrides.value);
  return loaded.ok ? ok(loaded.value.config) : err({ reason: 'draft-invalid', diagnostics: loaded.error });
}

async function isInWorktree(repo: Repository): Promise<boolean> {
  if (repo.top === undefined) return false;
  return access(join(repo.top, configPath)).then(
    () => true,
    () => false,
  );
}

async function parse(
  repo: Repository,
  commit: Oid,
  source: ConfigSource,
): Promise<Result<LoadedConfig, PipelineError>> {
  const blob = await git(repo, ['cat-file', 'blob', source.oid]);
  if (!blob.ok) return err({ reason: 'git', cause: blob.error });
  const { loadConfig } = await import('../config/load-config.ts');
  const loaded = loadConfig(blob.value.stdout, configPath, source.overrides);
  return loaded.ok ? loaded : err({ reason: 'config-invalid', commit, diagnostics: loaded.error });
}
