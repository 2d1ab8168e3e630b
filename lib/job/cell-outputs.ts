import type { Json } from '../base/canonical-json.ts';
import { err, ok, type Result } from '../base/result.ts';
import { isLeftBehind } from './instrument.ts';
import { isObject } from './json-object.ts';
import { type Cell, type NotebookProblem, readNotebook, textOf } from './notebook.ts';

export interface CellOutputs {
  readonly source: string;
  readonly kind: string;
  readonly hasRun: boolean;
  readonly outputs: readonly CellOutput[];
}
/** `data`: what no terminal shows, by its media type and size in bytes. */
export type CellOutput =
  | { readonly kind: 'text' | 'error'; readonly text: string }
  | { readonly kind: 'data'; readonly type: string; readonly bytes: number };

export type CellError = NotebookProblem | { readonly problem: 'no-cell'; readonly cells: number };

/**
 * What one cell of an executed notebook has put out. Cells are counted as their author counts them: while the notebook is executed each
 * carries its number; afterwards those that papermill has added are left out, and those that the author's file has beyond it are counted.
 */
export function cellOutputs(
  executed: string,
  number: number,
  authors: string | undefined,
): Result<CellOutputs, CellError> {
  const notebook = readNotebook(executed);
  if (!notebook.ok) return notebook;
  const own = notebook.value.cells.filter((cell) => !isLeftBehind(cell) && markOf(cell).sentinel !== true);
  const numbers = authorsNumbers(authors);
  const cell = own.find((it, index) => (markOf(it).cell ?? numbers?.[index] ?? index + 1) === number);
  if (cell === undefined) return err({ problem: 'no-cell', cells: Math.max(own.length, numbers?.at(-1) ?? 0) });
  const outputs = Array.isArray(cell.raw.outputs) ? cell.raw.outputs : [];
  return ok({
    source: cell.source,
    kind: cell.kind,
    hasRun: typeof cell.raw.execution_count === 'number' || outputs.length > 0,
    outputs: outputs.flatMap(outputOf),
  });
}

function markOf({ raw }: Cell): { readonly cell?: Json | undefined; readonly sentinel?: Json | undefined } {
  const metadata = isObject(raw.metadata) ? raw.metadata : {};
  return isObject(metadata.mlops) ? metadata.mlops : {};
}

/** What papermill had left in the author's file was taken out, and has kept its number. */
function authorsNumbers(text: string | undefined): readonly number[] | undefined {
  const notebook = text === undefined ? undefined : readNotebook(text);
  if (notebook?.ok !== true) return undefined;
  return notebook.value.cells.flatMap((cell, index) => (isLeftBehind(cell) ? [] : [index + 1]));
}

function outputOf(output: Json): readonly CellOutput[] {
  if (!isObject(output)) return [];
  switch (output.output_type) {
    case 'stream':
      return [{ kind: 'text', text: textOf(output.text) }];
    case 'error': {
      const lines = Array.isArray(output.traceback) ? output.traceback.map(textOf) : [];
      const text = lines.length > 0 ? lines.join('\n') : `${textOf(output.ename)}: ${textOf(output.evalue)}`;
      return [{ kind: 'error', text }];
    }
    case 'execute_result':
    case 'display_data':
      return dataOf(isObject(output.data) ? output.data : {});
    default:
      return [];
  }
}

function dataOf(data: { readonly [type: string]: Json | undefined }): readonly CellOutput[] {
  const others = Object.entries(data)
    .filter(([type]) => /^(?:image|audio|video)\//.test(type))
    .map(([type, value]): CellOutput => ({ kind: 'data', type, bytes: bytesOf(type, textOf(value)) }));
  const text = textOf(data['text/plain']);
  return text === '' ? others : [{ kind: 'text', text }, ...others];
}

/** All but SVG are in base64. */
const bytesOf = (type: string, text: string): number =>
  type === 'image/svg+xml' ? Buffer.byteLength(text) : Buffer.byteLength(text, 'base64');
