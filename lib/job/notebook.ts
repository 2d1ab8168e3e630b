import type { Json } from '../base/canonical-json.ts';
import { parsePythonJson } from '../base/python-json.ts';
import { err, ok, type Result } from '../base/result.ts';
import { isObject, type JsonObject } from './json-object.ts';
import { languageOfKernel } from './kernel-language.ts';
import { upgradeNotebook } from './old-notebook.ts';

/** A notebook of format 4, or one that was made it, as far as running it needs it. Everything else in it is kept as it is. */
export interface Notebook {
  readonly cells: readonly Cell[];
  /** Lower case: `python`, `r`, `julia`. */
  readonly language: string;
  /** The kernelspec's name; empty if the notebook has none. */
  readonly kernel: string;
  readonly raw: JsonObject;
}
export interface Cell {
  readonly kind: string;
  readonly source: string;
  readonly tags: readonly string[];
  readonly raw: JsonObject;
}
export type NotebookProblem =
  | { readonly problem: 'not-json'; readonly detail: string }
  | { readonly problem: 'format'; readonly detail: string };

/** Of a text that may be a list of lines. */
export const textOf = (value: Json | undefined): string =>
  typeof value === 'string'
    ? value
    : Array.isArray(value)
      ? value.filter((line) => typeof line === 'string').join('')
      : '';

export function readNotebook(source: string): Result<Notebook, NotebookProblem> {
  const parsed = parsePythonJson(source);
  if (!parsed.ok) return err({ problem: 'not-json', detail: parsed.error });
  const written = parsed.value;
  const raw = isObject(written) ? (upgradeNotebook(written) ?? written) : written;
  if (!isObject(raw) || raw.nbformat !== 4 || !Array.isArray(raw.cells)) {
    const found =
      isObject(raw) && typeof raw.nbformat === 'number' ? `nbformat ${raw.nbformat}` : 'no nbformat and cells';
    return err({ problem: 'format', detail: found });
  }
  const metadata = isObject(raw.metadata) ? raw.metadata : {};
  // Seen in the wild: a string instead of an object.
  const spec = isObject(metadata.kernelspec) ? metadata.kernelspec : {};
  const info = isObject(metadata.language_info) ? metadata.language_info : {};
  const kernel = textOf(spec.name) || (typeof metadata.kernelspec === 'string' ? metadata.kernelspec : '');
  const language = (textOf(info.name) || textOf(spec.language) || languageOfKernel(kernel)).toLowerCase();
  return ok({ raw, kernel, language: language === 'ipython' ? 'python' : language, cells: raw.cells.map(cellOf) });
}

function cellOf(value: Json): Cell {
  const raw = isObject(value) ? value : {};
  const metadata = isObject(raw.metadata) ? raw.metadata : {};
  const tags = Array.isArray(metadata.tags) ? metadata.tags.filter((tag) => typeof tag === 'string') : [];
  return { raw, tags, kind: textOf(raw.cell_type), source: textOf(raw.source) };
}
