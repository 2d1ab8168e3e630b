import { err, type Result } from '../base/result.ts';
import { readCsv } from './csv-metrics.ts';
import { type ReadMetrics, readingsOf } from './readings.ts';

/** What a step wrote: YAML or CSV by its name, else JSON. */
export async function readMetrics(text: string, source: string): Promise<Result<ReadMetrics, string>> {
  try {
    if (/\.csv$/i.test(source)) return await readCsv(text, source);
    return readingsOf(/\.ya?ml$/i.test(source) ? await parseYaml(text) : parseJson(text), source);
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}

async function parseYaml(text: string): Promise<unknown> {
  const { parse } = await import('yaml');
  // Its warnings would go to the terminal.
  return parse(text, { logLevel: 'error' });
}

const marker = '\uE000mlops-not-finite:';

/** JSON as Python writes it, where NaN and Infinity are words. */
function parseJson(text: string): unknown {
  const marked = text
    .replace(/^\uFEFF/, '')
    .replace(/"(?:[^"\\]|\\.)*"|-?\bInfinity\b|\bNaN\b/gs, (token) =>
      token.startsWith('"') ? token : JSON.stringify(`${marker}${token}`),
    );
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === 'string' && value.startsWith(marker) ? Number(value.slice(marker.length)) : value,
  );
}

/** What the notebook driver has heard a notebook glue, by name. */
export function readScraps(text: string): Result<ReadMetrics, string> {
  try {
    return readingsOf(parseJson(text === '' ? '{}' : text), 'scrapbook');
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}
