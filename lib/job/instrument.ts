import type { Json } from '../base/canonical-json.ts';
import { isObject, type JsonObject } from './json-object.ts';
import { metricsCell } from './metrics-cell.ts';
import type { Cell, Notebook } from './notebook.ts';

/**
 * The copy of a notebook that is run. Stale outputs, counts, parameters and marks of an older run are taken out, since they must
 * not decide; each cell carries the number under which its author knows it; a Python notebook gets the metrics' cell.
 */
export function instrumentNotebook(
  notebook: Notebook,
  expressions: Readonly<Record<string, string>>,
  curves: readonly string[] = [],
): string {
  const cells: JsonObject[] = notebook.cells
    .map((cell, index): JsonObject => {
      const { papermill: _, ...metadata } = isObject(cell.raw.metadata) ? cell.raw.metadata : {};
      const marked = {
        ...cell.raw,
        source: cell.source,
        metadata: { ...metadata, tags: [...cell.tags], mlops: { cell: index + 1 } },
      };
      return cell.kind === 'code' ? { ...marked, outputs: [], execution_count: null } : marked;
    })
    .filter((_, index) => !isLeftBehind(notebook.cells[index]));
  if (hasSentinel(notebook)) {
    cells.push({
      cell_type: 'code',
      execution_count: null,
      metadata: { tags: [], mlops: { sentinel: true } },
      outputs: [],
      source: metricsCell(expressions, curves),
      ...(usesCellIds(notebook) ? { id: 'mlops-metrics' } : {}),
    });
  }
  const { papermill: _, ...metadata } = isObject(notebook.raw.metadata) ? notebook.raw.metadata : {};
  const kernelspec: Json = {
    name: kernelOf(notebook),
    display_name: notebook.language === 'python' ? 'Python 3' : kernelOf(notebook),
    language: notebook.language,
  };
  return JSON.stringify({ ...notebook.raw, metadata: { ...metadata, kernelspec }, cells });
}

/** Written by papermill in an older run; with no parameters to inject, it would run what it finds. */
export const isLeftBehind = (cell: Cell | undefined): boolean =>
  cell?.tags.some((tag) => tag === 'injected-parameters' || tag === 'papermill-error-cell-tag') ?? false;

/** The cells that set the parameters' defaults, by their numbers from 1. */
export const parametersCells = ({ cells }: Notebook): readonly number[] =>
  cells.flatMap((cell, index) =>
    cell.kind === 'code' && cell.tags.includes('parameters') && !isLeftBehind(cell) ? [index + 1] : [],
  );
export const hasSentinel = (notebook: Notebook): boolean => notebook.language === 'python';
/** A Python notebook always runs in the environment's Python, whatever kernel its author's machine called it. */
export const kernelOf = (notebook: Notebook): string => (notebook.language === 'python' ? 'python3' : notebook.kernel);

const usesCellIds = ({ raw }: Notebook): boolean => typeof raw.nbformat_minor === 'number' && raw.nbformat_minor >= 5;
