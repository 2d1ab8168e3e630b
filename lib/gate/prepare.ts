import { asSha256, type Oid, type Sha256 } from '../base/ids.ts';
import { err, ok, type Result } from '../base/result.ts';
import type { Source, TreeEntry } from '../cluster/store-types.ts';
import type { DataComparison } from '../fingerprint/compare-data.ts';
import type { FingerprintError } from '../fingerprint/errors.ts';
import type { DataFile } from '../fingerprint/types.ts';
import { openBlob } from '../git/blobs.ts';
import type { Repository } from '../git/repository.ts';
import { readTreeWithSubmodules, type SubmoduleError, type TreeOfRepository } from '../git/submodules.ts';
import type { TreeEntry as GitEntry } from '../git/tree.ts';
import { buildJobOf, buildOptions, isBuiltBefore } from '../job/build-job.ts';
import { planJob } from '../job/plan.ts';
import { type RenderError, renderBuild, renderJob } from '../job/render.ts';
import { readTemplates, TEMPLATE_NAMES, type Templates } from '../job/templates.ts';
import type { JobPlan, PlanError } from '../job/types.ts';
import type { GateContext } from './context.ts';
import { type BlobContent, blobSources, type HashTreeError, hashBlobs } from './hash-tree.ts';
import { type Identified, locateData } from './identify.ts';
import { type PipelineError, readPipelineText } from './pipeline.ts';
import { uncarriedFiles } from './uncarried.ts';
import { type UnreadParameters, unreadParameters } from './unread-parameters.ts';

/** Everything that a submission needs and that can be known on this machine. */
export interface Prepared {
  readonly plan: JobPlan;
  readonly script: string;
  /** Builds the environment before the run's job, where the config asks for that. */
  readonly buildScript?: string;
  readonly tree: readonly TreeEntry[];
  /** The contents of the commit's own files and of the data, once each. */
  readonly contents: readonly { readonly sha256: Sha256; readonly size: number }[];
  /** Those of `wanted` that this machine has. What is missing here may be on the cluster already. */
  sources(wanted: ReadonlySet<Sha256>): AsyncGenerator<Source>;
  /** Data whose content is not on this machine any more, by path. */
  readonly absent: readonly DataFile[];
  readonly difference?: DataComparison;
  /** What notebooks name, is in the worktree, and is not sent. */
  readonly uncarried: readonly string[];
  /** What the config gives to notebooks that have no use for it. */
  readonly unread: readonly UnreadParameters[];
}

export type PrepareError =
  | PlanCommitError
  | { readonly reason: 'fingerprint'; readonly cause: FingerprintError }
  | { readonly reason: 'contents'; readonly cause: HashTreeError }
  /** Of these entries only the hash is known here: the list of their files was not published, or was too long for it. */
  | {
      readonly reason: 'data-unlisted';
      readonly commit: Oid;
      readonly entries: readonly string[];
      readonly recordedAt?: string;
      readonly recordedBy?: string;
    };

export type PlanCommitError =
  | { readonly reason: 'pipeline'; readonly cause: PipelineError }
  | { readonly reason: 'tree'; readonly cause: SubmoduleError }
  | { readonly reason: 'contents'; readonly cause: HashTreeError }
  | { readonly reason: 'plan'; readonly errors: readonly PlanError[] }
  | { readonly reason: 'render'; readonly cause: RenderError };

interface HashedTree extends TreeOfRepository {
  readonly contents: ReadonlyMap<Oid, BlobContent>;
}

