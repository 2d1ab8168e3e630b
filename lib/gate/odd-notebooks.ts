import { blobSizes, readBlobs } from '../git/blobs.ts';
import type { Repository } from '../git/repository.ts';
import { readTreePaths } from '../git/tree.ts';
import { readNotebook } from '../job/notebook.ts';
import { savedSession } from '../job/saved-outputs.ts';
import type { Finding, RunResult } from '../verdict/types.ts';
import type { Identified } from './identify.ts';

/**
 * What is odd about the notebooks as this commit has them: outputs are no part of a run, so that a known run is compared with the
 * outputs of the commit that is judged, and not of the one that was trained. One that cannot be read says nothing.
 */
export async function oddNotebooks(
  repo: Repository,
  { commit, config }: Identified,
  run: RunResult,
): Promise<readonly Finding[]> {
  const paths = [...new Set(config.steps.flatMap((step) => (step.kind === 'notebook' ? [step.notebook] : [])))];
  if (paths.length === 0) return [];
  const tree = await readTreePaths(repo, commit, paths);
  if (!tree.ok) return [];
  const oids = [...new Set(tree.value.map(({ oid }) => oid))];
  const sizes = await blobSizes(repo, oids);
  if (!sizes.ok) return [];
  const texts = new Map<string, string>();
  const small = oids.filter((oid) => (sizes.value.get(oid) ?? 0) <= largest);
  await readBlobs(repo, small, (oid, content) => {
    texts.set(oid, content.toString('utf8'));
  });
  return tree.value.flatMap(({ path, oid }) => {
    const notebook = readNotebook(texts.get(oid) ?? '');
    if (!notebook.ok) return [];
    const outputs = run.outputs !== undefined && Object.hasOwn(run.outputs, path) ? run.outputs[path] : undefined;
    const { outOfOrder, missing, different } = savedSession(notebook.value, outputs);
    const finding = (name: string, severity: Finding['severity'], cells: readonly number[]): readonly Finding[] =>
      cells.length === 0 ? [] : [{ name, severity, detail: `${path}: ${cellList(cells)}` }];
    return [
      ...finding('outputs-not-reproduced', 'warn', missing),
      ...finding('outputs-differ', 'info', different),
      ...finding('cells-out-of-order', 'info', outOfOrder),
    ];
  });
}

/** A verdict that is known is to be there at once, whatever pictures and logs a notebook was saved with. */
const largest = 20 * 2 ** 20;

const most = 12;
const cellList = (cells: readonly number[]): string =>
  `${cells.length === 1 ? 'cell' : 'cells'} ${cells.slice(0, most).join(', ')}${cells.length > most ? ` and ${cells.length - most} more` : ''}`;
