import type { Json } from '../base/canonical-json.ts';
import { parsePythonJson } from '../base/python-json.ts';
import { err, ok, type Result } from '../base/result.ts';

/** A notebook as its cells are, whatever nbformat wrote it. Outputs and execution counts stay in `original` only. */
export interface Notebook {
  /** 4 for everything since 2015; 2 and 3 keep their cells in worksheets. */
  readonly nbformat: number;
  /** Lower case: `python`, `r`, `julia`. */
  readonly language: string;
  /** The kernel the notebook asks for; absent, or a bare string in some: then that. */
  readonly kernel?: string;
  readonly cells: readonly Cell[];
  /** The parsed file for rewriting. Literals that JSON does not have (Python writes NaN) are null in it. */
  readonly original: JsonObject;
}
export interface Cell {
  readonly type: 'code' | 'markdown' | 'raw' | 'other';
  /** As the kernel gets it, but with line feeds only. */
  readonly source: string;
  readonly tags: readonly string[];
}
export type JsonObject = { readonly [key: string]: Json | undefined };

export type NotebookError =
  | { readonly reason: 'not-json'; readonly detail: string }
  | { readonly reason: 'not-a-notebook'; readonly detail: 'not-an-object' | 'no-cells' | 'cell-without-source' };

/** Reads what Jupyter, papermill, editors and old versions write; refuses only what no reader could run. */
export function parseNotebook(text: string): Result<Notebook, NotebookError> {
  const parsed = parsePythonJson(text);
  if (!parsed.ok) return err({ reason: 'not-json', detail: parsed.error });
  const original = asObject(parsed.value);
  if (original === undefined) return err({ reason: 'not-a-notebook', detail: 'not-an-object' });
  const rawCells = cellsOf(original);
  if (rawCells === undefined) return err({ reason: 'not-a-notebook', detail: 'no-cells' });
  const cells: Cell[] = [];
  for (const raw of rawCells) {
    const cell = readCell(raw);
    if (cell === undefined) return err({ reason: 'not-a-notebook', detail: 'cell-without-source' });
    cells.push(cell);
  }
  const metadata = asObject(original.metadata) ?? {};
  const kernel = kernelName(metadata.kernelspec);
  return ok({
    nbformat: typeof original.nbformat === 'number' ? original.nbformat : 4,
    language: languageOf(metadata, kernel, rawCells),
    ...(kernel === undefined ? {} : { kernel }),
    cells,
    original,
  });
}

const asObject = (value: Json | undefined): JsonObject | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
const asList = (value: Json | undefined): readonly Json[] | undefined =>
  Array.isArray(value) ? (value as readonly Json[]) : undefined;
const asText = (value: Json | undefined): string | undefined =>
  typeof value === 'string' && value.trim() !== '' ? value : undefined;

/** nbformat 4 has cells at the top, 2 and 3 have them in worksheets. */
function cellsOf(notebook: JsonObject): readonly Json[] | undefined {
  const cells = asList(notebook.cells);
  if (cells !== undefined) return cells;
  const worksheets = asList(notebook.worksheets);
  return worksheets?.flatMap((worksheet) => asList(asObject(worksheet)?.cells) ?? []);
}

function readCell(raw: Json): Cell | undefined {
  const cell = asObject(raw);
  if (cell === undefined) return undefined;
  const source = readSource(cell.source) ?? readSource(cell.input) ?? (cell.cell_type === 'code' ? undefined : '');
  if (source === undefined) return undefined;
  const tags = asList(asObject(cell.metadata)?.tags) ?? [];
  const type = cell.cell_type;
  return {
    type: type === 'code' || type === 'markdown' || type === 'raw' ? type : 'other',
    source: source.replaceAll('\r\n', '\n'),
    tags: tags.filter((tag) => typeof tag === 'string'),
  };
}

/** A string, or its lines as a list (each with its own line feed). */
function readSource(value: Json | undefined): string | undefined {
  if (typeof value === 'string') return value;
  const lines = asList(value);
  return lines?.every((line) => typeof line === 'string') ? lines.join('') : undefined;
}

const kernelName = (kernelspec: Json | undefined): string | undefined =>
  asText(kernelspec) ?? asText(asObject(kernelspec)?.name);

function languageOf(metadata: JsonObject, kernel: string | undefined, cells: readonly Json[]): string {
  const named =
    asText(asObject(metadata.kernelspec)?.language) ??
    asText(asObject(metadata.language_info)?.name) ??
    // nbformat 2 and 3 name the language in each cell.
    cells.map((cell) => asText(asObject(cell)?.language)).find((language) => language !== undefined);
  if (named !== undefined) return named.trim().toLowerCase();
  // A notebook made by a program may name its kernel only: IRkernel is `ir`, IJulia `julia-1.10`.
  if (kernel === 'ir') return 'r';
  return kernel !== undefined && /^julia(?:-|$)/.test(kernel) ? 'julia' : 'python';
}
