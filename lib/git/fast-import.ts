import { asOid, type Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { GitError } from './errors.ts';
import type { Identity } from './history.ts';
import type { Repository } from './repository.ts';
import { git } from './spawn.ts';

/** Paths as git has them, one character per byte (latin1), so that a foreign path in a remote's tree survives. */
export type BytePath = string;
export const bytePath = (path: string): BytePath => Buffer.from(path, 'utf8').toString('latin1');

export type TreeChange =
  | { readonly kind: 'write'; readonly path: BytePath; readonly content: Uint8Array }
  | { readonly kind: 'link'; readonly path: BytePath; readonly mode: string; readonly oid: string }
  | { readonly kind: 'delete'; readonly path: BytePath };

export interface NewCommit {
  /** Its first parent, whose tree the changes start from. */
  readonly base: Oid;
  readonly merges: readonly Oid[];
  readonly message: string;
  readonly changes: readonly TreeChange[];
}

const nobody: Identity = { name: 'mlops', email: 'mlops@localhost' };
export const committerOf = (identity: Identity | undefined): Identity => identity ?? nobody;

/** Writes commits that no ref holds yet, all with one process (git-fast-import(1)). */
export async function importCommits(
  repository: Repository,
  committer: Identity,
  commits: readonly NewCommit[],
): Promise<Result<readonly Oid[], GitError>> {
  return importStream(
    repository,
    commits.map((commit, index) => commitBlock(commit, committer, index)),
    'now',
  );
}

/**
 * The empty commit that every reports branch and every notes history begins with. The same in every clone, so that two
 * first runs that know nothing of each other have a common base.
 */
export async function rootCommit(repository: Repository): Promise<Result<Oid, GitError>> {
  const block = [
    `commit ${scratch(0)}\nmark :1\ncommitter ${nobody.name} <${nobody.email}> 0 +0000\n`,
    data(Buffer.from('Reports and notes of mlops begin here\n')),
  ];
  const made = await importStream(repository, [block], 'raw');
  if (!made.ok) return made;
  const [oid] = made.value;
  if (oid === undefined) throw new Error('fast-import made no commit');
  return ok(oid);
}

const scratch = (index: number) => `refs/mlops/scratch/${index}`;

async function importStream(
  repository: Repository,
  blocks: readonly (readonly (string | Uint8Array)[])[],
  dates: 'now' | 'raw',
): Promise<Result<readonly Oid[], GitError>> {
  // A commit command needs a ref. Reset to zero at the end, it is never written (fast-import writes refs last), so two
  // processes never meet there, and one that is killed leaves no ref behind.
  const zero = '0'.repeat(repository.objectFormat === 'sha1' ? 40 : 64);
  const stream = [
    ...blocks.flat(),
    ...blocks.map((_, index) => `get-mark :${index + 1}\n`),
    ...blocks.map((_, index) => `reset ${scratch(index)}\nfrom ${zero}\n\n`),
    'done\n',
  ].map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part));
  const args = ['fast-import', '--quiet', '--done', `--date-format=${dates}`];
  const output = await git(repository, args, { stdin: Buffer.concat(stream) });
  if (!output.ok) return output;
  const oids = output.value.stdout.toString().trim().split('\n');
  if (oids.length !== blocks.length) {
    return err({
      reason: 'other',
      args,
      code: 0,
      stderr: `fast-import named ${oids.length} commits of ${blocks.length}`,
    });
  }
  return ok(oids.map(asOid));
}

function commitBlock(commit: NewCommit, committer: Identity, index: number): (string | Uint8Array)[] {
  const name = Buffer.from(`${committer.name} <${committer.email}>`).toString('latin1');
  return [
    `commit ${scratch(index)}\nmark :${index + 1}\ncommitter ${name} now\n`,
    data(Buffer.from(commit.message)),
    `from ${commit.base}\n`,
    ...commit.merges.map((oid) => `merge ${oid}\n`),
    ...commit.changes.flatMap(changeLines),
    '\n',
  ];
}

function changeLines(change: TreeChange): (string | Uint8Array)[] {
  switch (change.kind) {
    case 'write':
      return [`M 100644 inline ${quotePath(change.path)}\n`, data(change.content)];
    case 'link':
      return [`M ${change.mode} ${change.oid} ${quotePath(change.path)}\n`];
    case 'delete':
      return [`D ${quotePath(change.path)}\n`];
  }
}

const data = (content: Uint8Array) =>
  Buffer.concat([Buffer.from(`data ${content.length}\n`), content, Buffer.from('\n')]);

/** C-style, which fast-import understands for every path. */
function quotePath(path: BytePath): string {
  return `"${path.replace(/["\\]/g, '\\$&').replaceAll('\n', '\\n')}"`;
}
