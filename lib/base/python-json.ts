import type { Json } from './canonical-json.ts';
import { err, ok, type Result } from './result.ts';

/**
 * JSON as Python's json writes it and reads it back: NaN and Infinity, of which outputs of plotly and pandas are full, are read as null.
 * A byte order mark is skipped. The error is the strict parser's own words.
 */
export function parsePythonJson(source: string): Result<Json, string> {
  const text = source.startsWith('\ufeff') ? source.slice(1) : source;
  try {
    return ok(JSON.parse(text) as Json);
  } catch (strict) {
    const replaced = text.replace(/"[^"\\]*(?:\\.[^"\\]*)*"|-?\b(?:NaN|Infinity)\b/g, (token) =>
      token.startsWith('"') ? token : 'null',
    );
    try {
      return ok(JSON.parse(replaced) as Json);
    } catch {
      return err(strict instanceof Error ? strict.message : String(strict));
    }
  }
}
