import type { Step } from '../config/types.ts';
import { meaningfulCells } from '../fingerprint/meaning.ts';
import { parseNotebook } from '../fingerprint/notebook.ts';

/** What the config gives to a notebook that has no use for it. */
export interface UnreadParameters {
  readonly notebook: string;
  readonly names: readonly string[];
}

/**
 * Parameters that no code cell has as a word, a misspelt one mostly. The run would be the same without them; and of a seed that
 * nothing reads, a sample of equal values looks as sure as can be. It is only told: code can reach a name without saying it.
 */
export function unreadParameters(
  steps: readonly Step[],
  notebooks: ReadonlyMap<string, string>,
): readonly UnreadParameters[] {
  return steps.flatMap((step): readonly UnreadParameters[] => {
    const text = step.kind === 'notebook' ? notebooks.get(step.notebook) : undefined;
    const parsed = text === undefined ? undefined : parseNotebook(text);
    if (step.kind !== 'notebook' || parsed?.ok !== true) return [];
    const expressions = step.metrics?.kind === 'expressions' ? Object.values(step.metrics.expressions) : [];
    const words = new Set(
      [...meaningfulCells(parsed.value).map(({ source }) => source), ...expressions].join('\n').match(/\w+/g),
    );
    const given = [
      ...Object.keys(step.parameters),
      ...Object.keys(step.matrix ?? {}),
      ...(step.seeds === undefined ? [] : [step.seeds.parameter]),
    ];
    const names = given.filter((name) => !words.has(name));
    return names.length === 0 ? [] : [{ notebook: step.notebook, names }];
  });
}