/** Plan, then apply: this is the plan, and nothing has been sent. */
export async function prepare(
  context: GateContext,
  identified: Identified,
  options: PlanOptions = { secrets: context.env, build: 'if-before' },
): Promise<Result<Prepared, PrepareError>> {
  const located = await locateData(context, identified);
  if (!located.ok) return err({ reason: 'fingerprint', cause: located.error });
  const { data: files, unlisted, sources: dataSources, difference } = located.value;
  if (unlisted.length > 0) {
    const { commit, record } = identified;
    const who = record === undefined ? {} : { recordedAt: record.recordedAt, recordedBy: record.recordedBy };
    return err({ reason: 'data-unlisted', commit, entries: unlisted, ...who });
  }
  const planned = await planCommit(context, { ...identified, data: files }, options);
  if (!planned.ok) return planned;
  const { plan, script, buildScript, trees, notebooks } = planned.value;

  const inTree = new Set(plan.tree.map(({ path }) => path));
  const hashed: HashedTree[] = [];
  for (const tree of trees) {
    const entries = tree.entries.filter(({ path }) => inTree.has(path));
    const contents = await hashBlobs(tree.repository, entries);
    if (!contents.ok) return err({ reason: 'contents', cause: contents.error });
    hashed.push({ ...tree, entries, contents: contents.value });
  }
  const code = hashed.flatMap(({ entries, contents }) => entries.flatMap((entry) => codeEntry(entry, contents)));
  const data = plan.data.map(
    ({ path, sha256, how }): TreeEntry => ({
      kind: 'file',
      path,
      sha256: asSha256(sha256),
      executable: false,
      as: how,
    }),
  );
  const sizes = new Map<Sha256, number>(plan.data.map(({ sha256, size }) => [asSha256(sha256), size]));
  for (const { contents } of hashed) {
    for (const { sha256, size, linkTarget } of contents.values()) if (linkTarget === undefined) sizes.set(sha256, size);
  }
  const all = Object.values(files).flat();
  const carried = new Set([...inTree, ...all.map(({ path }) => path)]);
  return ok({
    plan,
    script,
    ...(buildScript === undefined ? {} : { buildScript }),
    tree: [...code, ...data],
    contents: [...sizes].map(([sha256, size]) => ({ sha256, size })),
    sources: (wanted) => allSources(context.repo, hashed, all, dataSources, wanted),
    absent: all.filter(({ path }) => !dataSources.has(path)),
    uncarried: await uncarriedFiles(context.repo.top, notebooks, carried),
    unread: unreadParameters(identified.config.steps, notebooks),
    ...(difference === undefined ? {} : { difference }),
  });
}

export interface PlannedCommit {
  readonly plan: JobPlan;
  readonly script: string;
  readonly buildScript?: string;
  readonly trees: readonly TreeOfRepository[];
  /** Ours, with those of the repository in their place. */
  readonly templates: Templates;
  /** Texts of the steps' notebooks, by path. */
  readonly notebooks: ReadonlyMap<string, string>;
}

export interface PlanOptions {
  /** Their values; whoever only reads results or looks at the script needs none. */
  readonly secrets: Readonly<Record<string, string | undefined>> | 'none';
  /** The script that makes the environment alone: where that is to be done before the run's job, or in any case and by itself. */
  readonly build: 'if-before' | 'always';
}

