import { printableLine } from '../base/printable.ts';
import type { Finding } from '../verdict/types.ts';

/** What a finding means, for those whose name and detail do not say it. */
const meanings: Readonly<Record<string, string>> = {
  'seeds-without-effect': 'every seed gave the same to the last digit, so most likely the seed reaches nothing',
  'same-data-twice': 'what is tested on may have been trained on',
  'outputs-not-reproduced': 'cells whose outputs are in the committed notebook, and that put out nothing in this run',
  'outputs-differ': 'cells that put out something else than the committed notebook shows',
  'cells-out-of-order':
    'the committed notebook was last run in another order than from top to bottom; this run was not',
  'cells-skipped': 'cells that are tagged to be left out',
  'exceptions-allowed': 'cells that raised, and are tagged that they may',
  'shell-line-failed': 'Jupyter goes on after it, and so did this run',
};

/** `cells-out-of-order: train.ipynb: 3, 4 (what that means)`. */
export function findingText({ name, detail }: Finding): string {
  const meaning = Object.hasOwn(meanings, name) ? ` (${meanings[name]})` : '';
  return `${[name, detail]
    .filter((part) => part !== '')
    .map(printableLine)
    .join(': ')}${meaning}`;
}
