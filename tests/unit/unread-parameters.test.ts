import { expect, test } from '@jest/globals';
import type { NotebookStep } from '../../lib/config/types.ts';
import { unreadParameters } from '../../lib/gate/unread-parameters.ts';
import { notebookOf, notebookStep } from '../rig/job.ts';

const cells = [
  { source: 'lr = 0.1', tags: ['parameters'] },
  { source: '# seed', kind: 'markdown' as const },
  'fit(lr)',
];
const found = (step: Partial<NotebookStep>) =>
  unreadParameters([notebookStep('a.ipynb', step)], new Map([['a.ipynb', notebookOf(cells)]]));

test('parameters, a matrix and a seed that no code cell and no metric reads are named, since they change nothing', () => {
  expect(found({ parameters: { lr: 0.5 } })).toEqual([]);
  const metrics = { kind: 'expressions', expressions: { score: 'score(depth)' } } as const;
  expect(
    found({
      parameters: { lr: 0.5, rl: 0.5 },
      matrix: { depth: [1, 2], width: [1] },
      seeds: { parameter: 'seed', values: [1, 2] },
      metrics,
    }),
  ).toEqual([{ notebook: 'a.ipynb', names: ['rl', 'width', 'seed'] }]);
});
