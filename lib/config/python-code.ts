import type { Scalar } from './types.ts';

/*
 * What can be read off Python code without running it, for a proposal that a person looks over. A wrong guess is a line to delete.
 */

const metricName =
  /^(?:(?:test|val|valid|validation|final|best|mean|avg|eval|cv)_)*(?:accuracy|acc|score|f1|f1_score|rmse|mae|mse|mape|loss|auc|auroc|roc_auc|precision|recall|r2|r2_score|ndcg|rprec|perplexity|ppl|bleu|iou|miou|dice)$/;

/** Names of obvious metrics that cells assign at their left edge, the last ones first. */
export function assignedMetrics(cells: readonly string[]): readonly string[] {
  const found: string[] = [];
  for (const cell of [...cells].slice(-10).reverse())
    for (const line of cell.split('\n').reverse())
      for (const name of targets(line)) if (metricName.test(name) && !found.includes(name)) found.push(name);
  return found.slice(0, 3);
}

/** `loss, acc = …` assigns two names. */
function targets(line: string): readonly string[] {
  const match = /^([A-Za-z_]\w*(?:\s*,\s*[A-Za-z_]\w*)*)\s*(?::[^=]+)?=(?!=)/.exec(line);
  return match?.[1]?.split(',').map((name) => name.trim()) ?? [];
}

/** Names and plain values of a `parameters` cell. */
export function parameterDefaults(cell: string): Readonly<Record<string, Scalar>> {
  const found: Record<string, Scalar> = {};
  for (const line of cell.split('\n')) {
    const match = /^([A-Za-z_]\w*)\s*(?::[^=]+)?=(?!=)\s*(.+?)\s*(?:#.*)?$/.exec(line);
    const [, name, text] = match ?? [];
    if (name === undefined || text === undefined) continue;
    const value = literal(text);
    if (value !== undefined) found[name] = value;
  }
  return found;
}

function literal(text: string): Scalar | undefined {
  if (/^-?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][-+]?\d+)?$/.test(text)) {
    const value = Number(text.replaceAll('_', ''));
    return Number.isFinite(value) ? value : undefined;
  }
  if (text === 'True' || text === 'False') return text === 'True';
  if (text === 'None') return null;
  return /^(["'])([^"'\\]*)\1$/.exec(text)?.[2];
}

/** Texts in quotes that could be paths: what a notebook reads is often named in it. */
export function possiblePaths(code: string): readonly string[] {
  const found = new Set<string>();
  for (const [, , text = ''] of code.matchAll(/(["'])((?:(?!\1)[^\\\n])+)\1/g)) {
    if (text.length > 200 || /^[a-z][a-z0-9+.-]*:\/\//i.test(text) || !/[./]/.test(text) || /[*?<>|{}]/.test(text))
      continue;
    found.add(text);
  }
  return [...found];
}
