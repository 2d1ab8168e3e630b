import type { Oid } from '../base/ids.ts';
import { ok, type Result } from '../base/result.ts';
import type { Config } from '../config/types.ts';
import { type BlobError, readBlobs } from '../git/blobs.ts';
import type { GitPlace } from '../git/spawn.ts';
import { readTreePaths, type TreeError } from '../git/tree.ts';
import { compareData, type DataComparison } from './compare-data.ts';
import { type CellChange, diffCells } from './diff-cells.ts';
import { type Change, explainDifference } from './differences.ts';
import { environmentChanges, type ItemChange, listChanges } from './environment-changes.ts';
import { lockedPackages } from './locked-packages.ts';
import { parseNotebook } from './notebook.ts';
import type { Fingerprinted } from './types.ts';

/** A change with what is known of its inside. */
export type Explained = Change & Inside;
export interface Inside {
  /** Of a notebook that is one on both sides. */
  readonly cells?: readonly CellChange[];
  /** Of data whose files are known on both sides. */
  readonly files?: DataComparison;
  /** Of an environment. */
  readonly items?: readonly ItemChange[];
}

/** One side of a comparison: a commit, and what it is. */
export interface Explainable extends Omit<Fingerprinted, 'fingerprint'> {
  readonly commit: Oid;
  readonly config: Pick<Config, 'environment'>;
}

/** What changed from `a` to `b`, down to the cells, the files and the packages. */
export async function explain(
  place: GitPlace,
  a: Explainable,
  b: Explainable,
): Promise<Result<readonly Explained[], TreeError | BlobError>> {
  const changes = explainDifference(a.inputs, b.inputs);
  const notebooks = changes.flatMap((change) => (isEditedNotebook(change) ? [change.path] : []));
  const asksLock = changes.some(({ kind }) => kind === 'environment');
  const read = (side: Explainable) => texts(place, side.commit, [...notebooks, ...(asksLock ? lockOf(side) : [])]);
  const [before, after] = await Promise.all([read(a), read(b)]);
  if (!before.ok) return before;
  if (!after.ok) return after;
  return ok(
    changes.map((change): Explained => {
      if (isEditedNotebook(change)) {
        const cells = cellsOf(before.value.get(change.path), after.value.get(change.path));
        return cells === undefined ? change : { ...change, cells };
      }
      if (change.kind === 'data') {
        const [old, now] = [a.data[change.entry], b.data[change.entry]];
        return old === undefined || now === undefined ? change : { ...change, files: compareData(old, now) };
      }
      if (change.kind === 'environment' && change.before !== undefined && change.after !== undefined) {
        const [old, now] = [lockText(a, before.value), lockText(b, after.value)];
        return { ...change, items: itemsOf(environmentChanges(change.before, change.after), old, now) };
      }
      return change;
    }),
  );
}

const lockOf = ({ config: { environment } }: Explainable): readonly string[] =>
  environment.kind === 'uv' ? [environment.file] : [];
const lockText = (side: Explainable, texts: ReadonlyMap<string, string>): string | undefined =>
  lockOf(side).map((path) => texts.get(path))[0];

/** A lock file counts by its hash; where its packages tell the difference, they are told instead. */
function itemsOf(
  items: readonly ItemChange[],
  before: string | undefined,
  after: string | undefined,
): readonly ItemChange[] {
  if (before === undefined || after === undefined) return items;
  return items.flatMap((item) => {
    if (item.where !== 'lock') return [item];
    const packages = listChanges('lock.packages', lockedPackages(before), lockedPackages(after));
    return packages.length === 0 ? [item] : packages;
  });
}

type Edited = Extract<Change, { kind: 'code' | 'notebook' }>;
const isEditedNotebook = (change: Change): change is Edited =>
  change.kind === 'notebook' && change.before?.kind === 'notebook' && change.after?.kind === 'notebook';

async function texts(
  place: GitPlace,
  commit: Oid,
  paths: readonly string[],
): Promise<Result<ReadonlyMap<string, string>, TreeError | BlobError>> {
  const tree = await readTreePaths(place, commit, paths);
  if (!tree.ok) return tree;
  const byOid = new Map<Oid, string>();
  const read = await readBlobs(place, [...new Set(tree.value.map(({ oid }) => oid))], (oid, content) => {
    byOid.set(oid, content.toString('utf8'));
  });
  if (!read.ok) return read;
  return ok(new Map(tree.value.map(({ path, oid }) => [path, byOid.get(oid) ?? ''])));
}

function cellsOf(before: string | undefined, after: string | undefined): readonly CellChange[] | undefined {
  const [old, now] = [before, after].map((text) => (text === undefined ? undefined : parseNotebook(text)));
  return old?.ok && now?.ok ? diffCells(old.value, now.value) : undefined;
}
