import type { Json } from '../base/canonical-json.ts';
import { isObject, type JsonObject } from './json-object.ts';

/**
 * A notebook of format 2 or 3 (IPython before 2015) as format 4 has it. The cells of all worksheets follow each other, as in the
 * fingerprint; outputs are left out, because those of an older run are removed anyway. Undefined: it is none.
 */
export function upgradeNotebook(raw: JsonObject): JsonObject | undefined {
  if ((raw.nbformat !== 2 && raw.nbformat !== 3) || !Array.isArray(raw.worksheets)) return undefined;
  const cells = raw.worksheets.flatMap((sheet) => (isObject(sheet) && Array.isArray(sheet.cells) ? sheet.cells : []));
  const language = cells.map((cell) => (isObject(cell) ? cell.language : undefined)).find((name) => name !== undefined);
  const metadata = isObject(raw.metadata) ? raw.metadata : {};
  return {
    nbformat: 4,
    nbformat_minor: 4,
    metadata: {
      ...metadata,
      ...(typeof language === 'string' && metadata.language_info === undefined
        ? { language_info: { name: language } }
        : {}),
    },
    cells: cells.map((cell) => upgradeCell(isObject(cell) ? cell : {})),
  };
}

function upgradeCell(cell: JsonObject): Json {
  const metadata = isObject(cell.metadata) ? cell.metadata : {};
  if (cell.cell_type === 'code') {
    return {
      cell_type: 'code',
      metadata,
      source: cell.input ?? cell.source ?? '',
      outputs: [],
      execution_count: null,
    };
  }
  const lines = cell.source ?? '';
  if (cell.cell_type === 'heading') {
    const level = typeof cell.level === 'number' ? cell.level : 1;
    const text = Array.isArray(lines) ? lines.join('') : String(lines);
    return { cell_type: 'markdown', metadata, source: `${'#'.repeat(level)} ${text.replaceAll('\n', ' ')}` };
  }
  return { cell_type: cell.cell_type === 'raw' ? 'raw' : 'markdown', metadata, source: lines };
}
