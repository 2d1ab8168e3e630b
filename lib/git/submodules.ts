import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import { type OpenError, openRepository, type Repository } from './repository.ts';
import { git } from './spawn.ts';
import { readTree, type TreeEntry, type TreeError } from './tree.ts';

export type SubmoduleError =
  | TreeError
  | OpenError
  /** Its repository is not on this machine, or has not that commit. `looked` names the folders. */
  | {
      readonly reason: 'submodule-missing';
      readonly path: string;
      readonly commit: Oid;
      readonly looked: readonly string[];
    };

export interface TreeOfRepository {
  /** Where the blobs are. */
  readonly repository: Repository;
  /** With paths from the outermost top. Submodules are expanded, so none has mode 160000. */
  readonly entries: readonly TreeEntry[];
}

/** A commit's files with those of its submodules, to any depth; one element per repository, the outermost first. */
export async function readTreeWithSubmodules(
  repository: Repository,
  commit: Oid,
): Promise<Result<readonly TreeOfRepository[], SubmoduleError>> {
  const tree = await readTree(repository, commit);
  if (!tree.ok) return tree;
  const files = tree.value.filter((entry) => entry.mode !== '160000');
  const trees: TreeOfRepository[] = [{ repository, entries: files }];
  for (const submodule of tree.value.filter((entry) => entry.mode === '160000')) {
    const expanded = await expandSubmodule(repository, commit, submodule);
    if (!expanded.ok) return expanded;
    trees.push(...expanded.value);
  }
  return ok(trees);
}

/** The files of one submodule at the commit that `parent` records for it. */
export async function expandSubmodule(
  repository: Repository,
  parent: Oid,
  submodule: TreeEntry,
): Promise<Result<readonly TreeOfRepository[], SubmoduleError>> {
  const looked = await places(repository, parent, submodule.path);
  for (const place of looked.filter(existsSync)) {
    // A repository in modules/ names its checkout (core.worktree), which may be gone: read it as if it were its own.
    const own = place !== checkoutOf(repository, submodule.path);
    const env = own ? { ...repository.env, GIT_DIR: place, GIT_WORK_TREE: place } : repository.env;
    const opened = await openRepository(place, env);
    // A folder in the worktree that is no submodule's checkout is found as the outer repository again.
    if (!opened.ok || opened.value.gitDir === repository.gitDir) continue;
    const trees = await readTreeWithSubmodules(opened.value, submodule.oid);
    if (!trees.ok && (trees.error.reason === 'unknown-revision' || trees.error.reason === 'missing-object')) continue;
    if (!trees.ok) return trees;
    const prefixed = (entry: TreeEntry) => ({ ...entry, path: `${submodule.path}/${entry.path}` });
    return ok(trees.value.map((tree) => ({ ...tree, entries: tree.entries.map(prefixed) })));
  }
  return err({ reason: 'submodule-missing', path: submodule.path, commit: submodule.oid, looked });
}

/** gitrepository-layout(5): `modules/NAME`, in a linked worktree its own; or the checkout, which older gits left whole. */
async function places(repository: Repository, parent: Oid, path: string): Promise<string[]> {
  const name = await nameOf(repository, parent, path);
  const modules =
    name === undefined ? [] : [repository.gitDir, repository.commonDir].map((dir) => join(dir, 'modules', name));
  const checkout = checkoutOf(repository, path);
  return [...new Set([...modules, ...(checkout === undefined ? [] : [checkout])])];
}

const checkoutOf = ({ top }: Repository, path: string) => (top === undefined ? undefined : join(top, path));

async function nameOf(repository: Repository, parent: Oid, path: string): Promise<string | undefined> {
  const args = ['config', '-z', '--blob', `${parent}:.gitmodules`, '--get-regexp', '^submodule\\..*\\.path$'];
  const output = await git(repository, args, { okCodes: [1] });
  // No .gitmodules: a repository added without `git submodule add`; its checkout is the only place.
  if (!output.ok) return undefined;
  for (const record of output.value.stdout.toString().split('\0')) {
    const newline = record.indexOf('\n');
    const name = record.slice('submodule.'.length, newline - '.path'.length);
    // CVE-2018-11235: a name that climbs out of modules/ is an attack.
    if (record.slice(newline + 1) === path && !name.split('/').includes('..')) return name;
  }
  return undefined;
}