/** The job of a commit and its script. */
export async function planCommit(
  context: GateContext,
  identified: Identified,
  { secrets, build }: PlanOptions,
): Promise<Result<PlannedCommit, PlanCommitError>> {
  const trees = await readTreeWithSubmodules(context.repo, identified.commit);
  if (!trees.ok) return err({ reason: 'tree', cause: trees.error });
  const steps = identified.config.steps.flatMap((step) => (step.kind === 'notebook' ? [step.notebook] : []));
  const templatePath = (name: string) => `.mlops/templates/${name}`;
  const { config } = identified;
  const uvLock = config.environment.kind === 'uv' ? config.environment.file : '';
  const texts = await readTexts(trees.value, new Set([...steps, uvLock, ...TEMPLATE_NAMES.map(templatePath)]));
  if (!texts.ok) return texts;
  const own = new Map(
    TEMPLATE_NAMES.flatMap((name) => {
      const text = texts.value.get(templatePath(name));
      return text === undefined ? [] : [[name, text] as const];
    }),
  );
  const templates = await readTemplates(context.templates, own);
  const located = await readPipelineText(context.repo, identified.commit);
  if (!located.ok) return err({ reason: 'pipeline', cause: located.error });
  const notebooks = new Map(
    steps.flatMap((path) => (texts.value.has(path) ? [[path, texts.value.get(path) ?? ''] as const] : [])),
  );
  const plan = planJob({
    config,
    fingerprinted: identified,
    tree: trees.value.flatMap((tree) => tree.entries),
    notebooks,
    uvLock: texts.value.get(uvLock) ?? '',
    secrets: Object.fromEntries(config.secrets.map((name) => [name, secrets === 'none' ? '' : secrets[name]])),
    driver: templates['notebook.py'],
    // A script of the repository's own may be of before there were arrays.
    arrays: !own.has('job.sh.hbs') && !own.has('steps.sh.hbs'),
    locate: (path) => located.value.locate(path),
  });
  if (!plan.ok) return err({ reason: 'plan', errors: plan.error });
  const script = await renderJob(plan.value.view, templates);
  if (!script.ok) return err({ reason: 'render', cause: script.error });
  const needsBuild = build === 'always' || isBuiltBefore(config);
  const ahead = build === 'if-before' && buildJobOf(config) !== undefined ? buildOptions(config, plan.value.name) : [];
  const built = needsBuild ? await renderBuild(plan.value.view, templates, ahead) : undefined;
  if (built?.ok === false) return err({ reason: 'render', cause: built.error });
  return ok({
    plan: plan.value,
    script: script.value,
    ...(built === undefined ? {} : { buildScript: built.value }),
    trees: trees.value,
    templates,
    notebooks,
  });
}

async function readTexts(
  trees: readonly TreeOfRepository[],
  wanted: ReadonlySet<string>,
): Promise<Result<ReadonlyMap<string, string>, PlanCommitError>> {
  const texts = new Map<string, string>();
  for (const { repository, entries } of trees) {
    for (const { path, oid } of entries.filter((entry) => wanted.has(entry.path))) {
      const chunks: Buffer[] = [];
      try {
        for await (const chunk of openBlob(repository, oid)) chunks.push(chunk as Buffer);
      } catch (error) {
        if (!(error instanceof Error) || error.cause === undefined) throw error;
        return err({ reason: 'contents', cause: { reason: 'git', cause: { reason: 'missing-blob', oid } } });
      }
      texts.set(path, Buffer.concat(chunks).toString('utf8'));
    }
  }
  return ok(texts);
}

function codeEntry({ path, oid, mode }: GitEntry, contents: ReadonlyMap<Oid, BlobContent>): readonly TreeEntry[] {
  const content = contents.get(oid);
  if (content === undefined) return [];
  if (content.linkTarget !== undefined && mode === '120000')
    return [{ kind: 'symlink', path, target: content.linkTarget }];
  return [{ kind: 'file', path, sha256: content.sha256, executable: mode === '100755', as: 'copy' }];
}

async function* allSources(
  repo: Repository,
  trees: readonly HashedTree[],
  data: readonly DataFile[],
  dataSources: ReadonlyMap<string, NonNullable<DataFile['source']>>,
  wanted: ReadonlySet<Sha256>,
): AsyncGenerator<Source> {
  const left = new Set(wanted);
  for (const { path, sha256, size } of data) {
    const source = left.has(sha256) ? dataSources.get(path) : undefined;
    if (source === undefined) continue;
    left.delete(sha256);
    if (source.kind === 'blob') yield { sha256, size, open: () => openBlob(repo, source.oid) };
    else yield { sha256, size, file: source.path };
  }
  for (const { repository, contents } of trees) {
    const mine = [...contents.values()].filter(
      ({ sha256, linkTarget }) => linkTarget === undefined && left.delete(sha256),
    );
    yield* blobSources(repository, mine);
  }
}
