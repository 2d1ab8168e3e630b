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
import { planJob } from '../job/plan.ts';
import { type RenderError, renderJob } from '../job/render.ts';
import { readTemplates, TEMPLATE_NAMES } from '../job/templates.ts';
import type { JobPlan, PlanError } from '../job/types.ts';
import type { GateContext } from './context.ts';
import { type BlobContent, blobSources, type HashTreeError, hashBlobs } from './hash-tree.ts';
import { type Identified, locateData } from './identify.ts';
import { type PipelineError, readPipelineText } from './pipeline.ts';

/** Everything that a submission needs and that can be known on this machine. */
export interface Prepared {
  readonly identified: Identified;
  readonly plan: JobPlan;
  readonly script: string;
  readonly tree: readonly TreeEntry[];
  /** Every content that the run needs, once each. */
  readonly contents: readonly { readonly sha256: Sha256; readonly size: number }[];
  /** Those of `wanted` that this machine has. What is missing here may be on the cluster already. */
  sources(wanted: ReadonlySet<Sha256>): AsyncGenerator<Source>;
  /** Data whose content is not on this machine any more, by path. */
  readonly absent: readonly DataFile[];
  readonly difference?: DataComparison;
}

export type PrepareError =
  | { readonly reason: 'pipeline'; readonly cause: PipelineError }
  | { readonly reason: 'fingerprint'; readonly cause: FingerprintError }
  | { readonly reason: 'tree'; readonly cause: SubmoduleError }
  | { readonly reason: 'contents'; readonly cause: HashTreeError }
  | { readonly reason: 'plan'; readonly errors: readonly PlanError[] }
  | { readonly reason: 'render'; readonly cause: RenderError };

interface HashedTree extends TreeOfRepository {
  readonly contents: ReadonlyMap<Oid, BlobContent>;
}

/** Plan, then apply: this is the plan, and nothing has been sent. */
export async function prepare(context: GateContext, identified: Identified): Promise<Result<Prepared, PrepareError>> {
  const [trees, located] = await Promise.all([
    readTreeWithSubmodules(context.repo, identified.commit),
    locateData(context, identified),
  ]);
  if (!trees.ok) return err({ reason: 'tree', cause: trees.error });
  if (!located.ok) return err({ reason: 'fingerprint', cause: located.error });
  const planned = await planAndRender(context, identified, trees.value);
  if (!planned.ok) return planned;
  const { plan, script } = planned.value;

  const inTree = new Set(plan.tree.map(({ path }) => path));
  const hashed: HashedTree[] = [];
  for (const tree of trees.value) {
    const entries = tree.entries.filter(({ path }) => inTree.has(path));
    const contents = await hashBlobs(tree.repository, entries);
    if (!contents.ok) return err({ reason: 'contents', cause: contents.error });
    hashed.push({ ...tree, entries, contents: contents.value });
  }
  const { sources: dataSources, difference } = located.value;
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
  const files = Object.values(identified.data).flat();
  return ok({
    identified,
    plan,
    script,
    tree: [...code, ...data],
    contents: [...sizes].map(([sha256, size]) => ({ sha256, size })),
    sources: (wanted) => allSources(context.repo, hashed, files, dataSources, wanted),
    absent: files.filter(({ path }) => !dataSources.has(path)),
    ...(difference === undefined ? {} : { difference }),
  });
}

/** The plan and the script alone: what `mlops script` prints. */
export async function planAndRender(
  context: GateContext,
  identified: Identified,
  trees: readonly TreeOfRepository[],
): Promise<Result<{ readonly plan: JobPlan; readonly script: string }, PrepareError>> {
  const entries = trees.flatMap((tree) => tree.entries);
  const steps = identified.config.steps.flatMap((step) => (step.kind === 'notebook' ? [step.notebook] : []));
  const templatePath = (name: string) => `.mlops/templates/${name}`;
  const wanted = new Set([...steps, ...TEMPLATE_NAMES.map(templatePath)]);
  const texts = await readTexts(trees, wanted);
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
  const { config } = identified;
  const plan = planJob({
    config,
    fingerprinted: identified,
    tree: entries,
    notebooks: new Map(steps.flatMap((path) => (texts.value.has(path) ? [[path, texts.value.get(path) ?? '']] : []))),
    secrets: Object.fromEntries(config.secrets.map((name) => [name, context.env[name]])),
    driver: templates['notebook.py'],
    locate: (path) => located.value.locate(path),
  });
  if (!plan.ok) return err({ reason: 'plan', errors: plan.error });
  const script = await renderJob(plan.value.view, templates);
  if (!script.ok) return err({ reason: 'render', cause: script.error });
  return ok({ plan: plan.value, script: script.value });
}

async function readTexts(
  trees: readonly TreeOfRepository[],
  wanted: ReadonlySet<string>,
): Promise<Result<ReadonlyMap<string, string>, PrepareError>> {
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
