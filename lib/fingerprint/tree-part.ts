import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../base/canonical-json.ts';
import type { Oid } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Config } from '../config/types.ts';
import { readBlobs } from '../git/blobs.ts';
import type { Repository } from '../git/repository.ts';
import { readTree, type TreeEntry } from '../git/tree.ts';
import { type CodePart, codePart } from './code.ts';
import type { PathEntry } from './data-entry.ts';
import { type DvcPointers, dvcPointers, noDvcPointers, readDvcPointers } from './dvc-pointers.ts';
import { environmentInputs } from './environment.ts';
import type { FingerprintError } from './errors.ts';
import { hashJson, hashText } from './meaning.ts';
import { readStateFile, type StateKind, writeCacheFile } from './state-file.ts';
import { stepDefinition, textOf } from './steps.ts';
import { noTrackedData, type TrackedData, trackedData } from './tracked.ts';

/** What comes from the commit's tree alone; a commit never changes, so this is computed once. */
export interface TreePart extends CodePart {
  readonly environment: Json;
  /** What of the data the tree holds, by path and object; empty: nothing. */
  readonly tracked: string;
  /** DVC's pointers in the tree, by path and object; empty: there are none. */
  readonly dvc: string;
}

export interface TreeContext {
  readonly repository: Repository;
  readonly commit: Oid;
  readonly config: Config;
  readonly entries: readonly PathEntry[];
  readonly signal?: AbortSignal;
  readonly onBlobRead: () => void;
  readonly onDamaged: (path: string) => void;
}

// Raised when the same commit and config would give another part: the cache must forget what an older program computed.
const partKind = { kind: 'mlops-tree', version: 2 };
const trackedKind = { kind: 'mlops-tracked', version: 1 };
const dvcKind = { kind: 'mlops-dvc', version: 1 };

export async function treePart(context: TreeContext): Promise<Result<TreePart, FingerprintError>> {
  return cached(context, partKind, keyOf(context), async () => {
    const { repository, config, entries } = context;
    const tree = await readTree(repository, context.commit);
    if (!tree.ok) return err({ reason: 'git', error: tree.error });
    const read = await environmentOf(context, tree.value);
    if (!read.ok) return read;
    const inEnvironment = new Set(read.value.files);
    const code = await codePart({
      place: repository,
      stateDir: repository.stateDir,
      config,
      tree: tree.value,
      isElsewhere: (path) =>
        inEnvironment.has(path) || entries.some((entry) => entry.matches(path) || isPointer(entry, path)),
      onBlobRead: context.onBlobRead,
      onDamaged: context.onDamaged,
    });
    if (!code.ok) return err({ reason: 'git', error: code.error });
    const tracked = trackedKey(entries, tree.value);
    return ok({ ...code.value, environment: read.value.specification, tracked, dvc: dvcKey(entries, tree.value) });
  });
}

/** DVC's pointer beside a file that is data here: the content counts already. */
const isPointer = (entry: PathEntry, path: string) => path.endsWith('.dvc') && entry.matches(path.slice(0, -4));

async function environmentOf({ repository, config, onBlobRead }: TreeContext, tree: readonly TreeEntry[]) {
  const byPath = new Map(tree.map((entry) => [entry.path, entry]));
  let failure: FingerprintError | undefined;
  const read = await environmentInputs(config, async (path) => {
    const entry = byPath.get(path);
    if (entry === undefined || entry.mode === '160000') return undefined;
    let text: string | undefined;
    const done = await readBlobs(repository, [entry.oid], (_, content) => {
      onBlobRead();
      text = content.toString('utf8');
    });
    if (!done.ok) failure = { reason: 'git', error: done.error };
    return text;
  });
  return failure === undefined ? read : err(failure);
}

function trackedKey(entries: readonly PathEntry[], tree: readonly TreeEntry[]): string {
  const lines = entries.flatMap((entry, index) =>
    tree.flatMap(({ path, mode, oid }) => (entry.matches(path) ? [`${index} ${mode} ${oid} ${path}`] : [])),
  );
  return lines.length === 0 ? '' : hashText(lines.join('\0')).slice(0, 32);
}

/** The data of the commit itself, by content, in the order of the entries. Undefined: aborted. */
export async function trackedPart(
  context: TreeContext,
  { tracked: key }: TreePart,
): Promise<Result<readonly TrackedData[] | undefined, FingerprintError>> {
  const { repository, entries } = context;
  if (key === '') return ok(entries.map(() => noTrackedData));
  return cached(context, trackedKind, key, async () => {
    const tree = await readTree(repository, context.commit);
    if (!tree.ok) return err({ reason: 'git', error: tree.error });
    const tracked = await trackedData(
      { ...context, place: repository, stateDir: repository.stateDir, tree: tree.value },
      entries,
    );
    return tracked.ok ? tracked : err({ reason: 'git', error: tracked.error });
  });
}

function dvcKey(entries: readonly PathEntry[], tree: readonly TreeEntry[]): string {
  const lines = entries.length === 0 ? [] : dvcPointers(tree).map(({ oid, path }) => `${oid} ${path}`);
  return lines.length === 0 ? '' : hashText(lines.join('\0')).slice(0, 32);
}

/** What DVC tracks, by the commit's pointers. */
export async function dvcPart(context: TreeContext, { dvc }: TreePart): Promise<Result<DvcPointers, FingerprintError>> {
  if (dvc === '') return ok(noDvcPointers);
  return cached(context, dvcKind, dvc, async () => {
    const tree = await readTree(context.repository, context.commit);
    if (!tree.ok) return err({ reason: 'git', error: tree.error });
    const read = await readDvcPointers(context.repository, dvcPointers(tree.value));
    return read.ok ? read : err({ reason: 'git', error: read.error });
  });
}

/** Everything of the config that the parts depend on, besides the commit. */
function keyOf({ commit, config, entries }: TreeContext): string {
  return hashJson({
    commit,
    code: config.code,
    data: entries.map((entry) => [entry.name, entry.glob]),
    environment: config.environment,
    modules: config.cluster?.modules ?? [],
    env: config.env,
    setup: config.setup,
    steps: config.steps.map((step) => [stepDefinition(step), textOf(step)]),
  }).slice(0, 32);
}

async function cached<Part>(
  context: TreeContext,
  kind: StateKind,
  key: string,
  compute: () => Promise<Result<Part, FingerprintError>>,
): Promise<Result<Part, FingerprintError>> {
  const folder = join(context.repository.stateDir, 'cache', 'commits');
  const path = join(folder, `${kind.kind}-${key}`);
  const file = readStateFile(path, kind);
  if (file.state === 'there') return ok(file.value as Part);
  if (file.state === 'damaged') context.onDamaged(path);
  const part = await compute();
  if (part.ok && part.value !== undefined && writeCacheFile(path, kind, part.value as Json)) keepNewest(folder);
  return part;
}

const kept = 40;

/** A few commits are asked again and again (a push, its baseline, amends); the rest can be computed again. */
function keepNewest(folder: string): void {
  const names = readdirSync(folder);
  if (names.length <= kept * 2) return;
  const aged = names
    .map((name) => ({ name, time: statSync(join(folder, name), { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .sort((a, b) => b.time - a.time);
  for (const { name } of aged.slice(kept)) rmSync(join(folder, name), { force: true });
}
